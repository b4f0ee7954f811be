#include "pack_bits.h"

#include <algorithm>

#include "cpu.h"

#ifdef JC3D_X86
#include <immintrin.h>
#endif

namespace jc3d {
namespace {

// Packs n elements of one row, the last byte padded.
template <typename T>
void pack_row_scalar(const T* x, uint8_t* packed, int64_t n) {
  for (int64_t i = 0; i < n; i += 8) packed[i / 8] = pack_group(x + i, static_cast<int>(std::min<int64_t>(8, n - i)));
}

#ifdef JC3D_X86

// Vector comparisons put the first element in the least significant bit: reverses the bits of every byte.
template <typename Word>
Word reverse_bits_of_bytes(Word word) {
  constexpr Word ones = static_cast<Word>(0x0101010101010101);
  word = (word >> 1 & ones * 0x55) | (word & ones * 0x55) << 1;
  word = (word >> 2 & ones * 0x33) | (word & ones * 0x33) << 2;
  return (word >> 4 & ones * 0x0F) | (word & ones * 0x0F) << 4;
}

// is_nonnegative of 32 elements, the first in bit 0.
JC3D_TARGET_AVX2 inline uint32_t mask_avx2(const float* x) {
  uint32_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    const __m256 nonnegative = _mm256_cmp_ps(_mm256_loadu_ps(x + 8 * i), _mm256_setzero_ps(), _CMP_GE_OQ);
    mask |= static_cast<uint32_t>(_mm256_movemask_ps(nonnegative)) << 8 * i;
  }
  return mask;
}

JC3D_TARGET_AVX2 inline uint32_t mask_avx2(const double* x) {
  uint32_t mask = 0;
  for (int i = 0; i < 8; ++i) {
    const __m256d nonnegative = _mm256_cmp_pd(_mm256_loadu_pd(x + 4 * i), _mm256_setzero_pd(), _CMP_GE_OQ);
    mask |= static_cast<uint32_t>(_mm256_movemask_pd(nonnegative)) << 4 * i;
  }
  return mask;
}

// The 16-bit types: from 0 to infinity as a signed integer, or the bits of -0.0.
template <uint16_t infinity>
JC3D_TARGET_AVX2 inline __m256i nonnegative_16_avx2(const uint16_t* x) {
  const __m256i bits = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x));
  const __m256i above = _mm256_cmpgt_epi16(bits, _mm256_set1_epi16(infinity));
  const __m256i below = _mm256_cmpgt_epi16(_mm256_setzero_si256(), bits);
  const __m256i minus_zero = _mm256_cmpeq_epi16(bits, _mm256_set1_epi16(INT16_MIN));
  return _mm256_or_si256(minus_zero, _mm256_andnot_si256(_mm256_or_si256(above, below), _mm256_set1_epi16(-1)));
}

template <uint16_t infinity>
JC3D_TARGET_AVX2 inline uint32_t mask_16_avx2(const uint16_t* x) {
  const __m256i low = nonnegative_16_avx2<infinity>(x);
  const __m256i high = nonnegative_16_avx2<infinity>(x + 16);
  // packs works on each half of the register by itself; the permutation puts the quarters back in order.
  const __m256i bytes = _mm256_permute4x64_epi64(_mm256_packs_epi16(low, high), 0xD8);
  return static_cast<uint32_t>(_mm256_movemask_epi8(bytes));
}

JC3D_TARGET_AVX2 inline uint32_t mask_avx2(const BFloat16* x) {
  return mask_16_avx2<0x7F80>(&x->bits);
}

JC3D_TARGET_AVX2 inline uint32_t mask_avx2(const Half* x) {
  return mask_16_avx2<0x7C00>(&x->bits);
}

// is_nonnegative of 64 elements, the first in bit 0.
JC3D_TARGET_AVX512 inline uint64_t mask_avx512(const float* x) {
  uint64_t mask = 0;
  for (int i = 0; i < 4; ++i) {
    const __mmask16 nonnegative = _mm512_cmp_ps_mask(_mm512_loadu_ps(x + 16 * i), _mm512_setzero_ps(), _CMP_GE_OQ);
    mask |= static_cast<uint64_t>(nonnegative) << 16 * i;
  }
  return mask;
}

JC3D_TARGET_AVX512 inline uint64_t mask_avx512(const double* x) {
  uint64_t mask = 0;
  for (int i = 0; i < 8; ++i) {
    const __mmask8 nonnegative = _mm512_cmp_pd_mask(_mm512_loadu_pd(x + 8 * i), _mm512_setzero_pd(), _CMP_GE_OQ);
    mask |= static_cast<uint64_t>(nonnegative) << 8 * i;
  }
  return mask;
}

template <uint16_t infinity>
JC3D_TARGET_AVX512 inline uint64_t mask_16_avx512(const uint16_t* x) {
  uint64_t mask = 0;
  for (int i = 0; i < 2; ++i) {
    const __m512i bits = _mm512_loadu_si512(x + 32 * i);
    const uint64_t finite = _mm512_cmple_epu16_mask(bits, _mm512_set1_epi16(infinity));
    const uint64_t minus_zero = _mm512_cmpeq_epi16_mask(bits, _mm512_set1_epi16(INT16_MIN));
    mask |= (finite | minus_zero) << 32 * i;
  }
  return mask;
}

JC3D_TARGET_AVX512 inline uint64_t mask_avx512(const BFloat16* x) {
  return mask_16_avx512<0x7F80>(&x->bits);
}

JC3D_TARGET_AVX512 inline uint64_t mask_avx512(const Half* x) {
  return mask_16_avx512<0x7C00>(&x->bits);
}

// The bits of a word's length of elements at once.
template <typename T, typename Word, Word (*mask)(const T*)>
JC3D_ALWAYS_INLINE void pack_row_loop(const T* x, uint8_t* packed, int64_t n) {
  constexpr int64_t count = 8 * sizeof(Word);
  int64_t i = 0;
  for (; i + count <= n; i += count) {
    const Word bytes = reverse_bits_of_bytes(mask(x + i));
    memcpy(packed + i / 8, &bytes, sizeof(bytes));
  }
  pack_row_scalar(x + i, packed + i / 8, n - i);
}

template <typename T>
auto pack_row_function() {
  return for_this_cpu<&pack_row_scalar<T>, &pack_row_loop<T, uint32_t, mask_avx2>,
                      &pack_row_loop<T, uint64_t, mask_avx512>>();
}

#else

template <typename T>
auto pack_row_function() {
  return pack_row_scalar<T>;
}

#endif  // JC3D_X86

}  // namespace

template <typename T>
void pack_bits_cpu(const T* x, uint8_t* packed, int64_t rows, int64_t n, int64_t begin, int64_t end) {
  const auto pack_row = pack_row_function<T>();
  PackedRows(rows, n).for_each_run(
      begin, end, [=](int64_t element, int64_t byte, int64_t count) { pack_row(x + element, packed + byte, count); });
}

#define INSTANTIATE(T) template void pack_bits_cpu<T>(const T*, uint8_t*, int64_t, int64_t, int64_t, int64_t)
JC3D_FOR_EACH_FLOAT(INSTANTIATE);
#undef INSTANTIATE

}  // namespace jc3d
