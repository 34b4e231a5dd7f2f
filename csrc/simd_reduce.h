/* gamut="reduce" for one vector of pixels: the method of reduce.h, 2 C - 1 in place of C so that
 * the gamut is -1..1, and F in place of f. */
#ifndef TRTCOLOR_SIMD_REDUCE_H
#define TRTCOLOR_SIMD_REDUCE_H

#include "reduce.h"
#include "simd_pixel.h"

/* A ray of constant L*: F of Y, what F of X and Z gain along it, and Y's part of the colour. */
typedef struct {
    vec fy, dx, dz, base[3];
} ray;

typedef struct {
    vec colour[3], slope[3];
} tangent;

INLINE tangent tangent_at(const ray *r, vec scale)
{
    static const double from_x[3] = {2.0 * TC_R_FROM_X, 2.0 * TC_G_FROM_X, 2.0 * TC_B_FROM_X};
    static const double from_z[3] = {2.0 * TC_R_FROM_Z, 2.0 * TC_G_FROM_Z, 2.0 * TC_B_FROM_Z};
    graded x = cie_f_inverse_graded(v_fma(scale, r->dx, r->fy));
    graded z = cie_f_inverse_graded(v_fma(scale, r->dz, r->fy));
    x.slope = v_mul(x.slope, r->dx);
    z.slope = v_mul(z.slope, r->dz);
    tangent t;
    for (int i = 0; i < 3; i++) {
        vec kx = v_set((float)from_x[i]), kz = v_set((float)from_z[i]);
        t.colour[i] = v_fma(kx, x.value, v_fma(kz, z.value, r->base[i]));
        t.slope[i] = v_fma(kx, x.slope, v_mul(kz, z.slope));
    }
    return t;
}

/* How far along the tangent a channel leaves -1..1, at most `limit`; less than 0 when it starts
 * outside. A slope of 0 makes a NaN, which v_min drops from its left side. */
INLINE vec exit_of(const tangent *t, vec limit)
{
    for (int i = 0; i < 3; i++) {
        vec inverse = v_estimate_reciprocal(t->slope[i]);
        limit = v_min(v_fnma(t->colour[i], inverse, v_abs(inverse)), limit);
    }
    return limit;
}

INLINE vec guess_scale(const ray *r)
{
    vec dark = v_max(v_fma(r->dx, v_set(TC_DARK_R_X), v_mul(r->dz, v_set(TC_DARK_R_Z))),
                     v_mul(r->dx, v_set(TC_DARK_G_X)));
    dark = v_max(dark, v_fma(r->dx, v_set(TC_DARK_B_X), v_mul(r->dz, v_set(TC_DARK_B_Z))));
    vec bright = v_max(v_fma(r->dx, v_set(TC_BRIGHT_R_X), v_mul(r->dz, v_set(TC_BRIGHT_R_Z))),
                       v_mul(r->dx, v_set(TC_BRIGHT_G_X)));
    bright = v_max(bright, v_fma(r->dx, v_set(TC_BRIGHT_B_X), v_mul(r->dz, v_set(TC_BRIGHT_B_Z))));
    vec low =
        v_min(r->fy, v_fma(r->fy, v_set(TC_LOW_SLOPE), v_set((float)(ROOT3 * TC_LOW_OFFSET))));
    vec bend = v_fma(r->fy, v_set((float)(TC_HIGH_SQUARE / ROOT3)), v_set(TC_HIGH_SLOPE));
    vec high = v_fnma(r->fy, bend, v_set((float)ROOT3));
    return v_min(v_mul(low, v_estimate_reciprocal(dark)),
                 v_mul(high, v_estimate_reciprocal(bright)));
}

/* Of an L* in 0..100. */
INLINE ray ray_of_lab(const vec lab[3])
{
    ray r = {.fy = f_from_lightness(lab[0]),
             .dx = v_mul(lab[1], v_set((float)(ROOT3 / 500.0))),
             .dz = v_mul(lab[2], v_set((float)(-ROOT3 / 200.0)))};
    vec y = cie_f_inverse(r.fy);
    r.base[0] = v_fma(y, v_set((float)(2.0 * TC_R_FROM_Y)), v_set(-1.0f));
    r.base[1] = v_fma(y, v_set((float)(2.0 * TC_G_FROM_Y)), v_set(-1.0f));
    r.base[2] = v_fma(y, v_set((float)(2.0 * TC_B_FROM_Y)), v_set(-1.0f));
    return r;
}

/* How far to go on from a place of the ray, which may be back, within 0..1. */
INLINE vec way_to_exit(const tangent *t, vec scale)
{
    return v_max(exit_of(t, v_sub(v_set(1.0f), scale)), v_sub(v_set(0.0f), scale));
}

/* The guess and the first step. A guess that is a NaN, of a grey, becomes 0. */
INLINE vec scale_near_exit(const ray *r)
{
    vec scale = guess_scale(r);
    tangent t = tangent_at(r, scale);
    return v_max(v_add(scale, exit_of(&t, v_sub(v_set(1.0f), scale))), v_set(0.0f));
}

/* The rest of the way, for the colours in `where`. */
INLINE void exit_gamut(vec rgb[3], const ray *r, vec scale, mask where)
{
    const vec half = v_set(0.5f);
    tangent t = tangent_at(r, scale);
    vec step = way_to_exit(&t, scale);
    mask far = m_and(where, v_less(v_mul(scale, v_set(TC_FAR)), v_abs(step)));
    if (m_any(far)) {
        scale = v_select(far, v_add(scale, step), scale);
        t = tangent_at(r, scale);
        step = way_to_exit(&t, scale);
    }
    for (int i = 0; i < 3; i++) {
        vec edge = v_fma(v_fma(step, t.slope[i], t.colour[i]), half, half);
        rgb[i] = v_select(where, edge, rgb[i]);
    }
}

#endif
