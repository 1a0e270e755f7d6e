#include "checksum.h"

#if defined(__x86_64__)
#include <immintrin.h>

// Gopal and others, "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ Instruction" (Intel, 2009), with the
// constants given there for the reflected polynomial of zlib. CRC-32 is the remainder of a division of polynomials over GF(2);
// multiplying by a power of x modulo the polynomial moves 16 bytes on, to where they can be added to the next 16.
#define FOLDING __attribute__((target("pclmul,sse4.1"))) static inline

FOLDING __m128i load(const uint8_t *bytes) { return _mm_loadu_si128((const __m128i *)bytes); }

// `sum`, moved on by the distance that `powers` stands for, and `next` added.
FOLDING __m128i fold(__m128i sum, __m128i powers, __m128i next) {
  __m128i low = _mm_clmulepi64_si128(sum, powers, 0x00);
  __m128i high = _mm_clmulepi64_si128(sum, powers, 0x11);
  return _mm_xor_si128(_mm_xor_si128(low, high), next);
}

// 128 bits to 32.
FOLDING uint32_t reduce(__m128i sum, __m128i by16) {
  const __m128i words = _mm_setr_epi32(-1, 0, -1, 0);
  sum = _mm_xor_si128(_mm_srli_si128(sum, 8), _mm_clmulepi64_si128(sum, by16, 0x10));
  __m128i by4 = _mm_set_epi64x(0, 0x0163cd6124);
  sum = _mm_xor_si128(_mm_clmulepi64_si128(_mm_and_si128(sum, words), by4, 0x00), _mm_srli_si128(sum, 4));
  // Barrett: the quotient by the polynomial's inverse, then the quotient times the polynomial is taken off.
  __m128i polynomial = _mm_set_epi64x(0x01f7011641, 0x01db710641);
  __m128i quotient = _mm_clmulepi64_si128(_mm_and_si128(sum, words), polynomial, 0x10);
  quotient = _mm_clmulepi64_si128(_mm_and_si128(quotient, words), polynomial, 0x00);
  return (uint32_t)_mm_extract_epi32(_mm_xor_si128(sum, quotient), 1);
}

__attribute__((target("pclmul,sse4.1"))) static uint32_t crc32_blocks(
    uint32_t crc, const uint8_t *bytes, size_t count) {
  const __m128i by64 = _mm_set_epi64x(0x01c6e41596, 0x0154442bd4);
  const __m128i by16 = _mm_set_epi64x(0x00ccaa009e, 0x01751997d0);
  __m128i a = _mm_xor_si128(load(bytes), _mm_cvtsi32_si128((int)~crc));
  __m128i b = load(bytes + 16), c = load(bytes + 32), d = load(bytes + 48);
  size_t done = 64;
  for (; count - done >= 64; done += 64) {
    a = fold(a, by64, load(bytes + done));
    b = fold(b, by64, load(bytes + done + 16));
    c = fold(c, by64, load(bytes + done + 32));
    d = fold(d, by64, load(bytes + done + 48));
  }
  a = fold(fold(fold(a, by16, b), by16, c), by16, d);
  for (; done < count; done += 16) a = fold(a, by16, load(bytes + done));
  return ~reduce(a, by16);
}

size_t tv_crc32_fold(uint32_t *crc, const uint8_t *bytes, size_t count) {
  if (count < 64 || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("sse4.1")) return 0;
  count -= count % 16;
  *crc = crc32_blocks(*crc, bytes, count);
  return count;
}

#else

size_t tv_crc32_fold(uint32_t *crc, const uint8_t *bytes, size_t count) { return 0; }

#endif
