/* Chroma at the resolution of pixels, joint bilateral: the tc_upsample kernel.
 *
 * A block of columns at a time, rows from the top: a row of chroma samples and of their lightness
 * is made clean once, and each pixel weighs the four samples around it.
 */
#ifndef TRTCOLOR_SIMD_UPSAMPLE_H
#define TRTCOLOR_SIMD_UPSAMPLE_H

#include "simd_chroma.h"

/* a*, b* and L* of a row of chroma samples; the block's first is at [MARGIN]. */
typedef struct {
    float sample[3][CHROMA_ROW];
} guided_row;

typedef struct {
    const tc_upsample *job;
    ptrdiff_t start, count;        /* columns */
    ptrdiff_t origin, samples;     /* chroma columns */
    int32_t column[BLOCK + LANES]; /* of the left sample of each column, from the origin */
    float weight[BLOCK + LANES];   /* of the right one */
    ptrdiff_t clean_y[2];          /* which rows are in clean, by their parity */
    guided_row clean[2];
} guided_block;

/* The widest block of columns from `start` whose samples fit. */
static void plan_guided_block(guided_block *b, tc_lattice columns, ptrdiff_t start)
{
    const tc_upsample *u = b->job;
    b->start = start;
    b->count = least(BLOCK, u->width - start);
    b->origin = tc_lattice_tap(start, columns, u->chroma_width).low;
    for (;; b->count /= 2) {
        ptrdiff_t end = start + b->count - 1;
        b->samples = tc_lattice_tap(end, columns, u->chroma_width).high - b->origin + 1;
        if (b->samples <= BLOCK + 1 || b->count == 1)
            break;
    }
    b->clean_y[0] = b->clean_y[1] = -1;
    for (ptrdiff_t x = 0; x < b->count + LANES; x++) {
        tc_tap tap = tc_lattice_tap(start + least(x, b->count - 1), columns, u->chroma_width);
        b->column[x] = (int32_t)(tap.low - b->origin);
        b->weight[x] = tap.weight;
    }
}

static const guided_row *guided_row_at(guided_block *b, ptrdiff_t y)
{
    const tc_upsample *u = b->job;
    guided_row *row = &b->clean[y & 1];
    if (b->clean_y[y & 1] == y)
        return row;
    for (int c = 0; c < 3; c++) {
        const tc_stride s = c < 2 ? u->chroma_stride : u->guide_stride;
        const float *from = (c < 2 ? u->chroma + c * s.channel : u->guide) + y * s.row;
        float *to = row->sample[c] + MARGIN;
        copy_samples(to, 1, from + b->origin * s.pixel, s.pixel, b->samples, TC_F32);
        to[b->samples] = to[b->samples - 1]; /* right of the last one, with a weight of 0 */
        for (ptrdiff_t x = 0; x <= b->samples; x += LANES)
            v_store(to + x, v_clean(v_load(to + x), 1000.0f));
    }
    b->clean_y[y & 1] = y;
    return row;
}

/* exp(-16 x) within 1e-5 of itself for x in 0..1, exp(-16) beyond: exp(-x) by its polynomial of
 * least relative error (3e-8), four times squared. */
INLINE vec exp_16_below_0(vec x)
{
    x = v_min(x, v_set(1.0f));
    vec e = v_fma(x, v_set(0.000841720395f), v_set(-0.00763369784f));
    e = v_fma(e, x, v_set(0.0412022984f));
    e = v_fma(e, x, v_set(-0.166506216f));
    e = v_fma(e, x, v_set(0.499973893f));
    e = v_fma(e, x, v_set(-0.999998547f));
    e = v_fma(e, x, v_set(1.0f));
    e = v_mul(e, e);
    e = v_mul(e, e);
    e = v_mul(e, e);
    return v_mul(e, e);
}

/* Weighted sums of a*, b* and 1, and the least and the greatest a* and b*. */
typedef struct {
    vec sum[3], least[2], most[2];
} gathered;

/* The samples to the left (side 0) or right (side 1) of LANES pixels. */
INLINE void gather(gathered *g, const guided_row *row, const int32_t *column, int side,
                   vec lightness, vec tent, vec per_sigma)
{
    vec guide = v_lookup(row->sample[2] + MARGIN, column, side);
    vec away = v_mul(v_sub(lightness, guide), per_sigma);
    vec weight = v_mul(tent, v_add(exp_16_below_0(v_mul(away, away)), v_set(TC_RANGE_FLOOR)));
    for (int c = 0; c < 2; c++) {
        vec chroma = v_lookup(row->sample[c] + MARGIN, column, side);
        g->sum[c] = v_fma(weight, chroma, g->sum[c]);
        g->least[c] = v_min(g->least[c], chroma);
        g->most[c] = v_max(g->most[c], chroma);
    }
    g->sum[2] = v_add(g->sum[2], weight);
}

/* Both arrays of out, and lightness, up to the next multiple of LANES. */
static void upsample_row(guided_block *b, tc_tap rows, const float *lightness, float *const out[2])
{
    const guided_row *low = guided_row_at(b, rows.low), *high = guided_row_at(b, rows.high);
    const vec below = v_set(rows.weight), above = v_set(1.0f - rows.weight);
    const vec per_sigma = v_set(0.17677669529663687f / b->job->range_sigma); /* sqrt(1 / 32) */
    for (ptrdiff_t x = 0; x < b->count; x += LANES) {
        const int32_t *column = b->column + x;
        const vec zero = v_set(0.0f), huge = v_set(1000.0f), tiny = v_set(-1000.0f);
        gathered g = {{zero, zero, zero}, {huge, huge}, {tiny, tiny}};
        vec l = v_clean(v_load(lightness + x), 1000.0f);
        vec right = v_load(b->weight + x), left = v_sub(v_set(1.0f), right);
        gather(&g, low, column, 0, l, v_mul(above, left), per_sigma);
        gather(&g, low, column, 1, l, v_mul(above, right), per_sigma);
        gather(&g, high, column, 0, l, v_mul(below, left), per_sigma);
        gather(&g, high, column, 1, l, v_mul(below, right), per_sigma);
        for (int c = 0; c < 2; c++)
            v_store(out[c] + x, v_min(v_max(v_div(g.sum[c], g.sum[2]), g.least[c]), g.most[c]));
    }
}

/* A block's columns of a row, in place where rows of floats lie so, and else by way of `staged`. */
static void upsample_block(guided_block *b, tc_lattice rows, ptrdiff_t y)
{
    const tc_upsample *u = b->job;
    const tc_stride in = u->lightness_stride, to = u->out_stride;
    const float *lightness = u->lightness + y * in.row + b->start * in.pixel;
    float *out[2], staged[3][BLOCK + LANES];
    const int whole = b->count % LANES == 0, direct = whole && to.pixel == 1;
    for (int c = 0; c < 2; c++)
        out[c] = u->out + y * to.row + b->start * to.pixel + c * to.channel;
    if (!whole || in.pixel != 1) {
        copy_samples(staged[2], 1, lightness, in.pixel, b->count, TC_F32);
        for (ptrdiff_t x = b->count; x % LANES; x++)
            staged[2][x] = 0.0f;
        lightness = staged[2];
    }
    upsample_row(b, tc_lattice_tap(u->top + y, rows, u->chroma_height), lightness,
                 direct ? out : (float *const[2]){staged[0], staged[1]});
    for (int c = 0; c < 2 && !direct; c++)
        copy_samples(out[c], to.pixel, staged[c], 1, b->count, TC_F32);
}

static void upsample_chroma(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_upsample *u = job;
    const tc_lattice rows = tc_pixel_lattice(u->scale, u->height, u->chroma_height);
    const tc_lattice columns = tc_pixel_lattice(u->scale, u->width, u->chroma_width);
    guided_block b = {.job = u};
    for (ptrdiff_t start = 0; start < u->width; start += b.count) {
        plan_guided_block(&b, columns, start);
        for (ptrdiff_t y = first; y < last; y++)
            upsample_block(&b, rows, y);
    }
}

#endif
