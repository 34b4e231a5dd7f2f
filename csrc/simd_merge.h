/* Full-resolution lightness with low-resolution chroma: the tc_merge kernel. */
#ifndef TRTCOLOR_SIMD_MERGE_H
#define TRTCOLOR_SIMD_MERGE_H

#include "simd_chroma.h"

/* A row of lightness from column `start`: in place where a span can read it there, or in `staged`,
 * which has room for it and LANES more. */
static const float *lightness_row(float *staged, const tc_merge *m, ptrdiff_t y, ptrdiff_t start,
                                  ptrdiff_t count)
{
    const tc_stride s = m->lightness_stride;
    const ptrdiff_t at = y * s.row + start * s.pixel;
    if (m->lightness_type == TC_F32) {
        const float *row = (const float *)m->lightness + at;
        if (s.pixel == 1 && count % LANES == 0)
            return row;
        copy_samples(staged, 1, row, s.pixel, count, TC_F32);
    } else if (m->lightness_type == TC_U8) {
        const uint8_t *row = (const uint8_t *)m->lightness + at;
        if (s.pixel == 1)
            v_look_up_u8(staged, row, m->table, count);
        else
            for (ptrdiff_t x = 0; x < count; x++)
                staged[x] = m->table[row[x * s.pixel]];
    } else {
        const uint16_t *row = (const uint16_t *)m->lightness + at;
        for (ptrdiff_t x = 0; x < count; x++)
            staged[x] = m->table[row[x * s.pixel]];
    }
    return staged;
}

static void merge_lab(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_merge *m = job;
    const tc_lattice rows = tc_pixel_lattice(m->scale, m->height, m->chroma_height);
    const tc_lattice columns = tc_pixel_lattice(m->scale, m->width, m->chroma_width);
    span_fn *convert = m->rgb_type == TC_U8    ? merged_u8_span
                       : m->rgb_type == TC_U16 ? merged_u16_span
                                               : merged_f32_span;
    float staged[BLOCK + LANES] = {0};
    chroma_block b = {
        .chroma = m->chroma, .stride = m->chroma_stride, .chroma_width = m->chroma_width};
    for (ptrdiff_t start = 0; start < m->width; start += b.count) {
        plan_block(&b, columns, start, m->width);
        for (ptrdiff_t y = first; y < last; y++) {
            const chroma_row *chroma =
                chroma_between(&b, tc_lattice_tap(y, rows, m->chroma_height));
            const void *lab[3] = {lightness_row(staged, m, y, start, b.count), chroma->a + MARGIN,
                                  chroma->b + MARGIN};
            row_samples rgb = {m->rgb, m->rgb_stride, m->rgb_type, 3};
            rgb.start = sample_at(rgb, start, 0) + y * m->rgb_stride.row * size_of(m->rgb_type);
            write_pixels(convert, rgb, lab, sizeof(float), b.count, m->gamut);
        }
    }
}

#endif
