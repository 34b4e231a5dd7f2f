/* U and V for a Y' plane that stays as it is: the tc_planes kernel, the method of planes.c, with F
 * in place of f (see simd_pixel.h). */
#ifndef TRTCOLOR_SIMD_PLANES_H
#define TRTCOLOR_SIMD_PLANES_H

#include "planes.h"
#include "simd_chroma.h"

/* ---- one vector of colours ------------------------------------------------------------------- */

/* The sRGB encoding with its slope, beyond 0..1 as planes.h says. */
INLINE graded encode_beyond(vec linear)
{
    const float steep = (float)TC_SRGB_SLOPE, below = TC_PLANES_BELOW;
    const float slope_at_1 = (float)((1.0 + TC_SRGB_OFFSET) / TC_SRGB_GAMMA);
    vec inside = v_min(v_max(linear, v_set(-below)), v_set(1.0f));
    vec coded = encode_up_to_1(inside, TC_TOP_1);
    vec under = v_min(inside, v_set(0.0f));
    vec over = v_max(v_sub(linear, v_set(1.0f)), v_set(0.0f));
    vec value = v_fma(v_mul(under, under), v_set(0.5f * steep / below), coded);
    vec curved = v_mul(v_fma(coded, v_set((float)(1.0 / TC_SRGB_GAMMA)),
                             v_set((float)(TC_SRGB_OFFSET / TC_SRGB_GAMMA))),
                       v_estimate_reciprocal(inside));
    vec straight = v_fma(under, v_set(steep / below), v_set(steep));
    mask is_curved = v_less(v_set((float)TC_SRGB_LINEAR_KNEE), inside);
    return (graded){v_fma(over, v_set(slope_at_1), value), v_select(is_curved, curved, straight)};
}

INLINE vec luma_of(const tc_luma_matrix *m, const vec c[3])
{
    return v_fma(c[0], v_set(m->kr),
                 v_fma(c[1], v_set(1.0f - m->kr - m->kb), v_mul(c[2], v_set(m->kb))));
}

INLINE vec quadratic(const float c[3], vec x)
{
    return v_fma(x, v_fma(x, v_set(c[2]), v_set(c[1])), v_set(c[0]));
}

/* What is known of a vector of colours: Y', and F(X) - F(Y) and F(Z) - F(Y). */
typedef struct {
    vec luma, dx, dz;
} sought;

/* In F. */
INLINE vec start_of_search(const tc_luma_matrix *m, const sought *s)
{
    vec dx = v_mul(s->dx, v_set((float)(1.0 / ROOT3))),
        dz = v_mul(s->dz, v_set((float)(1.0 / ROOT3)));
    vec grey = v_fma(s->luma, quadratic(m->grey + 1, s->luma), v_set(m->grey[0]));
    vec with_x =
        v_fma(dx, quadratic(m->xx, s->luma), v_fma(dz, quadratic(m->xz, s->luma), v_set(m->dx)));
    vec with_z = v_fma(dz, quadratic(m->zz, s->luma), v_set(m->dz));
    vec fy = v_fma(dx, with_x, v_fma(dz, with_z, grey));
    return v_mul(v_min(v_max(fy, v_set(0.13f)), v_set(1.1f)), v_set((float)ROOT3));
}

/* One step of Newton's method on F(Y), and R'G'B' moved by that step along their tangent. */
INLINE vec search_step(vec colour[3], const tc_luma_matrix *m, const sought *s, vec fy)
{
    graded x = cie_f_inverse_graded(v_add(fy, s->dx)), y = cie_f_inverse_graded(fy);
    graded z = cie_f_inverse_graded(v_add(fy, s->dz));
    vec linear[3], slope[3];
    linear_from_xyz(linear, x.value, y.value, z.value);
    linear_from_xyz(slope, x.slope, y.slope, z.slope);
    for (int c = 0; c < 3; c++) {
        graded coded = encode_beyond(linear[c]);
        colour[c] = coded.value;
        slope[c] = v_mul(slope[c], coded.slope);
    }
    vec rise = v_max(luma_of(m, slope), v_set((float)(TC_PLANES_RISE / ROOT3)));
    vec step = v_mul(v_sub(s->luma, luma_of(m, colour)), v_estimate_reciprocal(rise));
    for (int c = 0; c < 3; c++)
        colour[c] = v_fma(slope[c], step, colour[c]);
    return v_min(v_max(v_add(fy, step), v_set((float)(ROOT3 * TC_PLANES_F_LOW))),
                 v_set((float)(ROOT3 * TC_PLANES_F_HIGH)));
}

/* The share of the differences from luma that keeps R'G'B' in 0..1, at most 1. */
INLINE vec share_in_gamut(vec luma, const vec d[3])
{
    const vec zero = v_set(0.0f), tiny = v_set(1e-20f); /* instead of 0 / 0 */
    vec room_up = v_sub(v_set(1.0f), luma), room_down = luma;
    vec most = v_max(v_max(d[0], d[1]), d[2]), lowest = v_min(v_min(d[0], d[1]), d[2]);
    vec up = v_max(v_max(most, room_up), tiny);
    vec down = v_max(v_max(v_sub(zero, lowest), room_down), tiny);
    mask by_top = v_less(v_mul(room_up, down), v_mul(room_down, up));
    return v_mul(v_select(by_top, room_up, room_down), reciprocal(v_select(by_top, up, down)));
}

/* Codes of U and V, not yet rounded, of an unclipped R'G'B'. */
INLINE void chroma_codes(vec uv[2], const tc_planes *p, vec luma, vec c[3])
{
    const tc_luma_matrix *m = &tc_luma_matrices[p->matrix];
    for (int i = 0; i < 3; i++)
        c[i] = v_max(c[i], v_set(0.0f));
    vec centre = luma_of(m, c);
    for (int i = 0; i < 3; i++)
        c[i] = v_sub(c[i], centre);
    vec share = v_mul(share_in_gamut(luma, c), v_set(p->chroma_range));
    const float scale[2] = {0.5f / (1.0f - m->kb), 0.5f / (1.0f - m->kr)};
    for (int i = 0; i < 2; i++) {
        vec code = v_fma(v_mul(share, v_set(scale[i])), c[i ? 0 : 2], v_set(p->chroma_zero));
        uv[i] = v_min(v_max(code, v_set(p->chroma_low)), v_set(p->chroma_high));
    }
}

/* ---- rows ------------------------------------------------------------------------------------ */

INLINE int luma_sample(const void *samples, int type, ptrdiff_t i, int shift)
{
    return (type == TC_U8 ? ((const uint8_t *)samples)[i] : ((const uint16_t *)samples)[i]) >>
           shift;
}

/* The sum of the four samples that each chroma sample covers: the one at at + x * step, those
 * `right` and `below` of it (0: the sample stands in for a neighbour that does not exist). */
INLINE void sum_blocks(float *sum, const void *luma, int type, int shift, ptrdiff_t at,
                       ptrdiff_t step, ptrdiff_t right, ptrdiff_t below, ptrdiff_t count)
{
    for (ptrdiff_t x = 0; x < count; x++, at += step)
        sum[x] = (float)(luma_sample(luma, type, at, shift) +
                         luma_sample(luma, type, at + right, shift) +
                         luma_sample(luma, type, at + below, shift) +
                         luma_sample(luma, type, at + below + right, shift));
}

INLINE void luma_sums_of(float *sum, const tc_planes *p, int type, ptrdiff_t y, ptrdiff_t start,
                         ptrdiff_t count)
{
    const tc_stride s = p->luma_stride;
    const ptrdiff_t top = y << p->halved_rows, left = start << p->halved_columns;
    const ptrdiff_t below = p->halved_rows && top + 1 < p->height ? s.row : 0;
    const ptrdiff_t at = top * s.row + left * s.pixel, step = s.pixel * (1 + p->halved_columns);
    /* the last sample may cover one column only */
    const ptrdiff_t whole = p->halved_columns && 2 * (start + count) > p->width ? count - 1 : count;
    if (s.pixel == 1 && p->halved_columns) /* known strides become vectors */
        sum_blocks(sum, p->luma, type, p->shift, at, 2, 1, below, whole);
    else
        sum_blocks(sum, p->luma, type, p->shift, at, step, p->halved_columns ? s.pixel : 0, below,
                   whole);
    sum_blocks(sum + whole, p->luma, type, p->shift, at + whole * step, step, 0, below,
               count - whole);
}

static void luma_sums(float *sum, const tc_planes *p, ptrdiff_t y, ptrdiff_t start, ptrdiff_t count)
{
    if (p->sample_type == TC_U8)
        luma_sums_of(sum, p, TC_U8, y, start, count);
    else
        luma_sums_of(sum, p, TC_U16, y, start, count);
}

/* A row of codes, `shift` bits up, to anywhere. */
static void store_codes(void *plane, tc_stride stride, const tc_planes *p, ptrdiff_t y,
                        ptrdiff_t start, const float *codes, ptrdiff_t count)
{
    const ptrdiff_t at = y * stride.row + start * stride.pixel;
    uint16_t rounded[BLOCK + LANES];
    if (p->sample_type == TC_U8) {
        uint8_t *bytes = (uint8_t *)rounded;
        for (ptrdiff_t x = 0; x < count; x += LANES)
            v_store_u8(bytes + x, v_load(codes + x));
        copy_samples((uint8_t *)plane + at, stride.pixel, bytes, 1, count, TC_U8);
        return;
    }
    for (ptrdiff_t x = 0; x < count; x += LANES)
        v_store_u16(rounded + x, v_load(codes + x));
    for (ptrdiff_t x = 0; x < count; x++)
        rounded[x] = (uint16_t)(rounded[x] << p->shift);
    copy_samples((uint16_t *)plane + at, stride.pixel, rounded, 1, count, TC_U16);
}

/* The block's luma sums in, its codes of U and V out. */
typedef struct {
    float luma[BLOCK + LANES], fy[BLOCK + LANES], u[BLOCK + LANES], v[BLOCK + LANES];
} planes_row;

INLINE sought sought_at(const tc_planes *p, const planes_row *row, const chroma_row *chroma,
                        ptrdiff_t x)
{
    const float scale = 0.25f / p->luma_range, offset = -p->luma_black / p->luma_range;
    const vec high = v_set(TC_PLANES_CHROMA), low = v_set(-TC_PLANES_CHROMA);
    vec luma = v_fma(v_load(row->luma + x), v_set(scale), v_set(offset));
    vec a = v_min(v_max(v_load(chroma->a + MARGIN + x), low), high);
    vec b = v_min(v_max(v_load(chroma->b + MARGIN + x), low), high);
    return (sought){v_min(v_max(luma, v_set(0.0f)), v_set(1.0f)),
                    v_mul(a, v_set((float)(ROOT3 / 500.0))),
                    v_mul(b, v_set((float)(-ROOT3 / 200.0)))};
}

/* A step of the search is a long chain, so it goes along the row, where the next vector's does not
 * wait for it, and not down one vector's steps. */
static void search_row(planes_row *row, const tc_planes *p, const chroma_row *chroma,
                       ptrdiff_t count)
{
    const tc_luma_matrix *m = &tc_luma_matrices[p->matrix];
    const int steps = p->sample_type == TC_U8 ? TC_PLANES_STEPS_U8 : TC_PLANES_STEPS_U16;
    vec colour[3], uv[2];
    for (ptrdiff_t x = 0; x < count; x += LANES) {
        sought s = sought_at(p, row, chroma, x);
        vec fy = start_of_search(m, &s);
        v_store(row->fy + x, search_step(colour, m, &s, fy));
    }
    for (int i = 2; i < steps; i++)
        for (ptrdiff_t x = 0; x < count; x += LANES) {
            sought s = sought_at(p, row, chroma, x);
            v_store(row->fy + x, search_step(colour, m, &s, v_load(row->fy + x)));
        }
    for (ptrdiff_t x = 0; x < count; x += LANES) {
        sought s = sought_at(p, row, chroma, x);
        search_step(colour, m, &s, v_load(row->fy + x));
        chroma_codes(uv, p, s.luma, colour);
        v_store(row->u + x, uv[0]);
        v_store(row->v + x, uv[1]);
    }
}

static void chroma_planes(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_planes *p = job;
    const ptrdiff_t width = (p->width + p->halved_columns) >> p->halved_columns;
    planes_row row = {0};
    chroma_block b = {
        .chroma = p->chroma, .stride = p->chroma_stride, .chroma_width = p->chroma_width};
    for (ptrdiff_t start = 0; start < width; start += b.count) {
        plan_block(&b, p->columns, start, width);
        for (ptrdiff_t y = first; y < last; y++) {
            const chroma_row *chroma =
                chroma_between(&b, tc_lattice_tap(y, p->rows, p->chroma_height));
            luma_sums(row.luma, p, y, start, b.count);
            search_row(&row, p, chroma, b.count);
            store_codes(p->u, p->u_stride, p, y, start, row.u, b.count);
            store_codes(p->v, p->v_stride, p, y, start, row.v, b.count);
        }
    }
}

#endif
