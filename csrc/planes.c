/* The scalar reference: U and V for a Y' plane that stays as it is. */
#include "planes.h"

#include "scalar_chroma.h"

/* Least squares over colours of sRGB, reweighted until the greatest error of f(Y) was 0.035. */
const tc_luma_matrix tc_luma_matrices[TC_MATRICES] = {
    [TC_BT601] = {0.299f,
                  0.114f,
                  {0.1324f, 1.1358f, -0.4213f, 0.1207f},
                  -0.7141f,
                  0.1359f,
                  {13.5076f, -23.4963f, 17.9565f},
                  {-2.9781f, 5.1f, -4.9477f},
                  {0.4827f, -1.3494f, 1.9398f}},
    [TC_BT709] = {0.2126f,
                  0.0722f,
                  {0.126f, 1.0929f, -0.3104f, 0.0692f},
                  -0.316f,
                  0.1115f,
                  {16.6852f, -35.606f, 24.4006f},
                  {-1.9303f, 1.4645f, -0.5528f},
                  {-0.1549f, 1.1056f, -0.5167f}},
    [TC_BT2020] = {0.2627f,
                   0.0593f,
                   {0.1287f, 1.1281f, -0.416f, 0.1335f},
                   -0.5352f,
                   0.1826f,
                   {16.3573f, -32.9587f, 23.9933f},
                   {-3.0575f, 4.9773f, -4.2269f},
                   {0.2013f, -0.2945f, 0.9523f}},
};

/* ---- one colour ---------------------------------------------------------------------------- */

typedef struct {
    float value, slope;
} component;

/* The sRGB encoding with its slope, beyond 0..1 as planes.h says. */
static inline component encode_beyond(float linear)
{
    const float steep = (float)TC_SRGB_SLOPE, below = TC_PLANES_BELOW;
    const float slope_at_1 = (float)((1.0 + TC_SRGB_OFFSET) / TC_SRGB_GAMMA);
    float inside = clamp_unit(linear), coded = encode_f32(inside);
    float under = linear < 0.0f ? (linear > -below ? linear : -below) : 0.0f;
    float over = linear > 1.0f ? linear - 1.0f : 0.0f;
    float value = coded + under * (steep + (0.5f * steep / below) * under) + slope_at_1 * over;
    float slope = inside > (float)TC_SRGB_LINEAR_KNEE
                      ? (float)(1.0 / TC_SRGB_GAMMA) * (coded + (float)TC_SRGB_OFFSET) / inside
                      : steep + (steep / below) * under;
    return (component){value, slope};
}

typedef struct {
    float r, g, b;
} coded_rgb;

static inline float luma_of(const tc_luma_matrix *m, coded_rgb c)
{
    return m->kr * c.r + (1.0f - m->kr - m->kb) * c.g + m->kb * c.b;
}

static inline float quadratic(const float c[3], float x) { return c[0] + x * (c[1] + x * c[2]); }

static inline float clamp(float x, float low, float high)
{
    return x > low ? (x < high ? x : high) : low;
}

static inline float start_of_search(const tc_luma_matrix *m, float luma, float dx, float dz)
{
    float grey = m->grey[0] + luma * quadratic(m->grey + 1, luma);
    float square = dx * dx * quadratic(m->xx, luma) + dx * dz * quadratic(m->xz, luma) +
                   dz * dz * quadratic(m->zz, luma);
    return clamp(grey + m->dx * dx + m->dz * dz + square, 0.13f, 1.1f);
}

/* R'G'B' of the colour with f(X) - f(Y) = dx, f(Z) - f(Y) = dz whose luma is the one given. Newton
 * on f(Y); the last step moves R'G'B' along its tangent, so that its luma is right to rounding. */
static inline coded_rgb colour_of_luma(const tc_luma_matrix *m, float luma, float dx, float dz,
                                       int steps)
{
    float fy = start_of_search(m, luma, dx, dz);
    coded_rgb colour = {luma, luma, luma};
    for (int i = 0; i < steps; i++) {
        linear_rgb linear = linear_from_f(fy + dx, fy, fy + dz);
        float x = cie_f_inverse_slope(fy + dx), y = cie_f_inverse_slope(fy);
        float z = cie_f_inverse_slope(fy + dz);
        component r = encode_beyond(linear.r), g = encode_beyond(linear.g);
        component b = encode_beyond(linear.b);
        coded_rgb slope = {
            r.slope * ((float)TC_R_FROM_X * x + (float)TC_R_FROM_Y * y + (float)TC_R_FROM_Z * z),
            g.slope * ((float)TC_G_FROM_X * x + (float)TC_G_FROM_Y * y + (float)TC_G_FROM_Z * z),
            b.slope * ((float)TC_B_FROM_X * x + (float)TC_B_FROM_Y * y + (float)TC_B_FROM_Z * z),
        };
        float rise = luma_of(m, slope);
        float short_of = luma - luma_of(m, (coded_rgb){r.value, g.value, b.value});
        float step = short_of / greater(rise, TC_PLANES_RISE);
        colour = (coded_rgb){r.value + slope.r * step, g.value + slope.g * step,
                             b.value + slope.b * step};
        fy = clamp(fy + step, TC_PLANES_F_LOW, TC_PLANES_F_HIGH);
    }
    return colour;
}

/* The share of the differences from luma that keeps R'G'B' in 0..1, at most 1. */
static inline float share_in_gamut(float luma, coded_rgb d)
{
    const float least = 1e-20f; /* instead of 0 / 0 */
    float room_up = 1.0f - luma, room_down = luma;
    float up = greater(greater(d.r, greater(d.g, d.b)), greater(room_up, least));
    float down = greater(greater(-d.r, greater(-d.g, -d.b)), greater(room_down, least));
    return room_up * down < room_down * up ? room_up / up : room_down / down;
}

typedef struct {
    float u, v; /* -0.5..0.5 */
} chroma_pair;

static inline chroma_pair chroma_of(const tc_luma_matrix *m, float luma, float a, float b,
                                    int steps)
{
    float dx = clamp(a, -TC_PLANES_CHROMA, TC_PLANES_CHROMA) * (1.0f / 500.0f);
    float dz = clamp(b, -TC_PLANES_CHROMA, TC_PLANES_CHROMA) * (-1.0f / 200.0f);
    coded_rgb c = colour_of_luma(m, luma, dx, dz, steps);
    c = (coded_rgb){greater(c.r, 0.0f), greater(c.g, 0.0f), greater(c.b, 0.0f)};
    float centre = luma_of(m, c);
    coded_rgb d = {c.r - centre, c.g - centre, c.b - centre};
    float share = share_in_gamut(luma, d);
    return (chroma_pair){share * d.b * (0.5f / (1.0f - m->kb)),
                         share * d.r * (0.5f / (1.0f - m->kr))};
}

/* ---- one sample ---------------------------------------------------------------------------- */

static inline float sample(const tc_planes *p, ptrdiff_t at)
{
    unsigned raw =
        p->sample_type == TC_U8 ? ((const uint8_t *)p->luma)[at] : ((const uint16_t *)p->luma)[at];
    return (float)(raw >> p->shift);
}

/* The mean Y' of the block of chroma sample (y, x), in 0..1. Sums of codes are exact. */
static inline float luma_of_block(const tc_planes *p, ptrdiff_t y, ptrdiff_t x)
{
    ptrdiff_t top = y << p->halved_rows, left = x << p->halved_columns;
    ptrdiff_t at = offset_of(p->luma_stride, top, left);
    ptrdiff_t below = p->halved_rows && top + 1 < p->height ? p->luma_stride.row : 0;
    ptrdiff_t right = p->halved_columns && left + 1 < p->width ? p->luma_stride.pixel : 0;
    /* Where there is no neighbour, the sample itself stands for it: the mean is the same. */
    float sum = sample(p, at) + sample(p, at + right) + sample(p, at + below) +
                sample(p, at + below + right);
    return clamp_unit((0.25f * sum - p->luma_black) * (1.0f / p->luma_range));
}

static inline void store(const tc_planes *p, void *plane, ptrdiff_t at, float chroma)
{
    float code = clamp(p->chroma_zero + p->chroma_range * chroma, p->chroma_low, p->chroma_high);
    unsigned raw = (unsigned)(code + 0.5f) << p->shift;
    if (p->sample_type == TC_U8)
        ((uint8_t *)plane)[at] = (uint8_t)raw;
    else
        ((uint16_t *)plane)[at] = (uint16_t)raw;
}

/* ---- planes -------------------------------------------------------------------------------- */

void tc_chroma_planes_c(const void *job, ptrdiff_t first, ptrdiff_t last)
{
    const tc_planes *p = job;
    const tc_luma_matrix *matrix = &tc_luma_matrices[p->matrix];
    const float *a_plane = p->chroma, *b_plane = p->chroma + p->chroma_stride.channel;
    ptrdiff_t width = (p->width + p->halved_columns) >> p->halved_columns;
    int steps = p->sample_type == TC_U8 ? TC_PLANES_STEPS_U8 : TC_PLANES_STEPS_U16;
    for (ptrdiff_t y = first; y < last; y++) {
        tc_tap row = tc_lattice_tap(y, p->rows, p->chroma_height);
        for (ptrdiff_t x = 0; x < width; x++) {
            tc_tap column = tc_lattice_tap(x, p->columns, p->chroma_width);
            float a = chroma_at(a_plane, p->chroma_stride, row, column);
            float b = chroma_at(b_plane, p->chroma_stride, row, column);
            chroma_pair c = chroma_of(matrix, luma_of_block(p, y, x), a, b, steps);
            store(p, p->u, offset_of(p->u_stride, y, x), c.u);
            store(p, p->v, offset_of(p->v_stride, y, x), c.v);
        }
    }
}

tc_lattice tc_chroma_lattice(int halved, int cosited, int scale, ptrdiff_t luma_size,
                             ptrdiff_t chroma_size)
{
    double density = scale ? 1.0 / scale : (double)chroma_size / (double)luma_size;
    double spacing = halved ? 2.0 : 1.0;
    double centre = halved && !cosited ? 1.0 : 0.5; /* of sample 0, in luma samples */
    return (tc_lattice){spacing * density, centre * density - 0.5};
}

void tc_luma_table(float *table, ptrdiff_t levels, int shift, double black, double range)
{
    for (ptrdiff_t i = 0; i < levels; i++) {
        double coded = ((double)(i >> shift) - black) / range;
        table[i] = (float)tc_lightness_of_grey(coded < 0.0 ? 0.0 : coded > 1.0 ? 1.0 : coded);
    }
}
