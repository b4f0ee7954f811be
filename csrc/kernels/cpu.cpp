#include "cpu.h"

#include <algorithm>
#include <atomic>

namespace jc3d {
namespace {

CpuLevel detect() {
#ifdef JC3D_X86
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
  if (avx2 && avx512) return CpuLevel::avx512;
  if (avx2) return CpuLevel::avx2;
#endif
  return CpuLevel::scalar;
}

std::atomic<CpuLevel> limit{CpuLevel::avx512};

}  // namespace

CpuLevel cpu_level() {
  static const CpuLevel detected = detect();
  return std::min(detected, limit.load(std::memory_order_relaxed));
}

void limit_cpu_level(CpuLevel level) {
  limit.store(level, std::memory_order_relaxed);
}

}  // namespace jc3d
