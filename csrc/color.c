/* The scalar reference of the kernels in color.h, in plain C. */
#include "color.h"

#include <math.h>
#include <string.h>

/* ---- tables -------------------------------------------------------------------------------- */

/* Encoding to uint8 rounds correctly without a power: encode_threshold[c] is the least float whose
 * code is c. The float's exponent and 7 bits of its mantissa pick a segment; segments are so short
 * that each has at most one threshold, so the code at the segment's start is right or one less. */
enum {
    ENCODE_FIRST_EXPONENT = -13, /* 2^-13 still has code 0 */
    ENCODE_SHIFT = 23 - 7,
    ENCODE_SEGMENTS = -ENCODE_FIRST_EXPONENT << 7,
};
#define ENCODE_FIRST_BITS ((uint32_t)(127 + ENCODE_FIRST_EXPONENT) << 23)

static float decode_u8[256];
static float encode_threshold[257];
static uint8_t encode_start[ENCODE_SEGMENTS];

static double decode_exactly(double coded)
{
    return coded <= TC_SRGB_CODED_KNEE
               ? coded / TC_SRGB_SLOPE
               : pow((coded + TC_SRGB_OFFSET) / (1.0 + TC_SRGB_OFFSET), TC_SRGB_GAMMA);
}

static inline uint32_t bits_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

static inline float float_from_bits(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

void tc_init(void)
{
    for (int code = 0; code < 256; code++) {
        decode_u8[code] = (float)decode_exactly(code / 255.0);
        double threshold = decode_exactly((code - 0.5) / 255.0);
        encode_threshold[code] = (float)threshold;
        if ((double)encode_threshold[code] < threshold)
            encode_threshold[code] = nextafterf(encode_threshold[code], 2.0f);
    }
    encode_threshold[256] = INFINITY;
    for (int segment = 0, code = 0; segment < ENCODE_SEGMENTS; segment++) {
        float start = float_from_bits(ENCODE_FIRST_BITS + ((uint32_t)segment << ENCODE_SHIFT));
        while (start >= encode_threshold[code + 1])
            code++;
        encode_start[segment] = (uint8_t)code;
    }
}

void tc_lightness_table(float *table, ptrdiff_t levels)
{
    for (ptrdiff_t code = 0; code < levels; code++) {
        double y = decode_exactly((double)code / (double)(levels - 1));
        double f = y > TC_F_KNEE_CUBED ? cbrt(y) : TC_F_SLOPE * y + TC_F_OFFSET;
        table[code] = (float)(116.0 * f - 16.0);
    }
}

/* ---- one number ---------------------------------------------------------------------------- */

/* Written so that a NaN fails the first comparison and becomes 0. */
static inline float clamp_unit(float x)
{
    return x > 0.0f ? (x < 1.0f ? x : 1.0f) : 0.0f;
}

static inline float clamp_lab(float x)
{
    if (x != x)
        return 0.0f;
    return x > 1000.0f ? 1000.0f : x < -1000.0f ? -1000.0f : x;
}

/* Cube root of a normal x > 0, within 1 ulp or so. The seed of x^(-1/3) from the float's bits is
 * within 3.5 %; a fourth-order step leaves 2e-5; one Newton step on the root itself leaves the
 * rounding. No division, so that vector variants can do the same. */
static inline float cube_root(float x)
{
    float r = float_from_bits(0x54a22eca - bits_from_float(x) / 3);
    float e = 1.0f - x * r * r * r;
    r += r * e * (1.0f / 3.0f + e * (2.0f / 9.0f + e * (14.0f / 81.0f)));
    float root = x * r * r;
    return root + (x - root * root * root) * (r * r) * (1.0f / 3.0f);
}

/* sRGB to linear for 0..1. x^2.4 = (x * x^(-1/5))^3, the fifth root found as above. */
static inline float decode(float coded)
{
    if (coded <= (float)TC_SRGB_CODED_KNEE)
        return coded * (float)(1.0 / TC_SRGB_SLOPE);
    float x = (coded + (float)TC_SRGB_OFFSET) * (float)(1.0 / (1.0 + TC_SRGB_OFFSET));
    float r = float_from_bits(0x4c2ba983 - bits_from_float(x) / 5);
    float e = 1.0f - x * (r * r) * (r * r) * r;
    r += r * e * (1.0f / 5.0f + e * (3.0f / 25.0f + e * (11.0f / 125.0f)));
    e = 1.0f - x * (r * r) * (r * r) * r;
    r += r * e * (1.0f / 5.0f);
    float root = x * r;
    return root * root * root;
}

/* Linear to sRGB for any float; what is outside 0..1 is clipped. x^(1/2.4) = c * c^(1/4) with c the
 * cube root. */
static inline float encode_f32(float linear)
{
    linear = clamp_unit(linear);
    if (linear <= (float)TC_SRGB_LINEAR_KNEE)
        return linear * (float)TC_SRGB_SLOPE;
    float root = cube_root(linear);
    float power = root * sqrtf(sqrtf(root));
    return clamp_unit((float)(1.0 + TC_SRGB_OFFSET) * power - (float)TC_SRGB_OFFSET);
}

static inline uint8_t encode_u8(float linear)
{
    if (!(linear >= encode_threshold[1]))
        return 0;
    if (linear >= 1.0f)
        return 255;
    int code = encode_start[(bits_from_float(linear) - ENCODE_FIRST_BITS) >> ENCODE_SHIFT];
    return (uint8_t)(code + (linear >= encode_threshold[code + 1]));
}

static inline float cie_f(float t)
{
    return t > (float)TC_F_KNEE_CUBED ? cube_root(t) : (float)TC_F_SLOPE * t + (float)TC_F_OFFSET;
}

static inline float cie_f_inverse(float f)
{
    return f > (float)TC_F_KNEE ? f * f * f
                                : (float)(1.0 / TC_F_SLOPE) * (f - (float)TC_F_OFFSET);
}

/* ---- one pixel ----------------------------------------------------------------------------- */

typedef struct {
    float r, g, b;
} linear_rgb;

static inline float luminance(linear_rgb c)
{
    return (float)TC_Y_FROM_R * c.r + (float)TC_Y_FROM_G * c.g + (float)TC_Y_FROM_B * c.b;
}

static inline void store_lab(float *lab, ptrdiff_t channel, linear_rgb c)
{
    float x = (float)TC_X_FROM_R * c.r + (float)TC_X_FROM_G * c.g + (float)TC_X_FROM_B * c.b;
    float z = (float)TC_Z_FROM_R * c.r + (float)TC_Z_FROM_G * c.g + (float)TC_Z_FROM_B * c.b;
    float fx = cie_f(x), fy = cie_f(luminance(c)), fz = cie_f(z);
    lab[0] = 116.0f * fy - 16.0f;
    lab[channel] = 500.0f * (fx - fy);
    lab[2 * channel] = 200.0f * (fy - fz);
}

static inline linear_rgb linear_from_f(float fx, float fy, float fz)
{
    float x = cie_f_inverse(fx), y = cie_f_inverse(fy), z = cie_f_inverse(fz);
    return (linear_rgb){
        (float)TC_R_FROM_X * x + (float)TC_R_FROM_Y * y + (float)TC_R_FROM_Z * z,
        (float)TC_G_FROM_X * x + (float)TC_G_FROM_Y * y + (float)TC_G_FROM_Z * z,
        (float)TC_B_FROM_X * x + (float)TC_B_FROM_Y * y + (float)TC_B_FROM_Z * z,
    };
}

/* The tolerance covers the rounding of the matrix, so that colours on the gamut's faces (a uint8
 * picture has many) are left alone. */
static inline int in_gamut(linear_rgb c)
{
    const float middle = 0.5f, reach = 0.5f + 2e-6f;
    return (fabsf(c.r - middle) <= reach) & (fabsf(c.g - middle) <= reach) &
           (fabsf(c.b - middle) <= reach);
}

/* Not yet clipped. 16 halvings place the gamut's edge within 2^-16 of the chroma; the scale kept
 * is always one that was seen to fit, so L* does not change. */
static inline linear_rgb linear_from_lab(float l, float a, float b, int gamut)
{
    if (gamut == TC_GAMUT_REDUCE)
        l = l > 0.0f ? (l < 100.0f ? l : 100.0f) : 0.0f;
    float fy = (l + 16.0f) * (1.0f / 116.0f);
    float dx = a * (1.0f / 500.0f), dz = b * (-1.0f / 200.0f);
    linear_rgb colour = linear_from_f(fy + dx, fy, fy + dz);
    if (gamut != TC_GAMUT_REDUCE || in_gamut(colour))
        return colour;
    float scale = 0.0f, step = 0.5f;
    colour = linear_from_f(fy, fy, fy);
    for (int i = 0; i < 16; i++, step *= 0.5f) {
        float more = scale + step;
        linear_rgb trial = linear_from_f(fy + more * dx, fy, fy + more * dz);
        if (in_gamut(trial)) {
            scale = more;
            colour = trial;
        }
    }
    return colour;
}

static inline linear_rgb load_u8(const uint8_t *rgb, ptrdiff_t channel)
{
    return (linear_rgb){decode_u8[rgb[0]], decode_u8[rgb[channel]], decode_u8[rgb[2 * channel]]};
}

static inline linear_rgb load_f32(const float *rgb, ptrdiff_t channel)
{
    return (linear_rgb){decode(clamp_unit(rgb[0])), decode(clamp_unit(rgb[channel])),
                        decode(clamp_unit(rgb[2 * channel]))};
}

static inline void store_u8(uint8_t *rgb, ptrdiff_t channel, linear_rgb c)
{
    rgb[0] = encode_u8(c.r);
    rgb[channel] = encode_u8(c.g);
    rgb[2 * channel] = encode_u8(c.b);
}

static inline void store_f32(float *rgb, ptrdiff_t channel, linear_rgb c)
{
    rgb[0] = encode_f32(c.r);
    rgb[channel] = encode_f32(c.g);
    rgb[2 * channel] = encode_f32(c.b);
}

/* ---- conversions of a whole picture ------------------------------------------------------- */

void tc_lab_from_rgb_u8_c(float *lab, tc_stride ls, const uint8_t *rgb, tc_stride rs,
                          ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            store_lab(lab + y * ls.row + x * ls.pixel, ls.channel,
                      load_u8(rgb + y * rs.row + x * rs.pixel, rs.channel));
}

void tc_lab_from_rgb_f32_c(float *lab, tc_stride ls, const float *rgb, tc_stride rs,
                           ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            store_lab(lab + y * ls.row + x * ls.pixel, ls.channel,
                      load_f32(rgb + y * rs.row + x * rs.pixel, rs.channel));
}

static inline linear_rgb load_lab(const float *lab, ptrdiff_t channel, int gamut)
{
    return linear_from_lab(clamp_lab(lab[0]), clamp_lab(lab[channel]),
                           clamp_lab(lab[2 * channel]), gamut);
}

void tc_rgb_u8_from_lab_c(uint8_t *rgb, tc_stride rs, const float *lab, tc_stride ls,
                          ptrdiff_t height, ptrdiff_t width, int gamut)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            store_u8(rgb + y * rs.row + x * rs.pixel, rs.channel,
                     load_lab(lab + y * ls.row + x * ls.pixel, ls.channel, gamut));
}

void tc_rgb_f32_from_lab_c(float *rgb, tc_stride rs, const float *lab, tc_stride ls,
                           ptrdiff_t height, ptrdiff_t width, int gamut)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            store_f32(rgb + y * rs.row + x * rs.pixel, rs.channel,
                      load_lab(lab + y * ls.row + x * ls.pixel, ls.channel, gamut));
}

void tc_lightness_from_rgb_u8_c(float *lightness, tc_stride ls, const uint8_t *rgb, tc_stride rs,
                                ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++) {
            linear_rgb c = load_u8(rgb + y * rs.row + x * rs.pixel, rs.channel);
            lightness[y * ls.row + x * ls.pixel] = 116.0f * cie_f(luminance(c)) - 16.0f;
        }
}

void tc_lightness_from_rgb_f32_c(float *lightness, tc_stride ls, const float *rgb, tc_stride rs,
                                 ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++) {
            linear_rgb c = load_f32(rgb + y * rs.row + x * rs.pixel, rs.channel);
            lightness[y * ls.row + x * ls.pixel] = 116.0f * cie_f(luminance(c)) - 16.0f;
        }
}

void tc_lightness_from_grey_u8_c(float *lightness, tc_stride ls, const uint8_t *grey, tc_stride gs,
                                 ptrdiff_t height, ptrdiff_t width, const float *table)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            lightness[y * ls.row + x * ls.pixel] = table[grey[y * gs.row + x * gs.pixel]];
}

void tc_lightness_from_grey_u16_c(float *lightness, tc_stride ls, const uint16_t *grey,
                                  tc_stride gs, ptrdiff_t height, ptrdiff_t width,
                                  const float *table)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            lightness[y * ls.row + x * ls.pixel] = table[grey[y * gs.row + x * gs.pixel]];
}

void tc_lightness_from_grey_f32_c(float *lightness, tc_stride ls, const float *grey, tc_stride gs,
                                  ptrdiff_t height, ptrdiff_t width)
{
    for (ptrdiff_t y = 0; y < height; y++)
        for (ptrdiff_t x = 0; x < width; x++) {
            float linear = decode(clamp_unit(grey[y * gs.row + x * gs.pixel]));
            lightness[y * ls.row + x * ls.pixel] = 116.0f * cie_f(linear) - 16.0f;
        }
}

/* ---- full-resolution lightness with low-resolution chroma ---------------------------------- */

/* Where output sample i reads an axis of `size` chroma samples: between `low` and `high`. In double
 * since a float position is too coarse for a wide picture. */
typedef struct {
    ptrdiff_t low, high;
    float weight; /* of high */
} tap;

static inline tap tap_at(ptrdiff_t i, double step, ptrdiff_t size)
{
    double position = ((double)i + 0.5) * step - 0.5;
    double last = (double)(size - 1);
    position = position < 0.0 ? 0.0 : position > last ? last : position;
    ptrdiff_t low = (ptrdiff_t)position;
    return (tap){low, low + (low + 1 < size), (float)(position - (double)low)};
}

static inline double chroma_step(int scale, ptrdiff_t size, ptrdiff_t chroma_size)
{
    return scale ? 1.0 / scale : (double)chroma_size / (double)size;
}

static inline float blend(float low, float high, float weight)
{
    return low + weight * (high - low);
}

/* The chroma of one output row, still at the chroma's own width: a*, b*, a*, b*, ... */
static void blend_chroma_rows(float *row, const float *chroma, tc_stride cs, tap t,
                              ptrdiff_t width)
{
    const float *low = chroma + t.low * cs.row, *high = chroma + t.high * cs.row;
    for (ptrdiff_t x = 0; x < width; x++) {
        ptrdiff_t a = x * cs.pixel, b = a + cs.channel;
        row[2 * x] = blend(clamp_lab(low[a]), clamp_lab(high[a]), t.weight);
        row[2 * x + 1] = blend(clamp_lab(low[b]), clamp_lab(high[b]), t.weight);
    }
}

static inline linear_rgb merged(float lightness, const float *row, tap t, int gamut)
{
    const float *low = row + 2 * t.low, *high = row + 2 * t.high;
    return linear_from_lab(clamp_lab(lightness), blend(low[0], high[0], t.weight),
                           blend(low[1], high[1], t.weight), gamut);
}

void tc_merge_lab_u8_c(uint8_t *rgb, tc_stride rs, const float *lightness, tc_stride ls,
                       const float *chroma, tc_stride cs, ptrdiff_t height, ptrdiff_t width,
                       ptrdiff_t chroma_height, ptrdiff_t chroma_width, int scale, int gamut,
                       float *scratch)
{
    double step_y = chroma_step(scale, height, chroma_height);
    double step_x = chroma_step(scale, width, chroma_width);
    for (ptrdiff_t y = 0; y < height; y++) {
        blend_chroma_rows(scratch, chroma, cs, tap_at(y, step_y, chroma_height), chroma_width);
        for (ptrdiff_t x = 0; x < width; x++)
            store_u8(rgb + y * rs.row + x * rs.pixel, rs.channel,
                     merged(lightness[y * ls.row + x * ls.pixel], scratch,
                            tap_at(x, step_x, chroma_width), gamut));
    }
}

void tc_merge_lab_f32_c(float *rgb, tc_stride rs, const float *lightness, tc_stride ls,
                        const float *chroma, tc_stride cs, ptrdiff_t height, ptrdiff_t width,
                        ptrdiff_t chroma_height, ptrdiff_t chroma_width, int scale, int gamut,
                        float *scratch)
{
    double step_y = chroma_step(scale, height, chroma_height);
    double step_x = chroma_step(scale, width, chroma_width);
    for (ptrdiff_t y = 0; y < height; y++) {
        blend_chroma_rows(scratch, chroma, cs, tap_at(y, step_y, chroma_height), chroma_width);
        for (ptrdiff_t x = 0; x < width; x++)
            store_f32(rgb + y * rs.row + x * rs.pixel, rs.channel,
                      merged(lightness[y * ls.row + x * ls.pixel], scratch,
                             tap_at(x, step_x, chroma_width), gamut));
    }
}

/* ---- resizing ------------------------------------------------------------------------------ */

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

void tc_resize_plane_c(float *out, tc_stride os, const float *plane, tc_stride ps,
                       const tc_axis *rows, const tc_axis *columns, float *scratch)
{
    for (ptrdiff_t y = 0; y < rows->target; y++) {
        const float *value = rows->values + y * rows->taps;
        for (ptrdiff_t k = 0; k < rows->count[y]; k++) {
            const float *row = plane + (rows->start[y] + k) * ps.row;
            if (k == 0)
                for (ptrdiff_t x = 0; x < columns->source; x++)
                    scratch[x] = value[0] * row[x * ps.pixel];
            else
                for (ptrdiff_t x = 0; x < columns->source; x++)
                    scratch[x] += value[k] * row[x * ps.pixel];
        }
        for (ptrdiff_t x = 0; x < columns->target; x++) {
            const float *sample = scratch + columns->start[x];
            value = columns->values + x * columns->taps;
            float sum = value[0] * sample[0];
            for (ptrdiff_t k = 1; k < columns->count[x]; k++)
                sum += value[k] * sample[k];
            out[y * os.row + x * os.pixel] = sum;
        }
    }
}
