/* CIELUV of CIE 15: u* = 13 L* (u' - u'n) and v* = 13 L* (v' - v'n), where u' = 4 X / D,
 * v' = 9 Y / D, D = X + 15 Y + 3 Z, and n is white. The constants of both ways, rearranged so that
 * a grey has u* = v* = 0 up to the rounding of a sum, and so that nothing is divided by L*. */
#ifndef TRTCOLOR_LUV_H
#define TRTCOLOR_LUV_H

#include "color.h"

#define TC_X_N 0.950456
#define TC_Z_N 1.088754
#define TC_D_N (TC_X_N + 15.0 + 3.0 * TC_Z_N)
#define TC_U_N (4.0 * TC_X_N / TC_D_N)
#define TC_V_N (9.0 / TC_D_N)

/* D, 4 X - u'n D and 9 Y - v'n D of one primary. */
#define TC_D_FROM(p) (TC_X_N * TC_X_FROM_##p + 15.0 * TC_Y_FROM_##p + 3.0 * TC_Z_N * TC_Z_FROM_##p)
#define TC_U_FROM(p) (4.0 * TC_X_N * TC_X_FROM_##p - TC_U_N * TC_D_FROM(p))
#define TC_V_FROM(p) (9.0 * TC_Y_FROM_##p - TC_V_N * TC_D_FROM(p))

/* From u* and v*: X = Y 9 u' / (4 v') and Z = Y (12 - 3 u' - 20 v') / (4 v'). With both parts of
 * these fractions times 13 L*, and the grey's own value of both, n = 52 L* v'n, set apart, each of
 * R, G and B is Y (n + d) / (n + 4 v*), where d is linear in u* and v*. */
#define TC_D_FROM_U(p) (9.0 * TC_##p##_FROM_X / TC_X_N - 3.0 * TC_##p##_FROM_Z / TC_Z_N)
#define TC_D_FROM_V(p) (4.0 * TC_##p##_FROM_Y - 20.0 * TC_##p##_FROM_Z / TC_Z_N)

/* Below this L* all is black, also in 16 bits; and for a clip v' is at least 0.01 (it is 0.15 and
 * more in sRGB), so that the result is finite. */
#define TC_LUV_BLACK 1e-4
#define TC_LUV_LEAST_V (13.0 * (0.01 - TC_V_N)) /* times L* */

/* Up to this L*, Y is proportional to it. By way of f, which adds 16 to L*, near black a hundredth of
 * Y is lost, and where a clip divides by little that is seen. */
#define TC_LUV_KNEE (116.0 * TC_F_KNEE - 16.0)
#define TC_LUV_SLOPE (1.0 / (116.0 * TC_F_SLOPE))

#endif
