/* Where the samples of one grid read another: bilinear, edge clamped. */
#ifndef TRTCOLOR_TAPS_H
#define TRTCOLOR_TAPS_H

#include <stddef.h>

/* Sample i of an axis lies at step * i + offset on the axis that it reads. In double since a float
 * position is too coarse for a wide picture. Step 1 and offset 0 is where the grids coincide. */
typedef struct {
    double step, offset;
} tc_lattice;

/* Half-pixel centres: `scale` pixels a sample, or `samples` spread over `size` pixels if it is 0.
 */
static inline tc_lattice tc_pixel_lattice(int scale, ptrdiff_t size, ptrdiff_t samples)
{
    double step = scale ? 1.0 / scale : (double)samples / (double)size;
    return (tc_lattice){step, 0.5 * step - 0.5};
}

/* Between the samples `low` and `high` of an axis. */
typedef struct {
    ptrdiff_t low, high;
    float weight; /* of high */
} tc_tap;

static inline tc_tap tc_lattice_tap(ptrdiff_t i, tc_lattice lattice, ptrdiff_t samples)
{
    double position = (double)i * lattice.step + lattice.offset;
    double last = (double)(samples - 1);
    position = position < 0.0 ? 0.0 : position > last ? last : position;
    ptrdiff_t low = (ptrdiff_t)position;
    return (tc_tap){low, low + (low + 1 < samples), (float)(position - (double)low)};
}

#endif
