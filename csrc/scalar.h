/* The arithmetic of the scalar reference, one number and one pixel at a time. */
#ifndef TRTCOLOR_SCALAR_H
#define TRTCOLOR_SCALAR_H

#include "color.h"
#include "tables.h"

#include <math.h>

/* ---- one number ---------------------------------------------------------------------------- */

/* Written so that a NaN fails the first comparison and becomes 0. */
static inline float clamp_unit(float x) { return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f; }

/* Of L*, a*, b*, u* or v*. */
static inline float clamp_lab(float x)
{
    if (x != x)
        return 0.0f;
    return x > 1000.0f ? 1000.0f : x < -1000.0f ? -1000.0f : x;
}

static inline float clamp_lightness(float l) { return l > 0.0f ? (l < 100.0f ? l : 100.0f) : 0.0f; }

/* Cube root of a normal x > 0, within 1 ulp or so. The seed of x^(-1/3) from the float's bits is
 * within 3.5 %; a fourth-order step leaves 2e-5; one Newton step on the root itself leaves the
 * rounding. */
static inline float cube_root(float x)
{
    float r = float_from_bits(0x54a22eca - bits_from_float(x) / 3);
    float e = 1.0f - x * r * r * r;
    r += r * e * (1.0f / 3.0f + e * (2.0f / 9.0f + e * (14.0f / 81.0f)));
    float root = x * r * r;
    return root + (x - root * root * root) * (r * r) * (1.0f / 3.0f);
}

/* sRGB to linear for 0..1. x^2.4 = (x * x^(-1/5))^3, the fifth root found as above. */
static inline float decode(float coded)
{
    if (coded <= (float)TC_SRGB_CODED_KNEE)
        return coded * (float)(1.0 / TC_SRGB_SLOPE);
    float x = (coded + (float)TC_SRGB_OFFSET) * (float)(1.0 / (1.0 + TC_SRGB_OFFSET));
    float r = float_from_bits(0x4c2ba983 - bits_from_float(x) / 5);
    float e = 1.0f - x * (r * r) * (r * r) * r;
    r += r * e * (1.0f / 5.0f + e * (3.0f / 25.0f + e * (11.0f / 125.0f)));
    e = 1.0f - x * (r * r) * (r * r) * r;
    r += r * e * (1.0f / 5.0f);
    float root = x * r;
    return root * root * root;
}

/* Linear to sRGB for any float; what is outside 0..1 is clipped. x^(1/2.4) = c * c^(1/4) with c the
 * cube root. */
static inline float encode_f32(float linear)
{
    linear = clamp_unit(linear);
    if (linear <= (float)TC_SRGB_LINEAR_KNEE)
        return linear * (float)TC_SRGB_SLOPE;
    float root = cube_root(linear);
    float power = root * sqrtf(sqrtf(root));
    return clamp_unit((float)(1.0 + TC_SRGB_OFFSET) * power - (float)TC_SRGB_OFFSET);
}

static inline uint8_t encode_u8(float linear)
{
    if (!(linear >= tc_encode_threshold[1]))
        return 0;
    if (linear >= 1.0f)
        return 255;
    int code = tc_encode_start[(bits_from_float(linear) - TC_ENCODE_FIRST_BITS) >> TC_ENCODE_SHIFT];
    return (uint8_t)(code + (linear >= tc_encode_threshold[code + 1]));
}

static inline uint16_t encode_u16(float linear)
{
    return (uint16_t)(encode_f32(linear) * 65535.0f + 0.5f);
}

static inline float cie_f(float t)
{
    return t > (float)TC_F_KNEE_CUBED ? cube_root(t) : (float)TC_F_SLOPE * t + (float)TC_F_OFFSET;
}

static inline float cie_f_inverse(float f)
{
    return f > (float)TC_F_KNEE ? f * f * f : (float)(1.0 / TC_F_SLOPE) * (f - (float)TC_F_OFFSET);
}

static inline float cie_f_inverse_slope(float f)
{
    return f > (float)TC_F_KNEE ? 3.0f * f * f : (float)(1.0 / TC_F_SLOPE);
}

static inline float lightness_from_luminance(float y) { return 116.0f * cie_f(y) - 16.0f; }

static inline float lesser(float a, float b) { return a < b ? a : b; /* b, if one is a NaN */ }

static inline float greater(float a, float b) { return a > b ? a : b; }

/* ---- one pixel ----------------------------------------------------------------------------- */

typedef struct {
    float r, g, b;
} linear_rgb;

static inline linear_rgb load_u8(const uint8_t *rgb, ptrdiff_t channel)
{
    return (linear_rgb){tc_decode_u8[rgb[0]], tc_decode_u8[rgb[channel]],
                        tc_decode_u8[rgb[2 * channel]]};
}

static inline linear_rgb load_f32(const float *rgb, ptrdiff_t channel)
{
    return (linear_rgb){decode(clamp_unit(rgb[0])), decode(clamp_unit(rgb[channel])),
                        decode(clamp_unit(rgb[2 * channel]))};
}

static inline void store_u8(uint8_t *rgb, ptrdiff_t channel, linear_rgb c)
{
    rgb[0] = encode_u8(c.r);
    rgb[channel] = encode_u8(c.g);
    rgb[2 * channel] = encode_u8(c.b);
}

static inline void store_u16(uint16_t *rgb, ptrdiff_t channel, linear_rgb c)
{
    rgb[0] = encode_u16(c.r);
    rgb[channel] = encode_u16(c.g);
    rgb[2 * channel] = encode_u16(c.b);
}

static inline void store_f32(float *rgb, ptrdiff_t channel, linear_rgb c)
{
    rgb[0] = encode_f32(c.r);
    rgb[channel] = encode_f32(c.g);
    rgb[2 * channel] = encode_f32(c.b);
}

static inline float luminance(linear_rgb c)
{
    return (float)TC_Y_FROM_R * c.r + (float)TC_Y_FROM_G * c.g + (float)TC_Y_FROM_B * c.b;
}

static inline void store_lab(float *lab, ptrdiff_t channel, linear_rgb c)
{
    float x = (float)TC_X_FROM_R * c.r + (float)TC_X_FROM_G * c.g + (float)TC_X_FROM_B * c.b;
    float z = (float)TC_Z_FROM_R * c.r + (float)TC_Z_FROM_G * c.g + (float)TC_Z_FROM_B * c.b;
    float fx = cie_f(x), fy = cie_f(luminance(c)), fz = cie_f(z);
    lab[0] = 116.0f * fy - 16.0f;
    lab[channel] = 500.0f * (fx - fy);
    lab[2 * channel] = 200.0f * (fy - fz);
}

static inline linear_rgb linear_from_f(float fx, float fy, float fz)
{
    float x = cie_f_inverse(fx), y = cie_f_inverse(fy), z = cie_f_inverse(fz);
    return (linear_rgb){
        (float)TC_R_FROM_X * x + (float)TC_R_FROM_Y * y + (float)TC_R_FROM_Z * z,
        (float)TC_G_FROM_X * x + (float)TC_G_FROM_Y * y + (float)TC_G_FROM_Z * z,
        (float)TC_B_FROM_X * x + (float)TC_B_FROM_Y * y + (float)TC_B_FROM_Z * z,
    };
}

/* The tolerance covers the rounding of the matrix, so that colours on the gamut's faces (a uint8
 * picture has many) are left alone. */
static inline int in_gamut(linear_rgb c)
{
    const float middle = 0.5f, reach = 0.5f + 2e-6f;
    return (fabsf(c.r - middle) <= reach) & (fabsf(c.g - middle) <= reach) &
           (fabsf(c.b - middle) <= reach);
}

/* ---- the pixels of a tc_conversion --------------------------------------------------------- */

#define TC_EACH_PIXEL(conversion)                                                                  \
    for (ptrdiff_t y = first; y < last; y++)                                                       \
        for (ptrdiff_t x = 0; x < (conversion)->width; x++)

static inline ptrdiff_t offset_of(tc_stride stride, ptrdiff_t y, ptrdiff_t x)
{
    return y * stride.row + x * stride.pixel;
}

static inline const uint8_t *u8_in(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    return (const uint8_t *)c->in + offset_of(c->in_stride, y, x);
}

static inline const uint16_t *u16_in(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    return (const uint16_t *)c->in + offset_of(c->in_stride, y, x);
}

static inline const float *f32_in(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    return (const float *)c->in + offset_of(c->in_stride, y, x);
}

static inline uint8_t *u8_out(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    return (uint8_t *)c->out + offset_of(c->out_stride, y, x);
}

static inline float *f32_out(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    return (float *)c->out + offset_of(c->out_stride, y, x);
}

#endif
