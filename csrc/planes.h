/* Chroma planes for video: the contract, in addition to color.h.
 *
 * The Y' plane of a picture is kept bit for bit and U and V are computed for it. A chroma sample
 * covers the luma samples of one 1x1, 2x1 or 2x2 block, at the right and the bottom edge only those
 * that exist. With Y' their mean, clamped to black..white, and a*b* the network's at the sample's
 * own position, its U and V are those of the colour with that Y' and that a*b*, then scaled toward
 * 0 at constant Y' until R'G'B' lies in 0..1. R'G'B' is sRGB-coded. Where the network's colour is
 * one that sRGB does not have, its components below 0 count as 0.
 *
 * Position. Chroma sample i of an axis lies at step * i + offset on the network's grid, which is a
 * tc_lattice, is read bilinearly there, and beyond the outermost samples is constant. Step 1 and
 * offset 0 is where the grids coincide: sample i is then the network's sample i itself.
 */
#ifndef TRTCOLOR_PLANES_H
#define TRTCOLOR_PLANES_H

#include "color.h"
#include "taps.h"

/* Where one axis of the chroma samples lies on the network's grid of chroma_size samples.
 * halved: whether the axis has one chroma sample for two of luma (log2 of the subsampling).
 * cosited: whether that sample sits on the first of the two (siting left, top) or between them.
 * scale: luma samples a network sample, and chroma_size is luma_size divided by it, rounded up; or
 * 0 for any chroma_size, spread over luma_size. */
tc_lattice tc_chroma_lattice(int halved, int cosited, int scale, ptrdiff_t luma_size,
                             ptrdiff_t chroma_size);

/* Luma matrices. */
enum { TC_BT601, TC_BT709, TC_BT2020, TC_MATRICES };

/* Y' is kr R' + (1 - kr - kb) G' + kb B'. The rest is where the search for f(Y) starts, with
 * x = f(X) - f(Y) and z = f(Z) - f(Y): at
 *   grey(Y') + dx x + dz z + xx(Y') x^2 + xz(Y') x z + zz(Y') z^2,
 * polynomials in Y' with the constant first, clamped to 0.13..1.1. */
typedef struct {
    float kr, kb;
    float grey[4], dx, dz, xx[3], xz[3], zz[3];
} tc_luma_matrix;

extern const tc_luma_matrix tc_luma_matrices[TC_MATRICES];

/* Samples are TC_U8 or TC_U16 and hold code << shift: shift is 0, or 16 - depth for P010 and its
 * kin. Planar and interleaved (NV12) chroma differ in the strides of u and v only; strides are in
 * samples and their .channel is not used. */
typedef struct {
    void *u, *v;
    tc_stride u_stride, v_stride;
    const void *luma;
    tc_stride luma_stride;
    int sample_type, shift;
    ptrdiff_t height, width;         /* of luma; those of u and v are halved, rounded up */
    int halved_rows, halved_columns; /* 0 or 1 */
    const float *chroma;             /* a*, and b* chroma_stride.channel further */
    tc_stride chroma_stride;
    ptrdiff_t chroma_height, chroma_width;
    tc_lattice rows, columns;
    int matrix;
    float luma_black, luma_range;    /* codes: Y' 0, and the distance from there to Y' 1 */
    float chroma_zero, chroma_range; /* codes: U 0, and the distance from U -0.5 to U 0.5 */
    float chroma_low, chroma_high;   /* the least and the greatest legal code of u and v */
} tc_planes;

/* The kernels chroma_planes do the rows first..last-1 of the U and V planes, with so many steps of
 * Newton's method for samples of either type. Over sRGB 2 steps leave U and V within 0.003 of their
 * range of 1, with a mean of 1e-5; 3 steps within 2e-5. */
enum { TC_PLANES_STEPS_U8 = 2, TC_PLANES_STEPS_U16 = 3 };

/* a*b*, as read between samples, are clamped to twice what sRGB spans: the search is well
 * conditioned up to there. */
#define TC_PLANES_CHROMA 200.0f

/* The search keeps f(Y) in this range, and takes luma to rise by it at least so steeply; over sRGB
 * it does by 0.8. */
#define TC_PLANES_F_LOW 0.1f
#define TC_PLANES_F_HIGH 1.3f
#define TC_PLANES_RISE 0.3f

/* In the search the sRGB encoding goes on outside 0..1: straight above 1; below 0 as the parabola
 * that leaves 0 with the slope of the line there and turns level at minus this. Newton's steps need
 * a curve without a corner at 0, lest a component near it throws them about. */
#define TC_PLANES_BELOW 0.4f

/* L* of the grey with each Y' sample, for the kernels lightness_from_u8 (256 levels) and _u16
 * (65536): sample s holds code s >> shift, clamped to black..black + range. */
void tc_luma_table(float *table, ptrdiff_t levels, int shift, double black, double range);

#endif
