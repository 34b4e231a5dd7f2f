/* What a kernel wrote, and what it should have. */
#include "check.h"

#include <math.h>
#include <string.h>

/* To the byte, but any NaN is as good as another. */
static bool same_sample(const picture *p, ptrdiff_t y, ptrdiff_t x, const picture *q, ptrdiff_t qy,
                        ptrdiff_t qx, int channel)
{
    return !memcmp(picture_at(p, y, x, channel), picture_at(q, qy, qx, channel),
                   sample_bytes[p->type]) ||
           (isnan(picture_value(p, y, x, channel)) && isnan(picture_value(q, qy, qx, channel)));
}

void require_same(const picture *p, const picture *expected, ptrdiff_t first, ptrdiff_t last)
{
    for (ptrdiff_t y = first; y < last; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            for (int c = 0; c < p->channels; c++)
                if (!same_sample(p, y, x, expected, y, x, c))
                    fail("%tdx%td, rows %td..%td, strides %td/%td/%td: row %td column %td "
                         "channel %d is %.9g, in the plain layout %.9g",
                         p->height, p->width, first, last, p->stride.row, p->stride.pixel,
                         p->stride.channel, y, x, c, picture_value(p, y, x, c),
                         picture_value(expected, y, x, c));
}

void require_alone(const picture *p, const picture *pixel, ptrdiff_t y, ptrdiff_t x)
{
    for (int c = 0; c < p->channels; c++)
        if (!same_sample(pixel, 0, 0, p, y, x, c))
            fail("%tdx%td: row %td column %td channel %d is %.9g, but the pixel alone gives %.9g",
                 p->height, p->width, y, x, c, picture_value(p, y, x, c),
                 picture_value(pixel, 0, 0, c));
}

void require_untouched(const picture *p, ptrdiff_t first, ptrdiff_t last)
{
    for (ptrdiff_t y = first; y < last; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            for (int c = 0; c < p->channels; c++) {
                char *sample = picture_at(p, y, x, c);
                poison(sample, sample + sample_bytes[p->type]);
            }
    for (const char *byte = p->low; byte < p->high; byte++)
        if ((uint8_t)*byte != poison_at(byte))
            fail("%tdx%td, rows %td..%td, strides %td/%td/%td: wrote %td bytes from the first "
                 "sample, where no sample of these rows is",
                 p->height, p->width, first, last, p->stride.row, p->stride.pixel,
                 p->stride.channel, byte - p->origin);
}

double rgb_tolerance(int type)
{
    return type == TC_U8 ? 1 : type == TC_U16 ? ceil(65535 * RGB_TOLERANCE) : RGB_TOLERANCE;
}

static double needed_most;

double tolerance_needed(void)
{
    double needed = needed_most;
    needed_most = 0;
    return needed;
}

void require_close(const picture *p, const picture *expected, double tolerance)
{
    for (ptrdiff_t y = 0; y < p->height; y++)
        for (ptrdiff_t x = 0; x < p->width; x++)
            for (int c = 0; c < p->channels; c++) {
                double came = picture_value(p, y, x, c);
                double needed = picture_value(expected, y, x, c);
                if (came == needed || (isnan(came) && isnan(needed)))
                    continue;
                if (!(fabs(came - needed) <= tolerance))
                    fail("%tdx%td: row %td column %td channel %d is %.9g, by the reference %.9g, "
                         "apart by more than %.3g",
                         p->height, p->width, y, x, c, came, needed, tolerance);
                needed_most = fmax(needed_most, fabs(came - needed) / tolerance);
            }
}
