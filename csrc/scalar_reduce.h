/* The scalar reference of reduce.h, and Lab to linear RGB with it. */
#ifndef TRTCOLOR_SCALAR_REDUCE_H
#define TRTCOLOR_SCALAR_REDUCE_H

#include "reduce.h"
#include "scalar.h"

/* A ray of constant L*: f(X) = fy + scale dx, f(Z) = fy + scale dz. */
typedef struct {
    float fy, dx, dz;
} lab_ray;

/* Linear RGB at a place of the ray, and its derivative there. */
typedef struct {
    linear_rgb colour, slope;
} ray_tangent;

static inline ray_tangent tangent_at(lab_ray ray, float scale)
{
    float fx = ray.fy + scale * ray.dx, fz = ray.fy + scale * ray.dz;
    float x = cie_f_inverse_slope(fx) * ray.dx, z = cie_f_inverse_slope(fz) * ray.dz;
    return (ray_tangent){linear_from_f(fx, ray.fy, fz),
                         {(float)TC_R_FROM_X * x + (float)TC_R_FROM_Z * z,
                          (float)TC_G_FROM_X * x + (float)TC_G_FROM_Z * z,
                          (float)TC_B_FROM_X * x + (float)TC_B_FROM_Z * z}};
}

/* How far along the tangent one channel leaves 0..1: less than 0 if it starts outside. */
static inline float channel_exit(float colour, float slope)
{
    return ((slope > 0.0f ? 1.0f : 0.0f) - colour) / slope;
}

static inline float exit_of(ray_tangent t, float limit)
{
    limit = lesser(channel_exit(t.colour.r, t.slope.r), limit);
    limit = lesser(channel_exit(t.colour.g, t.slope.g), limit);
    return lesser(channel_exit(t.colour.b, t.slope.b), limit);
}

static inline float guess_scale(lab_ray ray)
{
    float dark = greater(TC_DARK_R_X * ray.dx + TC_DARK_R_Z * ray.dz, TC_DARK_G_X * ray.dx);
    dark = greater(dark, TC_DARK_B_X * ray.dx + TC_DARK_B_Z * ray.dz);
    float bright = greater(TC_BRIGHT_R_X * ray.dx + TC_BRIGHT_R_Z * ray.dz, TC_BRIGHT_G_X * ray.dx);
    bright = greater(bright, TC_BRIGHT_B_X * ray.dx + TC_BRIGHT_B_Z * ray.dz);
    float low = lesser(ray.fy, TC_LOW_SLOPE * ray.fy + TC_LOW_OFFSET);
    float high = 1.0f - ray.fy * (TC_HIGH_SQUARE * ray.fy + TC_HIGH_SLOPE);
    return lesser(low / dark, high / bright);
}

static inline linear_rgb reduce_chroma(lab_ray ray)
{
    float scale = guess_scale(ray), step;
    ray_tangent t = tangent_at(ray, scale);
    scale = greater(scale + exit_of(t, 1.0f - scale), 0.0f);
    t = tangent_at(ray, scale);
    step = greater(exit_of(t, 1.0f - scale), -scale);
    if (fabsf(step) > TC_FAR * scale) {
        scale += step;
        t = tangent_at(ray, scale);
        step = greater(exit_of(t, 1.0f - scale), -scale);
    }
    return (linear_rgb){t.colour.r + step * t.slope.r, t.colour.g + step * t.slope.g,
                        t.colour.b + step * t.slope.b};
}

/* From clamped L*, a*, b*; the result is not yet clipped. */
static inline linear_rgb linear_from_lab(float l, float a, float b, int gamut)
{
    if (gamut == TC_GAMUT_REDUCE)
        l = clamp_lightness(l);
    float fy = (l + 16.0f) * (1.0f / 116.0f);
    float dx = a * (1.0f / 500.0f), dz = b * (-1.0f / 200.0f);
    linear_rgb colour = linear_from_f(fy + dx, fy, fy + dz);
    if (gamut != TC_GAMUT_REDUCE || in_gamut(colour))
        return colour;
    return reduce_chroma((lab_ray){fy, dx, dz});
}

#endif
