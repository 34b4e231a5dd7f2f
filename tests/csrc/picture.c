/* Pictures in any layout. */
#include "check.h"

#include <string.h>

const size_t sample_bytes[] = {[TC_U8] = 1, [TC_U16] = 2, [TC_F32] = 4};

/* ---- layouts ------------------------------------------------------------------------------- */

static picture picture_placed(int type, int channels, ptrdiff_t height, ptrdiff_t width,
                              tc_stride stride)
{
    picture p = {
        .type = type, .channels = channels, .height = height, .width = width, .stride = stride};
    const ptrdiff_t reach[] = {stride.row * (height - 1), stride.pixel * (width - 1),
                               stride.channel * (channels - 1)};
    ptrdiff_t before = 0, after = 1;
    for (int axis = 0; axis < 3; axis++)
        *(reach[axis] < 0 ? &before : &after) += reach[axis];
    size_t size = sample_bytes[type];
    char *start = place((size_t)(after - before) * size, size, &p.low, &p.high);
    p.origin = start - before * (ptrdiff_t)size;
    return p;
}

picture picture_packed(int type, int channels, ptrdiff_t height, ptrdiff_t width)
{
    return picture_placed(type, channels, height, width,
                          (tc_stride){channels * width, channels, channels > 1});
}

picture picture_planar(int type, int channels, ptrdiff_t height, ptrdiff_t width)
{
    return picture_placed(type, channels, height, width,
                          (tc_stride){width, 1, channels > 1 ? height * width : 0});
}

enum { ROW, PIXEL, CHANNEL };

/* Axes from the innermost to the outermost. Packed and planar come most often since these are the
 * ones with code of their own; then rows of planes, and transposed pictures. */
static const int axis_orders[][3] = {
    {CHANNEL, PIXEL, ROW}, {CHANNEL, PIXEL, ROW}, {CHANNEL, PIXEL, ROW}, {PIXEL, ROW, CHANNEL},
    {PIXEL, ROW, CHANNEL}, {PIXEL, ROW, CHANNEL}, {PIXEL, CHANNEL, ROW}, {ROW, PIXEL, CHANNEL},
};

static tc_stride random_strides(const picture *like)
{
    const int *order = axis_orders[random_below(8)];
    const ptrdiff_t sides[] = {like->height, like->width, like->channels};
    ptrdiff_t strides[3], stride = 1;
    bool gaps = random_below(2);
    for (int i = 0; i < 3; i++) {
        int axis = order[i];
        if (gaps && !random_below(3))
            stride += random_between(1, axis == ROW ? 40 : 2);
        strides[axis] = stride;
        stride *= sides[axis];
    }
    bool flips = !random_below(3);
    for (int axis = 0; axis < 3; axis++)
        if (flips && random_below(2))
            strides[axis] = -strides[axis];
    if (like->channels == 3 && order[0] == CHANNEL && !random_below(4))
        strides[CHANNEL] = -1; /* BGR */
    return (tc_stride){strides[ROW], strides[PIXEL], like->channels > 1 ? strides[CHANNEL] : 0};
}

picture picture_of_any_layout(const picture *like)
{
    return picture_placed(like->type, like->channels, like->height, like->width,
                          random_strides(like));
}

/* Whether all samples are as the first along an axis. */
static bool constant_along(const picture *p, int axis)
{
    for (ptrdiff_t y = 0; y < p->height; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            for (int c = 0; c < p->channels; c++)
                if (memcmp(picture_at(p, y, x, c),
                           picture_at(p, axis == ROW ? 0 : y, axis == PIXEL ? 0 : x,
                                      axis == CHANNEL ? 0 : c),
                           sample_bytes[p->type]))
                    return false;
    return true;
}

picture picture_elsewhere(const picture *source)
{
    tc_stride stride = random_strides(source);
    if (random_below(2)) {
        stride.row = constant_along(source, ROW) ? 0 : stride.row;
        stride.pixel = constant_along(source, PIXEL) ? 0 : stride.pixel;
        stride.channel = constant_along(source, CHANNEL) ? 0 : stride.channel;
    }
    picture p =
        picture_placed(source->type, source->channels, source->height, source->width, stride);
    for (ptrdiff_t y = 0; y < p.height; y++)
        for (ptrdiff_t x = 0; x < p.width; x++)
            for (int c = 0; c < p.channels; c++)
                memcpy(picture_at(&p, y, x, c), picture_at(source, y, x, c), sample_bytes[p.type]);
    return p;
}

/* ---- samples ------------------------------------------------------------------------------- */

void *picture_at(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel)
{
    ptrdiff_t sample = y * p->stride.row + x * p->stride.pixel + channel * p->stride.channel;
    return p->origin + sample * (ptrdiff_t)sample_bytes[p->type];
}

double picture_value(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel)
{
    const void *sample = picture_at(p, y, x, channel);
    switch (p->type) {
    case TC_U8:
        return *(const uint8_t *)sample;
    case TC_U16:
        return *(const uint16_t *)sample;
    default:
        return *(const float *)sample;
    }
}

void picture_set(const picture *p, ptrdiff_t y, ptrdiff_t x, int channel, double value)
{
    void *sample = picture_at(p, y, x, channel);
    switch (p->type) {
    case TC_U8:
        *(uint8_t *)sample = (uint8_t)value;
        break;
    case TC_U16:
        *(uint16_t *)sample = (uint16_t)value;
        break;
    default:
        *(float *)sample = (float)value;
    }
}
