/* The scalar reference: CIELUV. */
#include "luv.h"

#include "scalar.h"

/* ---- from linear RGB ------------------------------------------------------------------------ */

static inline void store_luv(float *luv, ptrdiff_t channel, linear_rgb c)
{
    float l = lightness_from_luminance(luminance(c));
    float d = (float)TC_D_FROM(R) * c.r + (float)TC_D_FROM(G) * c.g + (float)TC_D_FROM(B) * c.b;
    float u = (float)TC_U_FROM(R) * c.r + (float)TC_U_FROM(G) * c.g + (float)TC_U_FROM(B) * c.b;
    float v = (float)TC_V_FROM(R) * c.r + (float)TC_V_FROM(G) * c.g + (float)TC_V_FROM(B) * c.b;
    float scale = d > 0.0f ? 13.0f * l / d : 0.0f;
    luv[0] = l;
    luv[channel] = scale * u;
    luv[2 * channel] = scale * v;
}

void tc_luv_from_rgb_u8_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_luv(f32_out(c, y, x), c->out_stride.channel,
                  load_u8(u8_in(c, y, x), c->in_stride.channel));
}

void tc_luv_from_rgb_f32_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_luv(f32_out(c, y, x), c->out_stride.channel,
                  load_f32(f32_in(c, y, x), c->in_stride.channel));
}

/* ---- to linear RGB -------------------------------------------------------------------------- */

/* The greatest share of d and v* that keeps 0 <= y (n + share d) / (n + 4 share v) <= 1. Both are
 * linear in the share, so it is solved, not searched. */
static inline float share_that_fits(float share, float y, float n, float d, float v)
{
    float over = y * d - 4.0f * v, room = y < 1.0f ? n * (1.0f - y) : 0.0f;
    if (n + share * d < 0.0f)
        share = -n / d;
    if (share * over > room)
        share = room / over;
    return share;
}

static inline float luminance_from_lightness(float l)
{
    return l > (float)TC_LUV_KNEE ? cie_f_inverse((l + 16.0f) * (1.0f / 116.0f))
                                  : (float)TC_LUV_SLOPE * l;
}

/* From clamped L*, u*, v*; the result is not yet clipped. */
static inline linear_rgb linear_from_luv(float l, float u, float v, int gamut)
{
    if (l < (float)TC_LUV_BLACK)
        return (linear_rgb){0.0f, 0.0f, 0.0f};
    if (gamut == TC_GAMUT_REDUCE)
        l = clamp_lightness(l);
    else if (v < (float)TC_LUV_LEAST_V * l)
        v = (float)TC_LUV_LEAST_V * l;
    float y = luminance_from_lightness(l), n = (float)(52.0 * TC_V_N) * l;
    linear_rgb d = {
        (float)TC_D_FROM_U(R) * u + (float)TC_D_FROM_V(R) * v,
        (float)TC_D_FROM_U(G) * u + (float)TC_D_FROM_V(G) * v,
        (float)TC_D_FROM_U(B) * u + (float)TC_D_FROM_V(B) * v,
    };
    float share = 1.0f;
    if (gamut == TC_GAMUT_REDUCE) {
        share = share_that_fits(share, y, n, d.r, v);
        share = share_that_fits(share, y, n, d.g, v);
        share = share_that_fits(share, y, n, d.b, v);
    }
    float scale = y / (n + share * 4.0f * v);
    return (linear_rgb){scale * (n + share * d.r), scale * (n + share * d.g),
                        scale * (n + share * d.b)};
}

static inline linear_rgb load_luv(const tc_conversion *c, ptrdiff_t y, ptrdiff_t x)
{
    const float *luv = f32_in(c, y, x);
    return linear_from_luv(clamp_lab(luv[0]), clamp_lab(luv[c->in_stride.channel]),
                           clamp_lab(luv[2 * c->in_stride.channel]), c->gamut);
}

void tc_rgb_u8_from_luv_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_u8(u8_out(c, y, x), c->out_stride.channel, load_luv(c, y, x));
}

void tc_rgb_f32_from_luv_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *c = job;
    TC_EACH_PIXEL (c)
        store_f32(f32_out(c, y, x), c->out_stride.channel, load_luv(c, y, x));
}
