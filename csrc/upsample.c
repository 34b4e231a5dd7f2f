/* The scalar reference: chroma at the resolution of pixels, joint bilateral. */
#include "scalar_chroma.h"

/* What a pixel takes from one chroma sample, tent being the sample's bilinear weight. */
static inline void add_sample(const tc_upsample *u, ptrdiff_t y, ptrdiff_t x, float lightness,
                              float tent, float sums[3])
{
    float away =
        (lightness - clamp_lab(u->guide[offset_of(u->guide_stride, y, x)])) / u->range_sigma;
    float weight = tent * (expf(-0.5f * away * away) + TC_RANGE_FLOOR);
    const float *chroma = u->chroma + offset_of(u->chroma_stride, y, x);
    sums[0] += weight * clamp_lab(chroma[0]);
    sums[1] += weight * clamp_lab(chroma[u->chroma_stride.channel]);
    sums[2] += weight;
}

/* The mean of one channel, which rounding must not take out of its samples' range. */
static inline float mean_within(const tc_upsample *u, tc_tap row, tc_tap column, int channel,
                                float mean)
{
    const float *low = u->chroma + row.low * u->chroma_stride.row;
    const float *high = u->chroma + row.high * u->chroma_stride.row;
    const ptrdiff_t of_channel = channel * u->chroma_stride.channel;
    ptrdiff_t left = column.low * u->chroma_stride.pixel + of_channel;
    ptrdiff_t right = column.high * u->chroma_stride.pixel + of_channel;
    float a = clamp_lab(low[left]), b = clamp_lab(low[right]);
    float c = clamp_lab(high[left]), d = clamp_lab(high[right]);
    float least = lesser(lesser(a, b), lesser(c, d));
    float most = greater(greater(a, b), greater(c, d));
    return lesser(greater(mean, least), most);
}

void tc_upsample_chroma_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_upsample *u = job;
    const tc_lattice rows = tc_pixel_lattice(u->scale, u->height, u->chroma_height);
    const tc_lattice columns = tc_pixel_lattice(u->scale, u->width, u->chroma_width);
    for (ptrdiff_t y = first; y < last; y++) {
        tc_tap row = tc_lattice_tap(u->top + y, rows, u->chroma_height);
        for (ptrdiff_t x = 0; x < u->width; x++) {
            tc_tap column = tc_lattice_tap(x, columns, u->chroma_width);
            float lightness = clamp_lab(u->lightness[offset_of(u->lightness_stride, y, x)]);
            float up = 1.0f - row.weight, left = 1.0f - column.weight, sums[3] = {0};
            add_sample(u, row.low, column.low, lightness, up * left, sums);
            add_sample(u, row.low, column.high, lightness, up * column.weight, sums);
            add_sample(u, row.high, column.low, lightness, row.weight * left, sums);
            add_sample(u, row.high, column.high, lightness, row.weight * column.weight, sums);
            float *out = u->out + offset_of(u->out_stride, y, x);
            out[0] = mean_within(u, row, column, 0, sums[0] / sums[2]);
            out[u->out_stride.channel] = mean_within(u, row, column, 1, sums[1] / sums[2]);
        }
    }
}
