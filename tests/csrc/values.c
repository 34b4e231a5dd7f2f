/* What samples hold: colours of every kind, and numbers that are none. */
#include "check.h"

#include <float.h>
#include <math.h>

/* The largest chroma of a style; L* and RGB have their own, below. */
static const float chroma_reach[] = {[SOFT] = 30, [VIVID] = 130, [DARK] = 8, [GREY] = 0};

static float one_of(const float *values, int count) { return values[random_below(count)]; }

#define ONE_OF(...)                                                                                \
    one_of((const float[]){__VA_ARGS__}, (int)(sizeof(float[]){__VA_ARGS__} / sizeof(float)))

static float wild_value(void)
{
    return ONE_OF(NAN, -NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, FLT_MIN, -FLT_MIN, 1e-42f,
                  -1e-42f, 0.0f, -0.0f, 1e9f, -1e9f, 1000.0f, -1000.0f, 1001.0f);
}

static float rgb_value(int style)
{
    switch (style) {
    case VIVID:
        return random_float(-0.2f, 1.2f);
    case DARK:
        return random_float(0.0f, 0.06f);
    case EDGES:
        return ONE_OF(0.0f, 1.0f, 0.04045f, 0.040450003f, 0.5f, 0.99999994f, 1.0000001f, 1e-7f);
    default:
        return random_float(0.0f, 1.0f);
    }
}

static float lightness_value(int style)
{
    switch (style) {
    case FAR:
        return random_float(20.0f, 80.0f);
    case VIVID:
        return random_float(-5.0f, 105.0f);
    case DARK:
        return random_float(0.0f, 8.5f);
    case EDGES:
        return ONE_OF(0.0f, 100.0f, 8.0f, 7.9999995f, 8.000001f, 100.00001f, 1e-5f, -1.0f, -50.0f);
    default:
        return random_float(0.0f, 100.0f);
    }
}

static float chroma_value(int style)
{
    if (style == FAR)
        return random_float(110.0f, 130.0f) * (random_below(2) ? 1.0f : -1.0f);
    if (style == EDGES)
        return ONE_OF(0.0f, 1e-6f, -1e-6f, 128.0f, -128.0f, 98.0f, -108.0f);
    return random_float(-chroma_reach[style], chroma_reach[style]);
}

static float float_value(int style, int meaning, int channel)
{
    if (style == WILD) {
        if (!random_below(3))
            return wild_value();
        style = VIVID;
    }
    switch (meaning) {
    case OF_LAB:
    case OF_LUV:
        return channel ? chroma_value(style) : lightness_value(style);
    case OF_CHROMA:
        return chroma_value(style);
    case OF_LIGHTNESS:
        return lightness_value(style);
    default:
        return rgb_value(style);
    }
}

static double code_value(int style, int codes)
{
    switch (style) {
    case DARK:
        return random_below(codes / 20);
    case EDGES:
        return random_below(2) ? codes - 1 : 0;
    default:
        return random_below(codes);
    }
}

static void fill_pixel(const picture *p, int meaning, int style, ptrdiff_t y, ptrdiff_t x)
{
    for (int c = 0; c < p->channels; c++) {
        double value = p->type == TC_F32 ? float_value(style, meaning, c)
                                         : code_value(style, p->type == TC_U8 ? 256 : 65536);
        if (meaning == OF_RGB && style == GREY && c > 0)
            value = picture_value(p, y, x, 0);
        if (meaning == OF_LUV && style != WILD && c > 0) /* u* and v* shrink with L* */
            value *= fmax(picture_value(p, y, x, 0), 0) * 0.014;
        picture_set(p, y, x, c, value);
    }
}

static void copy_pixel(const picture *p, ptrdiff_t y, ptrdiff_t x, ptrdiff_t from_y,
                       ptrdiff_t from_x)
{
    for (int c = 0; c < p->channels; c++)
        picture_set(p, y, x, c, picture_value(p, from_y, from_x, c));
}

void fill_with(const picture *p, int meaning, int style)
{
    for (ptrdiff_t y = 0; y < p->height; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            fill_pixel(p, meaning, style, y, x);
}

void fill(const picture *p, int meaning)
{
    int style = random_below(FAR);
    bool one_row = !random_below(6), one_column = !random_below(6);
    for (ptrdiff_t y = 0; y < p->height; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            if ((one_row && y) || (one_column && x))
                copy_pixel(p, y, x, one_row ? 0 : y, one_column ? 0 : x);
            else
                fill_pixel(p, meaning, style, y, x);
}
