/* Rows of any layout as spans: the tc_conversion kernels.
 *
 * What a span cannot read or write, and a row's last pixels, go through small planar buffers, so
 * that every pixel sees the very same arithmetic.
 */
#ifndef TRTCOLOR_SIMD_ROWS_H
#define TRTCOLOR_SIMD_ROWS_H

#include "simd_span.h"

enum { STAGED = 256 }; /* pixels */

static inline ptrdiff_t size_of(int type) { return type == TC_U8 ? 1 : type == TC_U16 ? 2 : 4; }

static inline ptrdiff_t least(ptrdiff_t a, ptrdiff_t b) { return a < b ? a : b; }

/* count samples, from and to any distance apart (counted in samples). */
static void copy_samples(void *to, ptrdiff_t to_stride, const void *from, ptrdiff_t from_stride,
                         ptrdiff_t count, int type)
{
    if (type == TC_U8)
        for (ptrdiff_t x = 0; x < count; x++)
            ((uint8_t *)to)[x * to_stride] = ((const uint8_t *)from)[x * from_stride];
    else if (type == TC_U16)
        for (ptrdiff_t x = 0; x < count; x++)
            ((uint16_t *)to)[x * to_stride] = ((const uint16_t *)from)[x * from_stride];
    else
        for (ptrdiff_t x = 0; x < count; x++)
            ((float *)to)[x * to_stride] = ((const float *)from)[x * from_stride];
}

/* A row, or the rest of one: its first sample, how its samples lie and what they are. */
typedef struct {
    char *start;
    tc_stride stride;
    int type, channels;
} row_samples;

static inline int layout_of(row_samples s)
{
    if (s.stride.pixel == 1)
        return PLANAR;
    if (s.stride.pixel != 3 || s.channels == 1)
        return OTHER;
    return s.stride.channel == 1 ? PACKED : s.stride.channel == -1 ? REVERSED : OTHER;
}

static inline char *sample_at(row_samples s, ptrdiff_t pixel, ptrdiff_t channel)
{
    return s.start + (pixel * s.stride.pixel + channel * s.stride.channel) * size_of(s.type);
}

/* A span's pointer to channel c, or to the lowest address of packed pixels. */
static inline char *span_pointer(row_samples s, ptrdiff_t pixel, int layout, int c)
{
    return sample_at(s, pixel, layout == PLANAR ? c : layout == REVERSED ? 2 : 0);
}

typedef union {
    uint8_t u8[STAGED];
    uint16_t u16[STAGED];
    float f32[STAGED];
} staged_plane;

/* Planar input, readable up to the next multiple of LANES, to any row of count pixels. */
static void write_pixels(span_fn *convert, row_samples out, const void *const in[3],
                         ptrdiff_t in_size, ptrdiff_t count, int gamut)
{
    staged_plane staged[3];
    const int layout = layout_of(out);
    const ptrdiff_t whole = layout == OTHER ? 0 : count / LANES * LANES;
    for (ptrdiff_t x = 0, n; x < count; x += n) {
        const int direct = x < whole;
        n = direct ? whole : least(count - x, STAGED);
        span s = {.out_layout = direct ? layout : PLANAR,
                  .in_layout = PLANAR,
                  .gamut = gamut,
                  .count = (n + LANES - 1) / LANES * LANES};
        for (int c = 0; c < 3; c++) {
            s.in[c] = (const char *)in[c] + x * in_size;
            s.out[c] = direct ? (void *)span_pointer(out, x, layout, c) : &staged[c];
        }
        convert(&s);
        for (int c = 0; c < out.channels && !direct; c++)
            copy_samples(sample_at(out, x, c), out.stride.pixel, &staged[c], 1, n, out.type);
    }
}

static void convert_row(span_fn *convert, row_samples out, row_samples in, ptrdiff_t width,
                        int gamut)
{
    staged_plane staged[3] = {{.f32 = {0}}};
    const void *const planes[3] = {&staged[0], &staged[1], &staged[2]};
    const int from = layout_of(in), to = layout_of(out);
    ptrdiff_t x = 0;
    if ((from == PLANAR && to != OTHER) || (from == PACKED && (to == PACKED || to == PLANAR))) {
        span s = {
            .in_layout = from, .out_layout = to, .gamut = gamut, .count = width / LANES * LANES};
        for (int c = 0; c < 3; c++) {
            s.in[c] = span_pointer(in, 0, from, c);
            s.out[c] = span_pointer(out, 0, to, c);
        }
        convert(&s);
        x = s.count;
    }
    for (ptrdiff_t n; x < width; x += n) {
        n = least(width - x, STAGED);
        for (int c = 0; c < in.channels; c++)
            copy_samples(&staged[c], 1, sample_at(in, x, c), in.stride.pixel, n, in.type);
        row_samples rest = out;
        rest.start = sample_at(out, x, 0);
        write_pixels(convert, rest, planes, size_of(in.type), n, gamut);
    }
}

static void convert_rows(const tc_conversion *job, ptrdiff_t first, ptrdiff_t last,
                         span_fn *convert, int out_type, int out_channels, int in_type,
                         int in_channels)
{
    for (ptrdiff_t y = first; y < last; y++) {
        row_samples out = {(char *)job->out + y * job->out_stride.row * size_of(out_type),
                           job->out_stride, out_type, out_channels};
        row_samples in = {(char *)job->in + y * job->in_stride.row * size_of(in_type),
                          job->in_stride, in_type, in_channels};
        convert_row(convert, out, in, job->width, job->gamut);
    }
}

static void lab_from_rgb_u8(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, lab_from_rgb_u8_span, TC_F32, 3, TC_U8, 3);
}

static void lab_from_rgb_f32(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, lab_from_rgb_f32_span, TC_F32, 3, TC_F32, 3);
}

static void rgb_u8_from_lab(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, rgb_u8_from_lab_span, TC_U8, 3, TC_F32, 3);
}

static void rgb_f32_from_lab(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, rgb_f32_from_lab_span, TC_F32, 3, TC_F32, 3);
}

static void luv_from_rgb_u8(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, luv_from_rgb_u8_span, TC_F32, 3, TC_U8, 3);
}

static void luv_from_rgb_f32(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, luv_from_rgb_f32_span, TC_F32, 3, TC_F32, 3);
}

static void rgb_u8_from_luv(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, rgb_u8_from_luv_span, TC_U8, 3, TC_F32, 3);
}

static void rgb_f32_from_luv(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, rgb_f32_from_luv_span, TC_F32, 3, TC_F32, 3);
}

static void lightness_from_rgb_u8(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, lightness_from_rgb_u8_span, TC_F32, 1, TC_U8, 3);
}

static void lightness_from_rgb_f32(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, lightness_from_rgb_f32_span, TC_F32, 1, TC_F32, 3);
}

static void lightness_from_grey_f32(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    convert_rows(job, first, last, lightness_from_grey_f32_span, TC_F32, 1, TC_F32, 1);
}

static void lightness_from_u8(const void *context, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *job = context;
    tc_stride os = job->out_stride, is = job->in_stride;
    for (ptrdiff_t y = first; y < last; y++) {
        float *out = (float *)job->out + y * os.row;
        const uint8_t *in = (const uint8_t *)job->in + y * is.row;
        if (os.pixel == 1 && is.pixel == 1)
            v_look_up_u8(out, in, job->table, job->width);
        else
            for (ptrdiff_t x = 0; x < job->width; x++)
                out[x * os.pixel] = job->table[in[x * is.pixel]];
    }
}

static void lightness_from_u16(const void *context, ptrdiff_t first, ptrdiff_t last)
{
    const tc_conversion *job = context;
    tc_stride os = job->out_stride, is = job->in_stride;
    for (ptrdiff_t y = first; y < last; y++) {
        float *out = (float *)job->out + y * os.row;
        const uint16_t *in = (const uint16_t *)job->in + y * is.row;
        for (ptrdiff_t x = 0; x < job->width; x++)
            out[x * os.pixel] = job->table[in[x * is.pixel]];
    }
}

#endif
