/* Colour kernels: the contract.
 *
 * Ranges. RGB is sRGB-coded: uint8 0..255, uint16 0..65535 or float 0..1. L* is 0..100, a*b* are in
 * real units (sRGB spans a* -86..98, b* -108..94). Input out of range: float RGB and grey are
 * clamped to 0..1; L*, a*, b*, u* and v* are clamped to -1000..1000, which keeps the arithmetic
 * finite. A NaN counts as 0 everywhere but in resize_plane, where it spreads to every sample that
 * it has a weight in.
 *
 * Layout. A picture is a pointer to its first sample and a tc_stride, counted in elements. Packed
 * (HWC), planar (CHW), BGR, cropped and flipped pictures differ in their strides only; a negative
 * or zero stride is allowed on input. A plane's channel stride is 0. Heights and widths are at
 * least 1. An output never overlaps an input.
 *
 * Kernels. A kernel does the rows first..last-1 of a job, which is the struct named beside it; rows
 * are independent, so that any threads may do any rows, and a pixel's result depends neither on its
 * place nor on the layout. Kernels allocate nothing and read the tables that tc_init fills. Each
 * has one readable scalar reference (suffix _c) and faster variants: tc_kernels is one set of them.
 */
#ifndef TRTCOLOR_COLOR_H
#define TRTCOLOR_COLOR_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    ptrdiff_t row, pixel, channel;
} tc_stride;

/* What a sample is. */
enum { TC_U8, TC_U16, TC_F32 };

/* What happens to a colour that sRGB does not have. */
enum {
    TC_GAMUT_CLIP,   /* linear R, G and B are each clipped to 0..1 (changes L* and hue) */
    TC_GAMUT_REDUCE, /* L* is clamped to 0..100, then a*b* scaled toward 0 until it fits */
};

typedef void tc_kernel(const void *job, ptrdiff_t first, ptrdiff_t last);

/* ---- jobs ---------------------------------------------------------------------------------- */

/* One picture into another of the same size. */
typedef struct {
    void *out;
    tc_stride out_stride;
    const void *in;
    tc_stride in_stride;
    ptrdiff_t width;
    int gamut;          /* rgb_*_from_* only */
    const float *table; /* lightness_from_u8, _u16 only: L* of each of 256 or 65536 codes */
} tc_conversion;

/* Full-resolution lightness with chroma of its own, lower resolution. Chroma is enlarged
 * bilinearly, half-pixel centres, edge clamped. With scale 1, 2 or 4 chroma_height and chroma_width
 * are height and width divided by it, rounded up, and pixel y reads at (y + 0.5) / scale - 0.5;
 * with scale 0 they are any, and it reads at (y + 0.5) * chroma_height / height - 0.5; x likewise.
 */
typedef struct {
    void *rgb;
    tc_stride rgb_stride;
    int rgb_type;
    const void *lightness; /* TC_F32: L*; TC_U8 and TC_U16: codes */
    tc_stride lightness_stride;
    int lightness_type;
    const float *table; /* L* of each code, 256 or 65536 */
    const float *chroma;
    tc_stride chroma_stride;
    ptrdiff_t height, width, chroma_height, chroma_width;
    int scale, gamut;
} tc_merge;

/* Chroma brought to full resolution, guided by full-resolution lightness: joint bilateral upsampling
 * (Kopf et al. 2007) over the four samples around a pixel. A sample's weight is its bilinear one,
 * read as in tc_merge, times exp(-d^2 / (2 range_sigma^2)) + TC_RANGE_FLOOR, where d is what the
 * pixel's lightness lacks of the sample's; a result lies within the range of the four. The floor
 * leaves bilinear weights where no sample is of the pixel's lightness.
 */
#define TC_RANGE_FLOOR 0.02f

typedef struct {
    float *out; /* 2 channels, full resolution */
    tc_stride out_stride;
    const float *lightness; /* full resolution */
    tc_stride lightness_stride;
    const float *chroma; /* 2 channels */
    tc_stride chroma_stride;
    const float *guide; /* lightness of the chroma samples */
    tc_stride guide_stride;
    ptrdiff_t height, width, chroma_height, chroma_width;
    ptrdiff_t top; /* row 0 of out and lightness is this one of the height rows */
    int scale;     /* as in tc_merge */
    float range_sigma; /* L*, 0.01..1000 */
} tc_upsample;

/* One axis of a resize: target sample i is the sum of values[i * taps + k] times source sample
 * start[i] + k, for k in 0..count[i]-1. Area weights when reducing, half-pixel bilinear when
 * enlarging, 1 where nothing changes; the values of one sample sum to 1. */
typedef struct {
    ptrdiff_t source, target, taps;
    const ptrdiff_t *start, *count;
    const float *values;
} tc_axis;

typedef struct {
    float *out;
    tc_stride out_stride;
    const float *plane;
    tc_stride plane_stride;
    tc_axis rows, columns;
} tc_resize;

/* The most source samples that one target sample reads. */
ptrdiff_t tc_resize_taps(ptrdiff_t source, ptrdiff_t target);

/* Fills start[target], count[target] and values[target * taps]; unused values are 0. */
void tc_resize_weights(ptrdiff_t *start, ptrdiff_t *count, float *values, ptrdiff_t source,
                       ptrdiff_t target);

/* ---- kernels ------------------------------------------------------------------------------- */

typedef struct {
    const char *name;
    /* tc_conversion */
    tc_kernel *lab_from_rgb_u8, *lab_from_rgb_f32, *rgb_u8_from_lab, *rgb_f32_from_lab;
    tc_kernel *luv_from_rgb_u8, *luv_from_rgb_f32, *rgb_u8_from_luv, *rgb_f32_from_luv;
    tc_kernel *lightness_from_rgb_u8, *lightness_from_rgb_f32;
    tc_kernel *lightness_from_u8, *lightness_from_u16, *lightness_from_grey_f32;
    tc_kernel *merge_lab;       /* tc_merge */
    tc_kernel *upsample_chroma; /* tc_upsample */
    tc_kernel *chroma_planes;   /* tc_planes, in planes.h */
    tc_kernel *resize_plane;    /* tc_resize */
} tc_kernels;

/* The scalar reference. */
extern const tc_kernels tc_kernels_c;
tc_kernel tc_lab_from_rgb_u8_c, tc_lab_from_rgb_f32_c, tc_rgb_u8_from_lab_c, tc_rgb_f32_from_lab_c;
tc_kernel tc_luv_from_rgb_u8_c, tc_luv_from_rgb_f32_c, tc_rgb_u8_from_luv_c, tc_rgb_f32_from_luv_c;
tc_kernel tc_lightness_from_rgb_u8_c, tc_lightness_from_rgb_f32_c;
tc_kernel tc_lightness_from_u8_c, tc_lightness_from_u16_c, tc_lightness_from_grey_f32_c;
tc_kernel tc_merge_lab_c, tc_upsample_chroma_c, tc_chroma_planes_c, tc_resize_plane_c;

/* Fills the tables. Once, before any kernel, from one thread; again does no harm. */
void tc_init(void);

/* The variants compiled in that this processor can run and its operating system saves the registers
 * of, fastest first, the scalar reference last; NULL beyond the last. */
const tc_kernels *tc_variant(int index);

/* ---- exact constants ----------------------------------------------------------------------- */

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

/* L* of the sRGB-coded greys 0..levels-1, where levels-1 is white. */
void tc_lightness_table(float *table, ptrdiff_t levels);

#endif
