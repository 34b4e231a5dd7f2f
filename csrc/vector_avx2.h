/* The vector primitives of color_avx2.c: 8 lanes, AVX2 and FMA. See simd_pixel.h. */
#ifndef TRTCOLOR_VECTOR_AVX2_H
#define TRTCOLOR_VECTOR_AVX2_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "segments.h"

enum { LANES = 8, MASKS = 0 };
typedef __m256 vec;
typedef __m256i ints;
typedef __m256 mask;

#define INLINE static inline __attribute__((always_inline))

INLINE vec v_set(float x) { return _mm256_set1_ps(x); }
INLINE vec v_load(const float *p) { return _mm256_loadu_ps(p); }
INLINE void v_store(float *p, vec x) { _mm256_storeu_ps(p, x); }
INLINE vec v_add(vec a, vec b) { return _mm256_add_ps(a, b); }
INLINE vec v_sub(vec a, vec b) { return _mm256_sub_ps(a, b); }
INLINE vec v_mul(vec a, vec b) { return _mm256_mul_ps(a, b); }
INLINE vec v_div(vec a, vec b) { return _mm256_div_ps(a, b); }
INLINE vec v_fma(vec a, vec b, vec c) { return _mm256_fmadd_ps(a, b, c); }
INLINE vec v_fnma(vec a, vec b, vec c) { return _mm256_fnmadd_ps(a, b, c); }
INLINE vec v_min(vec a, vec b) { return _mm256_min_ps(a, b); }
INLINE vec v_max(vec a, vec b) { return _mm256_max_ps(a, b); }
INLINE vec v_abs(vec a) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), a); }
INLINE mask v_less(vec a, vec b) { return _mm256_cmp_ps(a, b, _CMP_LT_OQ); }
INLINE mask m_and(mask a, mask b) { return _mm256_and_ps(a, b); }
INLINE mask m_or(mask a, mask b) { return _mm256_or_ps(a, b); }
INLINE int m_any(mask m) { return _mm256_movemask_ps(m) != 0; }
INLINE vec v_select(mask m, vec yes, vec no) { return _mm256_blendv_ps(no, yes, m); }

INLINE vec v_mul_where(mask m, vec a, vec b, vec otherwise)
{
    return v_select(m, v_mul(a, b), otherwise);
}

/* 1 / x within 2^-11; an infinity for 0. */
INLINE vec v_estimate_reciprocal(vec x) { return _mm256_rcp_ps(x); }

/* x within -limit..limit, 0 for a NaN. */
INLINE vec v_clean(vec x, float limit)
{
    x = _mm256_and_ps(x, _mm256_cmp_ps(x, x, _CMP_ORD_Q));
    return v_max(v_min(x, v_set(limit)), v_set(-limit));
}

#define v_shifted_right(x, count) _mm256_srli_epi32(_mm256_castps_si256(x), (count))

/* table[index's low 3 bits] */
INLINE vec v_table8(const float *table, ints index)
{
    return _mm256_permutevar8x32_ps(v_load(table), index);
}

/* The bits of x under `keep`, and those of `set`. */
INLINE vec v_with_exponent(vec x, int keep, int set)
{
    __m256i bits = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(keep));
    return _mm256_castsi256_ps(_mm256_or_si256(bits, _mm256_set1_epi32(set)));
}

/* ---- transfer functions and roots -------------------------------------------------------- */

/* sRGB to linear for codes 0..255, above the knee. */
INLINE vec v_decode_power(vec code)
{
    ints segment = v_shifted_right(v_add(code, v_set((float)TC_DECODE_SHIFT)), 22);
    vec p = v_fma(v_table8(tc_segments.decode8[4], segment), code,
                  v_table8(tc_segments.decode8[3], segment));
    p = v_fma(p, code, v_table8(tc_segments.decode8[2], segment));
    p = v_fma(p, code, v_table8(tc_segments.decode8[1], segment));
    return v_fma(p, code, v_table8(tc_segments.decode8[0], segment));
}

/* top * 1.055 * x^(1/2.4) + add */
INLINE vec v_encode_power(vec x, int top, float add)
{
    ints segment = v_shifted_right(x, 21);
    vec m = v_with_exponent(x, 0x00ffffff, 0x3f000000);
    vec p = v_fma(v_table8(tc_segments.encode8[4], segment), m,
                  v_table8(tc_segments.encode8[3], segment));
    p = v_fma(p, m, v_table8(tc_segments.encode8[2], segment));
    p = v_fma(p, m, v_table8(tc_segments.encode8[1], segment));
    p = v_fma(p, m, v_table8(tc_segments.encode8[0], segment));
    vec scale = v_table8(tc_segments.encode_scale8[top], v_shifted_right(x, 24));
    return v_fma(p, scale, v_set(add));
}

/* t^(-1/3) within 0.2 %, for t in 2^-7..2 */
INLINE vec v_inverse_cube_root_seed(vec t)
{
    ints segment = v_shifted_right(t, 20);
    vec m = v_with_exponent(t, 0x007fffff, 0x3f800000);
    vec seed =
        v_fma(v_table8(tc_segments.root8[1], segment), m, v_table8(tc_segments.root8[0], segment));
    return v_mul(seed, v_table8(tc_segments.root_scale8, v_shifted_right(t, 23)));
}

/* ---- samples in memory --------------------------------------------------------------------- */

INLINE ints v_rounded(vec x) { return _mm256_cvtps_epi32(x); }

INLINE vec v_load_u8(const uint8_t *p)
{
    return _mm256_cvtepi32_ps(_mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)p)));
}

/* Eight int32 as uint16, saturated. */
INLINE __m128i narrow(ints x)
{
    return _mm_packus_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
}

INLINE void v_store_u16(uint16_t *p, vec x)
{
    _mm_storeu_si128((__m128i *)p, narrow(v_rounded(x)));
}

INLINE void v_store_u8(uint8_t *p, vec x)
{
    ints n = v_rounded(x);
    __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(n), _mm256_extracti128_si256(n, 1));
    _mm_storel_epi64((__m128i *)p, _mm_packus_epi16(words, words));
}

/* The bytes of one channel of 4 packed pixels, from byte `first` on, as int32: -1 gives 0. */
#define TC_PICK(first)                                                                             \
    (first), -1, -1, -1, (first) + 3, -1, -1, -1, (first) + 6, -1, -1, -1, (first) + 9, -1, -1, -1

/* 24 bytes: pixels 0..3 are bytes 0..11 of the first load, 4..7 are bytes 4..15 of the second. */
INLINE void v_load3_u8(const uint8_t *p, vec c[3])
{
    __m256i bytes =
        _mm256_inserti128_si256(_mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)p)),
                                _mm_loadu_si128((const __m128i *)(p + 8)), 1);
    c[0] = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, _mm256_setr_epi8(TC_PICK(0), TC_PICK(4))));
    c[1] = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, _mm256_setr_epi8(TC_PICK(1), TC_PICK(5))));
    c[2] = _mm256_cvtepi32_ps(_mm256_shuffle_epi8(bytes, _mm256_setr_epi8(TC_PICK(2), TC_PICK(6))));
}

#undef TC_PICK

INLINE void v_store3_u8(uint8_t *p, const vec c[3])
{
    /* a lane's bytes after the two packs: channel 0 of its 4 pixels, then 1, then 2 twice */
    const __m256i interleave = _mm256_broadcastsi128_si256(
        _mm_setr_epi8(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1));
    const __m256i close = _mm256_setr_epi32(0, 1, 2, 4, 5, 6, 3, 7);
    __m256i two = _mm256_packs_epi32(v_rounded(c[0]), v_rounded(c[1]));
    __m256i third = v_rounded(c[2]);
    __m256i bytes = _mm256_packus_epi16(two, _mm256_packs_epi32(third, third));
    bytes = _mm256_permutevar8x32_epi32(_mm256_shuffle_epi8(bytes, interleave), close);
    _mm_storeu_si128((__m128i *)p, _mm256_castsi256_si128(bytes));
    _mm_storel_epi64((__m128i *)(p + 16), _mm256_extracti128_si256(bytes, 1));
}

/* Word i of a register, or a 0. */
#define TC_WORD(i) (i) < 0 ? -1 : 2 * (i), (i) < 0 ? -1 : 2 * (i) + 1
#define TC_WORDS(a, b, c, d, e, f, g, h)                                                           \
    _mm_setr_epi8(TC_WORD(a), TC_WORD(b), TC_WORD(c), TC_WORD(d), TC_WORD(e), TC_WORD(f),          \
                  TC_WORD(g), TC_WORD(h))

INLINE void v_store3_u16(uint16_t *p, const vec c[3])
{
    const __m128i spread[3][3] = {
        {TC_WORDS(0, -1, -1, 1, -1, -1, 2, -1), TC_WORDS(-1, 0, -1, -1, 1, -1, -1, 2),
         TC_WORDS(-1, -1, 0, -1, -1, 1, -1, -1)},
        {TC_WORDS(-1, 3, -1, -1, 4, -1, -1, 5), TC_WORDS(-1, -1, 3, -1, -1, 4, -1, -1),
         TC_WORDS(2, -1, -1, 3, -1, -1, 4, -1)},
        {TC_WORDS(-1, -1, 6, -1, -1, 7, -1, -1), TC_WORDS(5, -1, -1, 6, -1, -1, 7, -1),
         TC_WORDS(-1, 5, -1, -1, 6, -1, -1, 7)},
    };
    const __m128i red = narrow(v_rounded(c[0])), green = narrow(v_rounded(c[1]));
    const __m128i blue = narrow(v_rounded(c[2]));
    for (int i = 0; i < 3; i++)
        _mm_storeu_si128((__m128i *)(p + 8 * i),
                         _mm_or_si128(_mm_shuffle_epi8(red, spread[i][0]),
                                      _mm_or_si128(_mm_shuffle_epi8(green, spread[i][1]),
                                                   _mm_shuffle_epi8(blue, spread[i][2]))));
}

#undef TC_WORD
#undef TC_WORDS

/* Four pixels in each 128-bit lane: a = xyzx, b = yzxy, c = zxyz. */
INLINE void v_load3(const float *p, vec c[3])
{
    vec one =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p)), _mm_loadu_ps(p + 12), 1);
    vec two =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 4)), _mm_loadu_ps(p + 16), 1);
    vec three =
        _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(p + 8)), _mm_loadu_ps(p + 20), 1);
    vec xy = _mm256_shuffle_ps(two, three, _MM_SHUFFLE(2, 1, 3, 2));
    vec yz = _mm256_shuffle_ps(one, two, _MM_SHUFFLE(1, 0, 2, 1));
    c[0] = _mm256_shuffle_ps(one, xy, _MM_SHUFFLE(2, 0, 3, 0));
    c[1] = _mm256_shuffle_ps(yz, xy, _MM_SHUFFLE(3, 1, 2, 0));
    c[2] = _mm256_shuffle_ps(yz, three, _MM_SHUFFLE(3, 0, 3, 1));
}

INLINE void v_store3(float *p, const vec c[3])
{
    vec xy = _mm256_shuffle_ps(c[0], c[1], _MM_SHUFFLE(2, 0, 2, 0));
    vec yz = _mm256_shuffle_ps(c[1], c[2], _MM_SHUFFLE(3, 1, 3, 1));
    vec zx = _mm256_shuffle_ps(c[2], c[0], _MM_SHUFFLE(3, 1, 2, 0));
    vec one = _mm256_shuffle_ps(xy, zx, _MM_SHUFFLE(2, 0, 2, 0));
    vec two = _mm256_shuffle_ps(yz, xy, _MM_SHUFFLE(3, 1, 2, 0));
    vec three = _mm256_shuffle_ps(zx, yz, _MM_SHUFFLE(3, 1, 3, 1));
    v_store(p, _mm256_permute2f128_ps(one, two, 0x20));
    v_store(p + 8, _mm256_permute2f128_ps(three, one, 0x30));
    v_store(p + 16, _mm256_permute2f128_ps(two, three, 0x31));
}

/* ---- enlarging chroma ---------------------------------------------------------------------- */

/* row[index[i] + offset] for rising indices; row is readable 9 floats past the first of them. */
INLINE vec v_lookup(const float *row, const int32_t *index, int offset)
{
    const float *base = row + index[0] + offset;
    __m256i relative =
        _mm256_sub_epi32(_mm256_loadu_si256((const __m256i *)index), _mm256_set1_epi32(index[0]));
    if (index[LANES - 1] - index[0] < 8)
        return _mm256_permutevar8x32_ps(v_load(base), relative);
    return _mm256_i32gather_ps(base, relative, 4);
}

/* 2 LANES pixels from LANES samples: x 3/4 + before 1/4, x 3/4 + after 1/4, alternating. */
INLINE void v_double(float *out, const float *row)
{
    vec x = v_load(row), three_quarters = v_mul(x, v_set(0.75f));
    vec even = v_fma(v_load(row - 1), v_set(0.25f), three_quarters);
    vec odd = v_fma(v_load(row + 1), v_set(0.25f), three_quarters);
    vec low = _mm256_unpacklo_ps(even, odd), high = _mm256_unpackhi_ps(even, odd);
    v_store(out, _mm256_permute2f128_ps(low, high, 0x20));
    v_store(out + LANES, _mm256_permute2f128_ps(low, high, 0x31));
}

/* ---- table of 256 floats ------------------------------------------------------------------- */

INLINE void v_look_up_u8(float *out, const uint8_t *codes, const float *table, ptrdiff_t n)
{
    ptrdiff_t x = 0;
    for (; x + 8 <= n; x += 8) {
        uint64_t eight;
        memcpy(&eight, codes + x, sizeof eight);
        for (int i = 0; i < 8; i++, eight >>= 8)
            out[x + i] = table[eight & 255];
    }
    for (; x < n; x++)
        out[x] = table[codes[x]];
}

#endif
