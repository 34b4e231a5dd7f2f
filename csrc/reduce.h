/* gamut="reduce" without a search: a* and b* are scaled toward 0 at constant L* until sRGB has the
 * colour. A guess from six planes, a step of Newton's method along the ray, a second one where the
 * way left is long, and a last step along the ray's tangent in linear RGB.
 *
 * Every point of a tangent has the luminance of L* exactly, and the last step ends on a face of the
 * gamut, so that an inexact scale costs no lightness: what is missing, d in C*, leaves an error of
 * order d^2 in chroma and hue.
 *
 * The ray leaves the gamut once, but for pale yellows (L* 93..98, hue 99..106 degrees), where it
 * may leave through R = 1 by up to 3 % and come back. The first exit is meant; where the ray grazes
 * that face the result may be short of it or at the other one, in gamut and of the same L* all the
 * same.
 */
#ifndef TRTCOLOR_REDUCE_H
#define TRTCOLOR_REDUCE_H

/* The guess: where a ray with f(X) = fy + scale dx, f(Z) = fy + scale dz meets planes. Three stand
 * for the faces where a channel is 0, whose distance from grey goes as fy, or as L* in the dark;
 * three for those where a channel is 1, whose distance goes to 0 at white. Fitted for the least
 * error after the first step, which makes the guess lie outside for the most part, where Newton's
 * method converges best. It is a NaN where there is no chroma, which is never asked for. */
#define TC_DARK_R_X -8.241f
#define TC_DARK_R_Z 2.836f
#define TC_DARK_G_X 3.423f
#define TC_DARK_B_X -1.058f
#define TC_DARK_B_Z -2.11f
#define TC_BRIGHT_R_X 3.335f
#define TC_BRIGHT_R_Z -0.5787f
#define TC_BRIGHT_G_X -1.377f
#define TC_BRIGHT_B_X 0.6017f
#define TC_BRIGHT_B_Z 1.587f
#define TC_LOW_SLOPE 11.33f
#define TC_LOW_OFFSET -1.562f
#define TC_HIGH_SQUARE 0.9711f
#define TC_HIGH_SLOPE 0.0289f

/* A last step beyond this share of the scale is too long for the tangent: 1 % of random colours.
 * It bounds what is missing to 0.1 in C*, pale yellows apart. */
#define TC_FAR (1.0f / 32.0f)

#endif
