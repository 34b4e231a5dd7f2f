/* The vector primitives of color_avx512.c: 16 lanes, AVX-512 F, BW, DQ, VL. See simd_pixel.h. */
#ifndef TRTCOLOR_VECTOR_AVX512_H
#define TRTCOLOR_VECTOR_AVX512_H

#include <immintrin.h>
#include <stddef.h>
#include <stdint.h>

#include "segments.h"

enum { LANES = 16, MASKS = 1 };
typedef __m512 vec;
typedef __m512i ints;
typedef __mmask16 mask;

#define INLINE static inline __attribute__((always_inline))

INLINE vec v_set(float x) { return _mm512_set1_ps(x); }
INLINE vec v_load(const float *p) { return _mm512_loadu_ps(p); }
INLINE void v_store(float *p, vec x) { _mm512_storeu_ps(p, x); }
INLINE vec v_add(vec a, vec b) { return _mm512_add_ps(a, b); }
INLINE vec v_sub(vec a, vec b) { return _mm512_sub_ps(a, b); }
INLINE vec v_mul(vec a, vec b) { return _mm512_mul_ps(a, b); }
INLINE vec v_div(vec a, vec b) { return _mm512_div_ps(a, b); }
INLINE vec v_fma(vec a, vec b, vec c) { return _mm512_fmadd_ps(a, b, c); }
INLINE vec v_fnma(vec a, vec b, vec c) { return _mm512_fnmadd_ps(a, b, c); }
INLINE vec v_min(vec a, vec b) { return _mm512_min_ps(a, b); }
INLINE vec v_max(vec a, vec b) { return _mm512_max_ps(a, b); }
INLINE vec v_abs(vec a) { return _mm512_abs_ps(a); }
INLINE mask v_less(vec a, vec b) { return _mm512_cmp_ps_mask(a, b, _CMP_LT_OQ); }
INLINE mask m_and(mask a, mask b) { return (mask)(a & b); }
INLINE mask m_or(mask a, mask b) { return (mask)(a | b); }
INLINE int m_any(mask m) { return m != 0; }
INLINE vec v_select(mask m, vec yes, vec no) { return _mm512_mask_blend_ps(m, no, yes); }

INLINE vec v_mul_where(mask m, vec a, vec b, vec otherwise)
{
    return _mm512_mask_mul_ps(otherwise, m, a, b);
}

/* 1 / x within 2^-14; an infinity for 0. */
INLINE vec v_estimate_reciprocal(vec x) { return _mm512_rcp14_ps(x); }

/* x within -limit..limit, 0 for a NaN. */
INLINE vec v_clean(vec x, float limit)
{
    mask ordered = _mm512_cmp_ps_mask(x, x, _CMP_ORD_Q);
    return _mm512_maskz_range_ps(ordered, x, v_set(limit), 0x2); /* least magnitude, sign of x */
}

#define v_shifted_right(x, count) _mm512_srli_epi32(_mm512_castps_si512(x), (count))

/* table[index's low 5 or 4 bits] */
INLINE vec v_table32(const float *table, ints index)
{
    return _mm512_permutex2var_ps(v_load(table), index, v_load(table + 16));
}

INLINE vec v_table16(const float *table, ints index)
{
    return _mm512_permutexvar_ps(index, v_load(table));
}

/* ---- transfer functions and roots -------------------------------------------------------- */

/* sRGB to linear for codes 0..255, above the knee. Adding 1.5 * 2^23 leaves the rounded number in a
 * float's low bits. */
INLINE vec v_decode_power(vec code)
{
    ints segment = _mm512_castps_si512(v_fma(code, v_set(31.0f / 255.0f), v_set(12582912.0f)));
    vec p = v_fma(v_table32(tc_segments.decode32[3], segment), code,
                  v_table32(tc_segments.decode32[2], segment));
    p = v_fma(p, code, v_table32(tc_segments.decode32[1], segment));
    return v_fma(p, code, v_table32(tc_segments.decode32[0], segment));
}

/* top * 1.055 * x^(1/2.4) + add */
INLINE vec v_encode_power(vec x, int top, float add)
{
    const __m512i mantissa = _mm512_set1_epi32(0x007fffff), one = _mm512_set1_epi32(0x3f800000);
    ints segment = v_shifted_right(x, 18);
    vec m =
        _mm512_castsi512_ps(_mm512_ternarylogic_epi32(_mm512_castps_si512(x), mantissa, one, 0xea));
    vec p = v_fma(v_table32(tc_segments.encode32[2], segment), m,
                  v_table32(tc_segments.encode32[1], segment));
    p = v_fma(p, m, v_table32(tc_segments.encode32[0], segment));
    vec scale = v_table16(tc_segments.encode_scale16[top], v_shifted_right(x, 23));
    return v_fma(p, scale, v_set(add));
}

/* t^(-1/3) within 0.2 %, for t in 2^-7..2 */
INLINE vec v_inverse_cube_root_seed(vec t)
{
    ints segment = v_shifted_right(t, 21);
    return v_fma(v_table32(tc_segments.root32[1], segment), t,
                 v_table32(tc_segments.root32[0], segment));
}

/* ---- samples in memory --------------------------------------------------------------------- */

INLINE ints v_rounded(vec x) { return _mm512_cvtps_epi32(x); }

INLINE vec v_load_u8(const uint8_t *p)
{
    return _mm512_cvtepi32_ps(_mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)p)));
}

INLINE ints v_from_zero(ints x) { return _mm512_max_epi32(x, _mm512_setzero_si512()); }

INLINE void v_store_u8(uint8_t *p, vec x)
{
    _mm_storeu_si128((__m128i *)p, _mm512_cvtusepi32_epi8(v_from_zero(v_rounded(x))));
}

INLINE void v_store_u16(uint16_t *p, vec x)
{
    _mm256_storeu_si256((__m256i *)p, _mm512_cvtusepi32_epi16(v_from_zero(v_rounded(x))));
}

/* Bytes of 4 packed pixels in each 128-bit lane, to and from a channel's int32: 0x80 gives 0. */
#define TC_PICK(first)                                                                             \
    (first), -1, -1, -1, (first) + 3, -1, -1, -1, (first) + 6, -1, -1, -1, (first) + 9, -1, -1, -1
#define TC_EVERY_LANE(bytes) _mm512_broadcast_i32x4(_mm_setr_epi8(bytes))

INLINE void v_load3_u8(const uint8_t *p, vec c[3])
{
    const __m512i spread = _mm512_setr_epi32(0, 1, 2, 0, 3, 4, 5, 0, 6, 7, 8, 0, 9, 10, 11, 0);
    __m512i bytes = _mm512_permutexvar_epi32(spread, _mm512_maskz_loadu_epi32(0x0fff, p));
    c[0] = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(bytes, TC_EVERY_LANE(TC_PICK(0))));
    c[1] = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(bytes, TC_EVERY_LANE(TC_PICK(1))));
    c[2] = _mm512_cvtepi32_ps(_mm512_shuffle_epi8(bytes, TC_EVERY_LANE(TC_PICK(2))));
}

#undef TC_PICK
#undef TC_EVERY_LANE

INLINE void v_store3_u8(uint8_t *p, const vec c[3])
{
    /* a lane's bytes after the two packs: channel 0 of its 4 pixels, then 1, then 2 twice */
    const __m512i interleave =
        _mm512_broadcast_i32x4(_mm_setr_epi8(0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11, -1, -1, -1, -1));
    const __m512i close = _mm512_setr_epi32(0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 3, 7, 11, 15);
    __m512i two = _mm512_packs_epi32(v_rounded(c[0]), v_rounded(c[1]));
    __m512i third = v_rounded(c[2]);
    __m512i bytes = _mm512_packus_epi16(two, _mm512_packs_epi32(third, third));
    bytes = _mm512_permutexvar_epi32(close, _mm512_shuffle_epi8(bytes, interleave));
    _mm512_mask_storeu_epi32(p, 0x0fff, bytes);
}

/* Of the words c0 (0..15), c1 (16..31) and c2 (32..47), the packed pixels' word e is channel e % 3
 * of pixel e / 3. */
INLINE void v_store3_u16(uint16_t *p, const vec c[3])
{
#define TC_WORD(e) ((e) % 3 * 16 + (e) / 3)
#define TC_PAIR(e) (TC_WORD(e) | TC_WORD((e) + 1) << 16)
    const __m512i first =
        _mm512_setr_epi32(TC_PAIR(0), TC_PAIR(2), TC_PAIR(4), TC_PAIR(6), TC_PAIR(8), TC_PAIR(10),
                          TC_PAIR(12), TC_PAIR(14), TC_PAIR(16), TC_PAIR(18), TC_PAIR(20),
                          TC_PAIR(22), TC_PAIR(24), TC_PAIR(26), TC_PAIR(28), TC_PAIR(30));
    const __m512i rest =
        _mm512_setr_epi32(TC_PAIR(32), TC_PAIR(34), TC_PAIR(36), TC_PAIR(38), TC_PAIR(40),
                          TC_PAIR(42), TC_PAIR(44), TC_PAIR(46), 0, 0, 0, 0, 0, 0, 0, 0);
#undef TC_WORD
#undef TC_PAIR
    __m256i words[3];
    for (int i = 0; i < 3; i++)
        words[i] = _mm512_cvtusepi32_epi16(v_from_zero(v_rounded(c[i])));
    __m512i two = _mm512_inserti64x4(_mm512_castsi256_si512(words[0]), words[1], 1);
    __m512i third = _mm512_castsi256_si512(words[2]);
    _mm512_storeu_si512(p, _mm512_permutex2var_epi16(two, first, third));
    _mm256_storeu_si256((__m256i *)(p + 32),
                        _mm512_castsi512_si256(_mm512_permutex2var_epi16(two, rest, third)));
}

/* Three registers of packed pixels hold channel c of pixel i in element 3 i + c. */
INLINE void v_load3(const float *p, vec c[3])
{
    vec one = v_load(p), two = v_load(p + 16), three = v_load(p + 32);
    __m512i from = _mm512_setr_epi32(0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 0, 0, 0, 0, 0);
    __m512i rest = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 4, 7, 10, 13);
    c[0] = _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(one, from, two), 0xf800, rest, three);
    from = _mm512_setr_epi32(1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 0, 0, 0, 0, 0);
    rest = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 5, 8, 11, 14);
    c[1] = _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(one, from, two), 0xf800, rest, three);
    from = _mm512_setr_epi32(2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 0, 0, 0, 0, 0, 0);
    rest = _mm512_setr_epi32(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3, 6, 9, 12, 15);
    c[2] = _mm512_mask_permutexvar_ps(_mm512_permutex2var_ps(one, from, two), 0xfc00, rest, three);
}

INLINE void v_store3(float *p, const vec c[3])
{
    /* element e of the packed pixels is channel e % 3 of pixel e / 3 */
    const __m512i ab0 = _mm512_setr_epi32(0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
    const __m512i c0 = _mm512_setr_epi32(0, 0, 0, 0, 0, 1, 0, 0, 2, 0, 0, 3, 0, 0, 4, 0);
    const __m512i ab1 = _mm512_setr_epi32(21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
    const __m512i c1 = _mm512_setr_epi32(0, 5, 0, 0, 6, 0, 0, 7, 0, 0, 8, 0, 0, 9, 0, 0);
    const __m512i ab2 = _mm512_setr_epi32(0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
    const __m512i c2 = _mm512_setr_epi32(10, 0, 0, 11, 0, 0, 12, 0, 0, 13, 0, 0, 14, 0, 0, 15);
    vec part = _mm512_permutex2var_ps(c[0], ab0, c[1]);
    v_store(p, _mm512_mask_permutexvar_ps(part, 0x4924, c0, c[2]));
    part = _mm512_permutex2var_ps(c[0], ab1, c[1]);
    v_store(p + 16, _mm512_mask_permutexvar_ps(part, 0x2492, c1, c[2]));
    part = _mm512_permutex2var_ps(c[0], ab2, c[1]);
    v_store(p + 32, _mm512_mask_permutexvar_ps(part, 0x9249, c2, c[2]));
}

/* ---- enlarging chroma ---------------------------------------------------------------------- */

/* row[index[i] + offset] for rising indices; row is readable 33 floats past the first of them. */
INLINE vec v_lookup(const float *row, const int32_t *index, int offset)
{
    const float *base = row + index[0] + offset;
    __m512i relative = _mm512_sub_epi32(_mm512_loadu_si512(index), _mm512_set1_epi32(index[0]));
    if (index[LANES - 1] - index[0] < 32)
        return _mm512_permutex2var_ps(v_load(base), relative, v_load(base + 16));
    return _mm512_i32gather_ps(relative, base, 4);
}

/* 2 LANES pixels from LANES samples: x 3/4 + before 1/4, x 3/4 + after 1/4, alternating. */
INLINE void v_double(float *out, const float *row)
{
    const __m512i low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
    const __m512i high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
    vec x = v_load(row), three_quarters = v_mul(x, v_set(0.75f));
    vec even = v_fma(v_load(row - 1), v_set(0.25f), three_quarters);
    vec odd = v_fma(v_load(row + 1), v_set(0.25f), three_quarters);
    v_store(out, _mm512_permutex2var_ps(even, low, odd));
    v_store(out + LANES, _mm512_permutex2var_ps(even, high, odd));
}

/* ---- table of 256 floats ------------------------------------------------------------------- */

/* The whole table in 16 registers: 8 permutations of 32 floats and 7 choices. */
INLINE vec v_table256(const vec part[16], const uint8_t *codes)
{
    __m512i code = _mm512_cvtepu8_epi32(_mm_loadu_si128((const __m128i *)codes));
    mask bit5 = _mm512_test_epi32_mask(code, _mm512_set1_epi32(32));
    mask bit6 = _mm512_test_epi32_mask(code, _mm512_set1_epi32(64));
    mask bit7 = _mm512_test_epi32_mask(code, _mm512_set1_epi32(128));
    vec of[4];
    for (int i = 0; i < 4; i++)
        of[i] = v_select(bit5, _mm512_permutex2var_ps(part[4 * i + 2], code, part[4 * i + 3]),
                         _mm512_permutex2var_ps(part[4 * i], code, part[4 * i + 1]));
    return v_select(bit7, v_select(bit6, of[3], of[2]), v_select(bit6, of[1], of[0]));
}

/* Permutations keep one port busy and loads keep others, so every other vector is looked up in
 * memory. */
INLINE void v_look_up_u8(float *out, const uint8_t *codes, const float *table, ptrdiff_t n)
{
    vec part[16];
    for (int i = 0; i < 16; i++)
        part[i] = v_load(table + 16 * i);
    ptrdiff_t x = 0;
    for (; x + 2 * LANES <= n; x += 2 * LANES) {
        v_store(out + x, v_table256(part, codes + x));
        for (int i = LANES; i < 2 * LANES; i++)
            out[x + i] = table[codes[x + i]];
    }
    for (; x < n; x++)
        out[x] = table[codes[x]];
}

#endif
