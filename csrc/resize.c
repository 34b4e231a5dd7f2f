/* The scalar reference: planes at another size, one axis after the other. */
#include "scalar.h"

#include <string.h>

ptrdiff_t tc_resize_taps(ptrdiff_t source, ptrdiff_t target)
{
    if (target == source)
        return 1;
    return target > source ? 2 : (source + target - 1) / target + 1;
}

/* Positions are whole numbers: in units of 1/target of a source sample when reducing, of
 * 1/(2 target) when enlarging, so no weight suffers from a rounded position. */
void tc_resize_weights(ptrdiff_t *start, ptrdiff_t *count, float *values, ptrdiff_t source,
                       ptrdiff_t target)
{
    ptrdiff_t taps = tc_resize_taps(source, target);
    memset(values, 0, (size_t)(target * taps) * sizeof *values);
    for (ptrdiff_t i = 0; i < target; i++) {
        float *value = values + i * taps;
        if (target == source) {
            start[i] = i;
            count[i] = 1;
            value[0] = 1.0f;
        } else if (target < source) {
            ptrdiff_t from = i * source, to = from + source; /* the stretch that i covers */
            start[i] = from / target;
            count[i] = (to - 1) / target + 1 - start[i];
            for (ptrdiff_t k = 0; k < count[i]; k++) {
                ptrdiff_t low = (start[i] + k) * target, high = low + target;
                low = low > from ? low : from;
                high = high < to ? high : to;
                value[k] = (float)((double)(high - low) / (double)source);
            }
        } else {
            ptrdiff_t position = (2 * i + 1) * source - target;
            ptrdiff_t last = 2 * target * (source - 1);
            position = position < 0 ? 0 : position > last ? last : position;
            ptrdiff_t rest = position % (2 * target);
            start[i] = position / (2 * target);
            count[i] = rest ? 2 : 1;
            value[0] = (float)(1.0 - (double)rest / (double)(2 * target));
            if (rest)
                value[1] = (float)((double)rest / (double)(2 * target));
        }
    }
}

/* A stretch of one target row that has its height already, but still the source's columns. */
enum { BLOCK = 512 };
typedef struct {
    float samples[BLOCK];
    ptrdiff_t from, to; /* source columns */
} block;

/* The columns of the block as the sum over the source rows that target row y reads. */
static void sum_rows(block *b, const tc_resize *r, ptrdiff_t y)
{
    const float *value = r->rows.values + y * r->rows.taps;
    ptrdiff_t width = b->to - b->from, step = r->plane_stride.pixel;
    for (ptrdiff_t k = 0; k < r->rows.count[y]; k++) {
        const float *row = r->plane + (r->rows.start[y] + k) * r->plane_stride.row + b->from * step;
        float weight = value[k];
        if (k == 0)
            for (ptrdiff_t x = 0; x < width; x++)
                b->samples[x] = weight * row[x * step];
        else if (step == 1) /* a loop of its own, which compilers vectorise */
            for (ptrdiff_t x = 0; x < width; x++)
                b->samples[x] += weight * row[x];
        else
            for (ptrdiff_t x = 0; x < width; x++)
                b->samples[x] += weight * row[x * step];
    }
}

/* The sum of the source columns that target column x reads; the block moves along with them. */
static float sum_columns(block *b, const tc_resize *r, ptrdiff_t y, ptrdiff_t x)
{
    const tc_axis *columns = &r->columns;
    const float *value = columns->values + x * columns->taps;
    ptrdiff_t column = columns->start[x], end = column + columns->count[x];
    float sum = -0.0f; /* which every number is added to unchanged, -0 too */
    while (column < end) {
        if (column < b->from || column >= b->to) {
            ptrdiff_t rest = columns->source - column;
            b->from = column;
            b->to = column + (rest < BLOCK ? rest : BLOCK);
            sum_rows(b, r, y);
        }
        for (ptrdiff_t to = end < b->to ? end : b->to; column < to; column++)
            sum += *value++ * b->samples[column - b->from];
    }
    return sum;
}

void tc_resize_plane_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_resize *r = job;
    for (ptrdiff_t y = first; y < last; y++) {
        block b;
        b.from = b.to = 0;
        for (ptrdiff_t x = 0; x < r->columns.target; x++)
            r->out[y * r->out_stride.row + x * r->out_stride.pixel] = sum_columns(&b, r, y, x);
    }
}
