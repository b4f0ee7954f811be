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

// A loop compiled once for each level.
template <auto scalar_loop, auto avx2_loop, auto avx512_loop>
struct CpuVersions;

template <typename Result, typename... Arguments, Result (*scalar_loop)(Arguments...),
          Result (*avx2_loop)(Arguments...), Result (*avx512_loop)(Arguments...)>
struct CpuVersions<scalar_loop, avx2_loop, avx512_loop> {
  using Function = Result (*)(Arguments...);

  static Result scalar(Arguments... arguments) { return scalar_loop(arguments...); }
#ifdef JC3D_X86
  JC3D_TARGET_AVX2 static Result avx2(Arguments... arguments) { return avx2_loop(arguments...); }
  JC3D_TARGET_AVX512 static Result avx512(Arguments... arguments) { return avx512_loop(arguments...); }
#endif

  static Function of(CpuLevel level) {
    switch (level) {
#ifdef JC3D_X86
      case CpuLevel::avx512:
        return avx512;
      case CpuLevel::avx2:
        return avx2;
#endif
      default:
        return scalar;
    }
  }
};

// A pointer to the version of a loop for this CPU, asked once for many calls: for_this_cpu<&add_loop<T>>(). The loop is
// a JC3D_ALWAYS_INLINE function, whose loops the compiler turns into vector code of each level; a level above scalar
// may have a loop of its own, which serves the levels above it, too. Arguments are plain data.
template <auto scalar_loop, auto avx2_loop = scalar_loop, auto avx512_loop = avx2_loop>
auto for_this_cpu() {
  return CpuVersions<scalar_loop, avx2_loop, avx512_loop>::of(cpu_level());
}

}  // namespace jc3d
