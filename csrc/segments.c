#include "segments.h"

#include <math.h>

#include "color.h"

tc_segment_tables tc_segments;

typedef double curve(double);

static double linear_from_code(double code)
{
    return pow((code / 255.0 + TC_SRGB_OFFSET) / (1.0 + TC_SRGB_OFFSET), TC_SRGB_GAMMA);
}

static double encoding_power(double linear) { return pow(linear, 1.0 / TC_SRGB_GAMMA); }

static double inverse_cube_root(double t) { return 1.0 / cbrt(t); }

/* The polynomial of `terms` coefficients that equals f at the Chebyshev nodes of low..high, which
 * is close to the best one there. coefficient k goes to coefficients[k * stride]. */
static void fit(float *coefficients, int stride, int terms, curve *f, double low, double high)
{
    enum { MOST = 5 };
    const double pi = acos(-1.0);
    double node[MOST], divided[MOST], monomial[MOST] = {0};
    for (int i = 0; i < terms; i++) {
        node[i] = 0.5 * (low + high) + 0.5 * (high - low) * cos(pi * (i + 0.5) / terms);
        divided[i] = f(node[i]);
    }
    for (int order = 1; order < terms; order++)
        for (int i = terms - 1; i >= order; i--)
            divided[i] = (divided[i] - divided[i - 1]) / (node[i] - node[i - order]);
    /* Newton's form to powers: multiply by (x - node), add the next difference. */
    for (int i = terms - 1; i >= 0; i--) {
        for (int k = terms - 1; k > 0; k--)
            monomial[k] = monomial[k - 1] - node[i] * monomial[k];
        monomial[0] = divided[i] - node[i] * monomial[0];
    }
    for (int k = 0; k < terms; k++)
        coefficients[k * stride] = (float)monomial[k];
}

/* Segment i of 32 is where code * 31 / 255 rounds to i. */
static void fit_decode32(float *coefficients)
{
    const double knee = 255.0 * TC_SRGB_CODED_KNEE, step = 255.0 / 31.0;
    for (int i = 0; i < 32; i++)
        fit(coefficients + i, 32, 4, linear_from_code, fmax((i - 0.5) * step, knee),
            fmax((i + 0.5) * step, knee + 1.0));
}

/* The half octaves of code + 14, from 24..32 to 256..384; half an octave's index is its exponent's
 * two lowest bits and the mantissa's highest. */
static void fit_decode8(float *coefficients)
{
    const double knee = 255.0 * TC_SRGB_CODED_KNEE;
    for (int i = 0; i < 8; i++) {
        int half = i + 1; /* halves since 16 */
        double octave = ldexp(16.0, half / 2), low = octave * (half % 2 ? 1.5 : 1.0);
        int index = ((half / 2 + 4 + 127) & 3) << 1 | half % 2;
        fit(coefficients + index, 8, 5, linear_from_code, fmax(low - TC_DECODE_SHIFT, knee),
            low + octave / 2 - TC_DECODE_SHIFT);
    }
}

void tc_init_segments(void)
{
    static const double tops[TC_TOPS] = {1.0, 255.0, 65535.0};
    tc_segment_tables *s = &tc_segments;

    fit_decode32(s->decode32[0]);
    fit_decode8(s->decode8[0]);
    for (int i = 0; i < 32; i++) {
        fit(s->encode32[0] + i, 32, 3, encoding_power, 1.0 + i / 32.0, 1.0 + (i + 1) / 32.0);
        double octave = ldexp(1.0, (i >> 2) - 7);
        fit(s->root32[0] + i, 32, 2, inverse_cube_root, octave * (1.0 + (i & 3) / 4.0),
            octave * (1.0 + ((i & 3) + 1) / 4.0));
    }
    for (int i = 0; i < 8; i++) {
        /* The index is the exponent's lowest bit and two of the mantissa; 1..2 has an odd exponent.
         */
        double octave = i < 4 ? 0.5 : 1.0;
        fit(s->encode8[0] + i, 8, 5, encoding_power, octave * (1.0 + (i & 3) / 4.0),
            octave * (1.0 + ((i & 3) + 1) / 4.0));
        fit(s->root8[0] + i, 8, 2, inverse_cube_root, 1.0 + i / 8.0, 1.0 + (i + 1) / 8.0);
        s->root_scale8[i] = (float)inverse_cube_root(ldexp(1.0, i - 7));
    }
    for (int top = 0; top < TC_TOPS; top++)
        for (int e = -15; e <= 0; e++) {
            double scale = tops[top] * (1.0 + TC_SRGB_OFFSET);
            s->encode_scale16[top][(e + 127) & 15] = (float)(scale * encoding_power(ldexp(1.0, e)));
            /* 0.5..2 times 4^-7 .. 4^0, the exponent being 126 or 127 plus an even number */
            if (e >= -7)
                s->encode_scale8[top][(e + 63) & 7] =
                    (float)(scale * encoding_power(ldexp(1.0, 2 * e)));
        }
}
