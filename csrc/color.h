/* Colour kernels: the contract.
 *
 * Ranges. RGB is sRGB-coded: uint8 0..255 or float 0..1. L* is 0..100, a*b* are in real units
 * (sRGB spans a* -86..98, b* -108..94). Input out of range: float RGB and grey are clamped to
 * 0..1; L*, a* and b* are clamped to -1000..1000, which keeps the arithmetic finite. A NaN counts
 * as 0 everywhere but in tc_resize_plane, where it spreads to every sample that it has a weight in.
 *
 * Layout. A picture is a pointer to its first sample and a tc_stride, counted in elements. Packed
 * (HWC), planar (CHW), cropped and flipped pictures differ in their strides only; a negative or
 * zero stride is allowed on input. A plane has no channel stride. Heights and widths are at least
 * 1. An output never overlaps an input.
 *
 * Variants. A kernel has one function type, shared by the scalar reference (suffix _c) and by every
 * faster variant. Kernels allocate nothing: scratch comes from the caller, in the size told here.
 * They read the tables that tc_init fills, so it comes before everything else.
 */
#ifndef TRTCOLOR_COLOR_H
#define TRTCOLOR_COLOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    ptrdiff_t row, pixel, channel;
} tc_stride;

/* What happens to a colour that sRGB does not have. */
enum {
    TC_GAMUT_CLIP = 0,   /* linear R, G and B are each clipped to 0..1 (changes L* and hue) */
    TC_GAMUT_REDUCE = 1, /* L* is clamped to 0..100, then a*b* scaled toward 0 until it fits */
};

/* The transfer function of IEC 61966-2-1. */
#define TC_SRGB_SLOPE 12.92
#define TC_SRGB_OFFSET 0.055
#define TC_SRGB_GAMMA 2.4
#define TC_SRGB_CODED_KNEE 0.04045
#define TC_SRGB_LINEAR_KNEE 0.0031308

/* Linear RGB to X/Xn, Y/Yn, Z/Zn: the matrix
 *   0.412453 0.357580 0.180423 / 0.212671 0.715160 0.072169 / 0.019334 0.119193 0.950227
 * with each row divided by its sum, which is the white point: a grey has X/Xn = Y/Yn = Z/Zn. */
#define TC_X_FROM_R 0.43395275530903066
#define TC_X_FROM_G 0.37621941468095316
#define TC_X_FROM_B 0.18982783001001624
#define TC_Y_FROM_R 0.212671
#define TC_Y_FROM_G 0.715160
#define TC_Y_FROM_B 0.072169
#define TC_Z_FROM_R 0.017757914092623311
#define TC_Z_FROM_G 0.1094765208669727
#define TC_Z_FROM_B 0.87276556504040403

/* Its inverse. */
#define TC_R_FROM_X 3.0799349355329992
#define TC_R_FROM_Y (-1.5371515162713181)
#define TC_R_FROM_Z (-0.54278341926168117)
#define TC_G_FROM_X (-0.9212341827539382)
#define TC_G_FROM_Y 1.8759900014898907
#define TC_G_FROM_Z 0.045244181264047507
#define TC_B_FROM_X 0.052889682045863903
#define TC_B_FROM_Y (-0.2040413383665112)
#define TC_B_FROM_Z 1.1511516563206472

/* CIE f: the cube root above (6/29)^3, a line of the same value and slope below. */
#define TC_F_KNEE (6.0 / 29.0)
#define TC_F_KNEE_CUBED (6.0 * 6.0 * 6.0 / (29.0 * 29.0 * 29.0))
#define TC_F_SLOPE (29.0 * 29.0 / (3.0 * 6.0 * 6.0))
#define TC_F_OFFSET (4.0 / 29.0)

/* Fills the tables. Once, before any kernel, from one thread; again does no harm. */
void tc_init(void);

/* L* of the sRGB-coded greys 0..levels-1, where levels-1 is white. */
void tc_lightness_table(float *table, ptrdiff_t levels);

/* ---- conversions of a whole picture ------------------------------------------------------- */

typedef void tc_lab_from_rgb_u8_fn(float *lab, tc_stride lab_stride, const uint8_t *rgb,
                                   tc_stride rgb_stride, ptrdiff_t height, ptrdiff_t width);
typedef void tc_lab_from_rgb_f32_fn(float *lab, tc_stride lab_stride, const float *rgb,
                                    tc_stride rgb_stride, ptrdiff_t height, ptrdiff_t width);

typedef void tc_rgb_u8_from_lab_fn(uint8_t *rgb, tc_stride rgb_stride, const float *lab,
                                   tc_stride lab_stride, ptrdiff_t height, ptrdiff_t width,
                                   int gamut);
typedef void tc_rgb_f32_from_lab_fn(float *rgb, tc_stride rgb_stride, const float *lab,
                                    tc_stride lab_stride, ptrdiff_t height, ptrdiff_t width,
                                    int gamut);

typedef void tc_lightness_from_rgb_u8_fn(float *lightness, tc_stride lightness_stride,
                                         const uint8_t *rgb, tc_stride rgb_stride,
                                         ptrdiff_t height, ptrdiff_t width);
typedef void tc_lightness_from_rgb_f32_fn(float *lightness, tc_stride lightness_stride,
                                          const float *rgb, tc_stride rgb_stride, ptrdiff_t height,
                                          ptrdiff_t width);

/* table: tc_lightness_table of 256 or 65536 levels. */
typedef void tc_lightness_from_grey_u8_fn(float *lightness, tc_stride lightness_stride,
                                          const uint8_t *grey, tc_stride grey_stride,
                                          ptrdiff_t height, ptrdiff_t width, const float *table);
typedef void tc_lightness_from_grey_u16_fn(float *lightness, tc_stride lightness_stride,
                                           const uint16_t *grey, tc_stride grey_stride,
                                           ptrdiff_t height, ptrdiff_t width, const float *table);
typedef void tc_lightness_from_grey_f32_fn(float *lightness, tc_stride lightness_stride,
                                           const float *grey, tc_stride grey_stride,
                                           ptrdiff_t height, ptrdiff_t width);

tc_lab_from_rgb_u8_fn tc_lab_from_rgb_u8_c;
tc_lab_from_rgb_f32_fn tc_lab_from_rgb_f32_c;
tc_rgb_u8_from_lab_fn tc_rgb_u8_from_lab_c;
tc_rgb_f32_from_lab_fn tc_rgb_f32_from_lab_c;
tc_lightness_from_rgb_u8_fn tc_lightness_from_rgb_u8_c;
tc_lightness_from_rgb_f32_fn tc_lightness_from_rgb_f32_c;
tc_lightness_from_grey_u8_fn tc_lightness_from_grey_u8_c;
tc_lightness_from_grey_u16_fn tc_lightness_from_grey_u16_c;
tc_lightness_from_grey_f32_fn tc_lightness_from_grey_f32_c;

/* ---- full-resolution lightness with low-resolution chroma ---------------------------------- */

/* Chroma is enlarged bilinearly, half-pixel centres, edge clamped: with scale 1, 2 or 4 pixel y
 * reads it at (y + 0.5) / scale - 0.5, with scale 0 at (y + 0.5) * chroma_height / height - 0.5;
 * x likewise. scratch: 2 * chroma_width floats. */
typedef void tc_merge_lab_u8_fn(uint8_t *rgb, tc_stride rgb_stride, const float *lightness,
                                tc_stride lightness_stride, const float *chroma,
                                tc_stride chroma_stride, ptrdiff_t height, ptrdiff_t width,
                                ptrdiff_t chroma_height, ptrdiff_t chroma_width, int scale,
                                int gamut, float *scratch);
typedef void tc_merge_lab_f32_fn(float *rgb, tc_stride rgb_stride, const float *lightness,
                                 tc_stride lightness_stride, const float *chroma,
                                 tc_stride chroma_stride, ptrdiff_t height, ptrdiff_t width,
                                 ptrdiff_t chroma_height, ptrdiff_t chroma_width, int scale,
                                 int gamut, float *scratch);

tc_merge_lab_u8_fn tc_merge_lab_u8_c;
tc_merge_lab_f32_fn tc_merge_lab_f32_c;

/* ---- resizing ------------------------------------------------------------------------------ */

/* One axis of a resize: target sample i is the sum of values[i * taps + k] times source sample
 * start[i] + k, for k in 0..count[i]-1. Area weights when reducing, half-pixel bilinear when
 * enlarging, 1 where nothing changes; the values of one sample sum to 1. */
typedef struct {
    ptrdiff_t source, target, taps;
    const ptrdiff_t *start, *count;
    const float *values;
} tc_axis;

/* The most source samples that one target sample reads. */
ptrdiff_t tc_resize_taps(ptrdiff_t source, ptrdiff_t target);

/* Fills start[target], count[target] and values[target * taps]; unused values are 0. */
void tc_resize_weights(ptrdiff_t *start, ptrdiff_t *count, float *values, ptrdiff_t source,
                       ptrdiff_t target);

/* scratch: columns->source floats. */
typedef void tc_resize_plane_fn(float *out, tc_stride out_stride, const float *plane,
                                tc_stride plane_stride, const tc_axis *rows,
                                const tc_axis *columns, float *scratch);

tc_resize_plane_fn tc_resize_plane_c;

#endif
