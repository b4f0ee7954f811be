// Which instructions the CPU kernels may use, decided at run time: one build runs on every x86-64 and every other CPU.
#pragma once

#if defined(__x86_64__) && defined(__GNUC__)
#define JC3D_X86 1
#define JC3D_TARGET_AVX2 __attribute__((target("avx2,fma")))
#define JC3D_TARGET_AVX512 __attribute__((target("avx2,fma,avx512f,avx512bw,avx512dq,avx512vl")))
#endif

// For a loop that is written once and compiled for each instruction set: it must take on the target of its caller.
#define JC3D_ALWAYS_INLINE inline __attribute__((always_inline))

namespace jc3d {

enum class CpuLevel { scalar, avx2, avx512 };

// The highest level that this CPU has and limit_cpu_level allows.
CpuLevel cpu_level();

// Keeps the kernels at `level` or below, so that tests reach every path on one machine.
void limit_cpu_level(CpuLevel level);

}  // namespace jc3d
