/* The scalar reference: full-resolution lightness with chroma of its own, lower resolution. */
#include "scalar_chroma.h"
#include "scalar_reduce.h"

static inline float lightness_at(const tc_merge *m, ptrdiff_t y, ptrdiff_t x)
{
    ptrdiff_t at = offset_of(m->lightness_stride, y, x);
    if (m->lightness_type == TC_U8)
        return m->table[((const uint8_t *)m->lightness)[at]];
    if (m->lightness_type == TC_U16)
        return m->table[((const uint16_t *)m->lightness)[at]];
    return clamp_lab(((const float *)m->lightness)[at]);
}

static inline void store(const tc_merge *m, ptrdiff_t y, ptrdiff_t x, linear_rgb colour)
{
    ptrdiff_t at = offset_of(m->rgb_stride, y, x);
    if (m->rgb_type == TC_U8)
        store_u8((uint8_t *)m->rgb + at, m->rgb_stride.channel, colour);
    else if (m->rgb_type == TC_U16)
        store_u16((uint16_t *)m->rgb + at, m->rgb_stride.channel, colour);
    else
        store_f32((float *)m->rgb + at, m->rgb_stride.channel, colour);
}

void tc_merge_lab_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_merge *m = job;
    const tc_lattice rows = tc_pixel_lattice(m->scale, m->height, m->chroma_height);
    const tc_lattice columns = tc_pixel_lattice(m->scale, m->width, m->chroma_width);
    for (ptrdiff_t y = first; y < last; y++) {
        tc_tap row = tc_lattice_tap(y, rows, m->chroma_height);
        for (ptrdiff_t x = 0; x < m->width; x++) {
            tc_tap column = tc_lattice_tap(x, columns, m->chroma_width);
            float a = chroma_at(m->chroma, m->chroma_stride, row, column);
            float b =
                chroma_at(m->chroma + m->chroma_stride.channel, m->chroma_stride, row, column);
            store(m, y, x, linear_from_lab(lightness_at(m, y, x), a, b, m->gamut));
        }
    }
}
