/* The vector primitives of color_neon.c: 4 lanes, AArch64's NEON. See simd_pixel.h.
 *
 * Looking up a float in a table takes several instructions here, so the curves are computed as in
 * scalar.h, with roots instead of polynomials.
 */
#ifndef TRTCOLOR_VECTOR_NEON_H
#define TRTCOLOR_VECTOR_NEON_H

#include <arm_neon.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "color.h"
#include "segments.h"

enum { LANES = 4, MASKS = 0 };
typedef float32x4_t vec;
typedef uint32x4_t ints;
typedef uint32x4_t mask;

#define INLINE static inline __attribute__((always_inline))

INLINE vec v_set(float x) { return vdupq_n_f32(x); }
INLINE vec v_load(const float *p) { return vld1q_f32(p); }
INLINE void v_store(float *p, vec x) { vst1q_f32(p, x); }
INLINE vec v_add(vec a, vec b) { return vaddq_f32(a, b); }
INLINE vec v_sub(vec a, vec b) { return vsubq_f32(a, b); }
INLINE vec v_mul(vec a, vec b) { return vmulq_f32(a, b); }
INLINE vec v_div(vec a, vec b) { return vdivq_f32(a, b); }
INLINE vec v_fma(vec a, vec b, vec c) { return vfmaq_f32(c, a, b); }
INLINE vec v_fnma(vec a, vec b, vec c) { return vfmsq_f32(c, a, b); }
INLINE vec v_min(vec a, vec b) { return vminnmq_f32(a, b); } /* the number, if the other is a NaN */
INLINE vec v_max(vec a, vec b) { return vmaxnmq_f32(a, b); }
INLINE vec v_abs(vec a) { return vabsq_f32(a); }
INLINE mask v_less(vec a, vec b) { return vcltq_f32(a, b); }
INLINE mask m_and(mask a, mask b) { return vandq_u32(a, b); }
INLINE mask m_or(mask a, mask b) { return vorrq_u32(a, b); }
INLINE int m_any(mask m) { return vmaxvq_u32(m) != 0; }
INLINE vec v_select(mask m, vec yes, vec no) { return vbslq_f32(m, yes, no); }

INLINE vec v_mul_where(mask m, vec a, vec b, vec otherwise)
{
    return v_select(m, v_mul(a, b), otherwise);
}

/* 1 / x within 2^-12; an infinity for 0. */
INLINE vec v_estimate_reciprocal(vec x)
{
    vec r = vrecpeq_f32(x);
    return v_mul(r, vrecpsq_f32(x, r));
}

/* x within -limit..limit, 0 for a NaN. */
INLINE vec v_clean(vec x, float limit)
{
    x = vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_f32(x), vceqq_f32(x, x)));
    return v_max(v_min(x, v_set(limit)), v_set(-limit));
}

/* ---- transfer functions and roots -------------------------------------------------------- */

/* A float's bits are close to its logarithm: constant - bits / n is close to x^(-1/n). */
INLINE vec v_inverse_root_seed(vec x, float constant, float n)
{
    vec bits = vcvtq_f32_u32(vreinterpretq_u32_f32(x));
    return vreinterpretq_f32_u32(vcvtq_u32_f32(v_fnma(bits, v_set(1.0f / n), v_set(constant))));
}

/* t^(-1/3) within 0.2 %, for any normal t */
INLINE vec v_inverse_cube_root_seed(vec t)
{
    vec r = v_inverse_root_seed(t, (float)0x54a22eca, 3.0f);
    vec e = v_fnma(v_mul(v_mul(t, r), r), r, v_set(1.0f));
    return v_fma(v_mul(r, e), v_fma(e, v_set(2.0f / 9.0f), v_set(1.0f / 3.0f)), r);
}

/* sRGB to linear for codes 0..255, above the knee: x^2.4 = (x x^(-1/5))^3. */
INLINE vec v_decode_power(vec code)
{
    const double unit = 1.0 + TC_SRGB_OFFSET;
    vec x =
        v_fma(code, v_set((float)(1.0 / (255.0 * unit))), v_set((float)(TC_SRGB_OFFSET / unit)));
    vec r = v_inverse_root_seed(x, (float)0x4c2ba983, 5.0f);
    for (int i = 0; i < 2; i++) {
        vec squared = v_mul(r, r);
        vec e = v_fnma(v_mul(v_mul(x, squared), squared), r, v_set(1.0f));
        vec p = v_fma(e, v_fma(e, v_set(11.0f / 125.0f), v_set(3.0f / 25.0f)), v_set(1.0f / 5.0f));
        r = v_fma(v_mul(r, e), p, r);
    }
    vec root = v_mul(x, r);
    return v_mul(v_mul(root, root), root);
}

INLINE vec cube_root(vec t);

/* top * 1.055 * x^(1/2.4) + add, where x^(1/2.4) = c c^(1/4) with c the cube root */
INLINE vec v_encode_power(vec x, int top, float add)
{
    const double most = top == TC_TOP_1 ? 1.0 : top == TC_TOP_255 ? 255.0 : 65535.0;
    vec root = cube_root(x);
    return v_fma(v_mul(root, vsqrtq_f32(vsqrtq_f32(root))),
                 v_set((float)(most * (1.0 + TC_SRGB_OFFSET))), v_set(add));
}

/* ---- samples in memory --------------------------------------------------------------------- */

INLINE ints v_rounded(vec x) { return vcvtnq_u32_f32(x); } /* from 0 */

INLINE vec v_load_u8(const uint8_t *p)
{
    uint32_t four;
    memcpy(&four, p, sizeof four);
    uint16x8_t words = vmovl_u8(vcreate_u8(four));
    return vcvtq_f32_u32(vmovl_u16(vget_low_u16(words)));
}

INLINE void v_store_u16(uint16_t *p, vec x) { vst1_u16(p, vqmovn_u32(v_rounded(x))); }

INLINE void v_store_u8(uint8_t *p, vec x)
{
    uint16x4_t words = vqmovn_u32(v_rounded(x));
    uint32_t four = vget_lane_u32(vreinterpret_u32_u8(vqmovn_u16(vcombine_u16(words, words))), 0);
    memcpy(p, &four, sizeof four);
}

/* 255 is beyond the table and gives 0. */
#define TC_PICK(first)                                                                             \
    {                                                                                              \
        (first), 255, 255, 255, (first) + 3, 255, 255, 255, (first) + 6, 255, 255, 255,            \
            (first) + 9, 255, 255, 255                                                             \
    }

INLINE vec v_picked(uint8x16_t bytes, const uint8_t *pick)
{
    return vcvtq_f32_u32(vreinterpretq_u32_u8(vqtbl1q_u8(bytes, vld1q_u8(pick))));
}

INLINE void v_load3_u8(const uint8_t *p, vec c[3])
{
    static const uint8_t pick[3][16] = {TC_PICK(0), TC_PICK(1), TC_PICK(2)};
    uint8_t twelve[16] = {0};
    memcpy(twelve, p, 12);
    uint8x16_t bytes = vld1q_u8(twelve);
    for (int i = 0; i < 3; i++)
        c[i] = v_picked(bytes, pick[i]);
}

#undef TC_PICK

INLINE void v_store3_u8(uint8_t *p, const vec c[3])
{
    /* the bytes after narrowing: channel 0 of 4 pixels, then 1, then 2, then 2 again */
    static const uint8_t interleave[16] = {0,  4, 8, 1,  5,   9,   2,   6,
                                           10, 3, 7, 11, 255, 255, 255, 255};
    uint16x8_t two = vcombine_u16(vqmovn_u32(v_rounded(c[0])), vqmovn_u32(v_rounded(c[1])));
    uint16x4_t third = vqmovn_u32(v_rounded(c[2]));
    uint8x16_t bytes = vcombine_u8(vqmovn_u16(two), vqmovn_u16(vcombine_u16(third, third)));
    bytes = vqtbl1q_u8(bytes, vld1q_u8(interleave));
    vst1_u8(p, vget_low_u8(bytes));
    uint32_t rest = vgetq_lane_u32(vreinterpretq_u32_u8(bytes), 2);
    memcpy(p + 8, &rest, sizeof rest);
}

INLINE void v_store3_u16(uint16_t *p, const vec c[3])
{
    uint16x4x3_t pixels = {
        {vqmovn_u32(v_rounded(c[0])), vqmovn_u32(v_rounded(c[1])), vqmovn_u32(v_rounded(c[2]))}};
    vst3_u16(p, pixels);
}

INLINE void v_load3(const float *p, vec c[3])
{
    float32x4x3_t pixels = vld3q_f32(p);
    for (int i = 0; i < 3; i++)
        c[i] = pixels.val[i];
}

INLINE void v_store3(float *p, const vec c[3])
{
    float32x4x3_t pixels = {{c[0], c[1], c[2]}};
    vst3q_f32(p, pixels);
}

/* ---- enlarging chroma ---------------------------------------------------------------------- */

/* row[index[i] + offset] */
INLINE vec v_lookup(const float *row, const int32_t *index, int offset)
{
    float x[LANES];
    for (int i = 0; i < LANES; i++)
        x[i] = row[index[i] + offset];
    return v_load(x);
}

/* 2 LANES pixels from LANES samples: x 3/4 + before 1/4, x 3/4 + after 1/4, alternating. */
INLINE void v_double(float *out, const float *row)
{
    vec x = v_load(row), three_quarters = v_mul(x, v_set(0.75f));
    vec even = v_fma(v_load(row - 1), v_set(0.25f), three_quarters);
    vec odd = v_fma(v_load(row + 1), v_set(0.25f), three_quarters);
    float32x4x2_t pixels = {{even, odd}};
    vst2q_f32(out, pixels);
}

/* ---- table of 256 floats ------------------------------------------------------------------- */

INLINE void v_look_up_u8(float *out, const uint8_t *codes, const float *table, ptrdiff_t n)
{
    for (ptrdiff_t x = 0; x < n; x++)
        out[x] = table[codes[x]];
}

#endif
