/* Rows of chroma at the resolution of pixels, or of another plane.
 *
 * A block of columns at a time, rows from the top: a chroma row is made clean once, two of them are
 * blended once for each row that is asked for, and the result is enlarged along the row. All of it
 * stays in the first-level cache.
 */
#ifndef TRTCOLOR_SIMD_CHROMA_H
#define TRTCOLOR_SIMD_CHROMA_H

#include "simd_rows.h"
#include "taps.h"

enum {
    BLOCK = 1024, /* columns */
    MARGIN = 64,  /* beyond a block's samples: vector loads may run over both ends */
    CHROMA_ROW = BLOCK + 2 * MARGIN,
};

_Static_assert(MARGIN >= 2 * LANES + 2, "v_lookup may read 2 LANES + 1 floats on from a sample");

typedef struct {
    float a[CHROMA_ROW], b[CHROMA_ROW]; /* the block's first sample is at [MARGIN] */
} chroma_row;

/* The grids of a block's columns and of the chroma: the same, two columns a sample, or any. */
enum { COINCIDING, DOUBLED, ANY };

typedef struct {
    const float *chroma;
    tc_stride stride;
    ptrdiff_t chroma_width;
    int grid;
    ptrdiff_t start, count;        /* columns */
    ptrdiff_t origin, samples;     /* chroma columns */
    int32_t column[BLOCK + LANES]; /* of the left sample of each column, from the origin */
    float weight[BLOCK + LANES];   /* of the right one */
    ptrdiff_t clean_y[2];          /* which chroma rows are in clean, by their parity */
    chroma_row clean[2], blended, enlarged;
} chroma_block;

/* The widest block of columns from `start` whose chroma fits: narrower where chroma is the larger.
 */
static void plan_block(chroma_block *b, tc_lattice columns, ptrdiff_t start, ptrdiff_t width)
{
    const int doubled = columns.step == 0.5 && columns.offset == -0.25;
    b->grid = columns.step == 1.0 && columns.offset == 0.0 ? COINCIDING : doubled ? DOUBLED : ANY;
    b->start = start;
    b->count = least(BLOCK, width - start);
    b->origin = doubled ? start / 2 : tc_lattice_tap(start, columns, b->chroma_width).low;
    for (;; b->count /= 2) {
        ptrdiff_t end = start + b->count - 1;
        b->samples = tc_lattice_tap(end, columns, b->chroma_width).high - b->origin + 1;
        if (b->samples <= BLOCK + 1 || b->count == 1)
            break;
    }
    b->clean_y[0] = b->clean_y[1] = -1;
    for (ptrdiff_t x = 0; b->grid == ANY && x < b->count + LANES; x++) {
        tc_tap tap = tc_lattice_tap(start + least(x, b->count - 1), columns, b->chroma_width);
        b->column[x] = (int32_t)(tap.low - b->origin);
        b->weight[x] = tap.weight;
    }
}

/* One channel of a chroma row, its outermost samples repeated once on either side. */
static void clean_samples(float *to, const chroma_block *b, ptrdiff_t y, int channel)
{
    const ptrdiff_t before = b->origin > 0, after = b->origin + b->samples < b->chroma_width;
    const float *from = b->chroma + y * b->stride.row + channel * b->stride.channel;
    copy_samples(to - before, 1, from + (b->origin - before) * b->stride.pixel, b->stride.pixel,
                 before + b->samples + after, TC_F32);
    if (!before)
        to[-1] = to[0];
    if (!after)
        to[b->samples] = to[b->samples - 1];
    for (ptrdiff_t x = -LANES; x <= b->samples; x += LANES)
        v_store(to + x, v_clean(v_load(to + x), 1000.0f));
}

static const chroma_row *clean_row(chroma_block *b, ptrdiff_t y)
{
    chroma_row *row = &b->clean[y & 1];
    if (b->clean_y[y & 1] != y) {
        clean_samples(row->a + MARGIN, b, y, 0);
        clean_samples(row->b + MARGIN, b, y, 1);
        b->clean_y[y & 1] = y;
    }
    return row;
}

static const chroma_row *blended_row(chroma_block *b, tc_tap tap)
{
    const chroma_row *low = clean_row(b, tap.low), *high = clean_row(b, tap.high);
    const vec weight = v_set(tap.weight);
    if (tap.weight == 0.0f)
        return low;
    for (ptrdiff_t x = MARGIN - LANES; x <= MARGIN + b->samples; x += LANES) {
        vec a_low = v_load(low->a + x), b_low = v_load(low->b + x);
        v_store(b->blended.a + x, v_fma(weight, v_sub(v_load(high->a + x), a_low), a_low));
        v_store(b->blended.b + x, v_fma(weight, v_sub(v_load(high->b + x), b_low), b_low));
    }
    return &b->blended;
}

static void enlarge(float *out, const float *row, const chroma_block *b)
{
    if (b->grid == DOUBLED)
        for (ptrdiff_t x = 0; x < b->count; x += 2 * LANES)
            v_double(out + x, row + x / 2);
    else
        for (ptrdiff_t x = 0; x < b->count; x += LANES) {
            vec left = v_lookup(row, b->column + x, 0), right = v_lookup(row, b->column + x, 1);
            v_store(out + x, v_fma(v_load(b->weight + x), v_sub(right, left), left));
        }
}

/* The block's chroma between two rows, from [MARGIN] on, good until the next call. */
static const chroma_row *chroma_between(chroma_block *b, tc_tap rows)
{
    const chroma_row *row = blended_row(b, rows);
    if (b->grid == COINCIDING)
        return row;
    enlarge(b->enlarged.a + MARGIN, row->a + MARGIN, b);
    enlarge(b->enlarged.b + MARGIN, row->b + MARGIN, b);
    return &b->enlarged;
}

#endif
