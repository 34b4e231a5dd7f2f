/* One vector of pixels: the arithmetic of scalar.h over the primitives of a vector_*.h.
 *
 * A curve with a straight piece below its knee is either both pieces and a choice, where choosing
 * costs nothing (MASKS), or curve(c) + slope * (x - c) with c = max(x, knee).
 */
#ifndef TRTCOLOR_SIMD_PIXEL_H
#define TRTCOLOR_SIMD_PIXEL_H

#include "color.h"

/* Within 2^-21 or so. */
INLINE vec reciprocal(vec x)
{
    vec r = v_estimate_reciprocal(x);
    return v_mul(r, v_fnma(x, r, v_set(2.0f)));
}

/* Codes 0..255 to linear. */
INLINE vec decode(vec code)
{
    const vec knee = v_set((float)(255.0 * TC_SRGB_CODED_KNEE));
    const vec slope = v_set((float)(1.0 / (255.0 * TC_SRGB_SLOPE)));
    if (MASKS)
        return v_mul_where(v_less(code, knee), code, slope, v_decode_power(code));
    vec curved = v_max(code, knee);
    return v_fma(v_sub(code, curved), slope, v_decode_power(curved));
}

/* Linear up to 1 to 0..1, 0..255 or 0..65535; straight on below 0, and by a rounding above the top.
 */
INLINE vec encode_up_to_1(vec linear, int top)
{
    const double most = top == TC_TOP_1 ? 1.0 : top == TC_TOP_255 ? 255.0 : 65535.0;
    const vec knee = v_set((float)TC_SRGB_LINEAR_KNEE);
    const vec slope = v_set((float)(most * TC_SRGB_SLOPE));
    const float offset = (float)(-most * TC_SRGB_OFFSET);
    if (MASKS)
        return v_mul_where(v_less(linear, knee), linear, slope,
                           v_encode_power(linear, top, offset));
    vec curved = v_max(linear, knee);
    return v_fma(v_sub(linear, curved), slope, v_encode_power(curved, top, offset));
}

INLINE vec encode(vec linear, int top) { return encode_up_to_1(v_min(linear, v_set(1.0f)), top); }

/* A third-order step without a division: with r near t^(-1/3), s = t r^2 and e = 1 - s r, the root
 * is s (1 - e)^(-2/3). It also makes good for most of the rounding of s. */
INLINE vec cube_root(vec t)
{
    vec r = v_inverse_cube_root_seed(t);
    vec s = v_mul(v_mul(t, r), r);
    vec e = v_fnma(s, r, v_set(1.0f));
    return v_fma(v_mul(s, e), v_fma(e, v_set(5.0f / 9.0f), v_set(2.0f / 3.0f)), s);
}

/* CIE f of t up to 2. */
INLINE vec cie_f(vec t)
{
    vec curved = v_max(t, v_set((float)TC_F_KNEE_CUBED));
    return v_fma(v_sub(t, curved), v_set((float)TC_F_SLOPE), cube_root(curved));
}

/* The inverse takes F, which is f times the cube root of 3. With M = max(F, knee) it is
 * M^2 (F - 2/3 M), a cube above the knee and its tangent below; the slope is M^2. */
#define ROOT3 1.4422495703074083

typedef struct {
    vec value, slope;
} graded;

INLINE graded cie_f_inverse_graded(vec f)
{
    vec curved = v_max(f, v_set((float)(ROOT3 * TC_F_KNEE)));
    vec slope = v_mul(curved, curved);
    return (graded){v_mul(slope, v_fma(curved, v_set(-2.0f / 3.0f), f)), slope};
}

INLINE vec cie_f_inverse(vec f) { return cie_f_inverse_graded(f).value; }

INLINE vec f_from_lightness(vec l)
{
    return v_fma(l, v_set((float)(ROOT3 / 116.0)), v_set((float)(ROOT3 * 16.0 / 116.0)));
}

/* ka a + kb b + kc c */
INLINE vec weighted(double ka, double kb, double kc, vec a, vec b, vec c)
{
    return v_fma(a, v_set((float)ka), v_fma(b, v_set((float)kb), v_mul(c, v_set((float)kc))));
}

INLINE vec luminance(const vec rgb[3])
{
    return weighted(TC_Y_FROM_R, TC_Y_FROM_G, TC_Y_FROM_B, rgb[0], rgb[1], rgb[2]);
}

INLINE void xyz_from_linear(vec xyz[3], const vec rgb[3])
{
    xyz[0] = weighted(TC_X_FROM_R, TC_X_FROM_G, TC_X_FROM_B, rgb[0], rgb[1], rgb[2]);
    xyz[1] = luminance(rgb);
    xyz[2] = weighted(TC_Z_FROM_R, TC_Z_FROM_G, TC_Z_FROM_B, rgb[0], rgb[1], rgb[2]);
}

/* The rows of the matrix sum to 1, so that x = y = z gives exactly that grey. */
INLINE vec channel_from_xyz(double from_x, double from_z, vec x_less_y, vec y, vec z_less_y)
{
    return v_fma(x_less_y, v_set((float)from_x), v_fma(z_less_y, v_set((float)from_z), y));
}

INLINE void linear_from_xyz(vec rgb[3], vec x, vec y, vec z)
{
    x = v_sub(x, y);
    z = v_sub(z, y);
    rgb[0] = channel_from_xyz(TC_R_FROM_X, TC_R_FROM_Z, x, y, z);
    rgb[1] = channel_from_xyz(TC_G_FROM_X, TC_G_FROM_Z, x, y, z);
    rgb[2] = channel_from_xyz(TC_B_FROM_X, TC_B_FROM_Z, x, y, z);
}

/* Black is 0, not a rounding below it. */
INLINE vec lightness_from_f(vec f)
{
    return v_max(v_fma(f, v_set(116.0f), v_set(-16.0f)), v_set(0.0f));
}

INLINE void lab_from_linear(vec lab[3], const vec rgb[3])
{
    vec xyz[3];
    xyz_from_linear(xyz, rgb);
    vec fx = cie_f(xyz[0]), fy = cie_f(xyz[1]), fz = cie_f(xyz[2]);
    lab[0] = lightness_from_f(fy);
    lab[1] = v_mul(v_sub(fx, fy), v_set(500.0f));
    lab[2] = v_mul(v_sub(fy, fz), v_set(200.0f));
}

/* Not yet clipped. */
INLINE void linear_from_lab(vec rgb[3], const vec lab[3])
{
    vec fy = f_from_lightness(lab[0]);
    vec fx = v_fma(lab[1], v_set((float)(ROOT3 / 500.0)), fy);
    vec fz = v_fma(lab[2], v_set((float)(-ROOT3 / 200.0)), fy);
    linear_from_xyz(rgb, cie_f_inverse(fx), cie_f_inverse(fy), cie_f_inverse(fz));
}

/* The tolerance is that of scalar.h. */
INLINE mask out_of_gamut(const vec rgb[3])
{
    vec most = v_max(v_max(rgb[0], rgb[1]), rgb[2]), least = v_min(v_min(rgb[0], rgb[1]), rgb[2]);
    return m_or(v_less(v_set(1.0f + 2e-6f), most), v_less(least, v_set(-2e-6f)));
}

#endif
