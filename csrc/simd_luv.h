/* One vector of pixels: CIELUV as luv.c has it. */
#ifndef TRTCOLOR_SIMD_LUV_H
#define TRTCOLOR_SIMD_LUV_H

#include "luv.h"
#include "simd_pixel.h"

INLINE void luv_from_linear(vec luv[3], const vec rgb[3])
{
    vec d = weighted(TC_D_FROM(R), TC_D_FROM(G), TC_D_FROM(B), rgb[0], rgb[1], rgb[2]);
    vec u = weighted(TC_U_FROM(R), TC_U_FROM(G), TC_U_FROM(B), rgb[0], rgb[1], rgb[2]);
    vec v = weighted(TC_V_FROM(R), TC_V_FROM(G), TC_V_FROM(B), rgb[0], rgb[1], rgb[2]);
    luv[0] = lightness_from_f(cie_f(luminance(rgb)));
    vec scale = v_div(v_mul(luv[0], v_set(13.0f)), v_max(d, v_set(1e-30f))); /* black: 0 / 1e-30 */
    luv[1] = v_mul(scale, u);
    luv[2] = v_mul(scale, v);
}

/* What R, G and B have in common, for a clean L*, u*, v*: see luv.h. */
typedef struct {
    vec y, n, v, d[3];
} luv_terms;

INLINE vec luminance_from_lightness(vec l)
{
    return v_select(v_less(v_set((float)TC_LUV_KNEE), l), cie_f_inverse(f_from_lightness(l)),
                    v_mul(l, v_set((float)TC_LUV_SLOPE)));
}

INLINE luv_terms terms_of_luv(vec l, vec u, vec v)
{
    luv_terms t = {.y = luminance_from_lightness(l),
                   .n = v_mul(l, v_set((float)(52.0 * TC_V_N))),
                   .v = v};
    t.d[0] = v_fma(u, v_set((float)TC_D_FROM_U(R)), v_mul(v, v_set((float)TC_D_FROM_V(R))));
    t.d[1] = v_fma(u, v_set((float)TC_D_FROM_U(G)), v_mul(v, v_set((float)TC_D_FROM_V(G))));
    t.d[2] = v_fma(u, v_set((float)TC_D_FROM_U(B)), v_mul(v, v_set((float)TC_D_FROM_V(B))));
    return t;
}

/* With this share of u* and v*. */
INLINE void linear_from_terms(vec rgb[3], const luv_terms *t, vec share, vec l)
{
    vec scale = v_div(t->y, v_fma(share, v_mul(t->v, v_set(4.0f)), t->n));
    for (int i = 0; i < 3; i++) {
        vec channel = v_mul(scale, v_fma(share, t->d[i], t->n));
        rgb[i] = v_select(v_less(l, v_set((float)TC_LUV_BLACK)), v_set(0.0f), channel);
    }
}

/* Not yet clipped. */
INLINE void linear_from_luv(vec rgb[3], const vec luv[3])
{
    vec v = v_max(luv[2], v_mul(luv[0], v_set((float)TC_LUV_LEAST_V)));
    luv_terms t = terms_of_luv(luv[0], luv[1], v);
    linear_from_terms(rgb, &t, v_set(1.0f), luv[0]);
}

/* The greatest share that keeps a channel in 0..1. */
INLINE vec share_that_fits(vec share, const luv_terms *t, vec d)
{
    vec over = v_fma(t->y, d, v_mul(t->v, v_set(-4.0f)));
    vec room = v_max(v_mul(t->n, v_sub(v_set(1.0f), t->y)), v_set(0.0f));
    mask below = v_less(v_fma(share, d, t->n), v_set(0.0f));
    share = v_select(below, v_div(t->n, v_sub(v_set(0.0f), d)), share);
    return v_select(v_less(room, v_mul(share, over)), v_div(room, over), share);
}

/* L* clamped to 0..100 and u*v* scaled toward 0 until it fits, where it does not. */
static __attribute__((noinline)) void reduce_luv(vec rgb[3], const vec luv[3], mask where)
{
    vec l = v_min(v_max(luv[0], v_set(0.0f)), v_set(100.0f));
    luv_terms t = terms_of_luv(l, luv[1], luv[2]);
    vec share = v_set(1.0f);
    for (int i = 0; i < 3; i++)
        share = share_that_fits(share, &t, t.d[i]);
    vec reduced[3];
    linear_from_terms(reduced, &t, share, l);
    for (int i = 0; i < 3; i++)
        rgb[i] = v_select(where, reduced[i], rgb[i]);
}

#endif
