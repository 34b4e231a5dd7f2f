/* The scalar reference: chroma between its samples. */
#ifndef TRTCOLOR_SCALAR_CHROMA_H
#define TRTCOLOR_SCALAR_CHROMA_H

#include "scalar.h"
#include "taps.h"

static inline float blend(float low, float high, float weight)
{
    return low + weight * (high - low);
}

/* One channel of chroma, between two rows and two columns. */
static inline float chroma_at(const float *chroma, tc_stride stride, tc_tap row, tc_tap column)
{
    const float *low = chroma + row.low * stride.row, *high = chroma + row.high * stride.row;
    ptrdiff_t left = column.low * stride.pixel, right = column.high * stride.pixel;
    return blend(blend(clamp_lab(low[left]), clamp_lab(high[left]), row.weight),
                 blend(clamp_lab(low[right]), clamp_lab(high[right]), row.weight), column.weight);
}

#endif
