/* tc_upsample: chroma at full resolution, guided by lightness. */
#include "check.h"

#include <math.h>

/* Inputs and output of one job. */
typedef struct {
    picture out, lightness, chroma, guide;
} pictures;

/* What of the job does not follow from its pictures. */
typedef struct {
    ptrdiff_t height, top;
    int scale;
    float range_sigma;
} settings;

static tc_upsample job_of(const pictures *p, settings s)
{
    return (tc_upsample){
        .out = (float *)p->out.origin,
        .out_stride = p->out.stride,
        .lightness = (const float *)p->lightness.origin,
        .lightness_stride = p->lightness.stride,
        .chroma = (const float *)p->chroma.origin,
        .chroma_stride = p->chroma.stride,
        .guide = (const float *)p->guide.origin,
        .guide_stride = p->guide.stride,
        .height = s.height,
        .width = p->out.width,
        .chroma_height = p->chroma.height,
        .chroma_width = p->chroma.width,
        .top = s.top,
        .scale = s.scale,
        .range_sigma = s.range_sigma,
    };
}

static ptrdiff_t chroma_side(ptrdiff_t side, int scale, ptrdiff_t greatest)
{
    return scale ? (side + scale - 1) / scale : random_between(1, greatest);
}

/* Pictures of which `rows` rows are done of a height that is at least that, from any row on. */
static pictures random_pictures(ptrdiff_t rows, ptrdiff_t width, settings *s)
{
    s->scale = (const int[]){0, 0, 1, 2, 2, 4}[random_below(6)];
    s->range_sigma = random_below(4) ? random_float(1.0f, 40.0f) : 0.01f;
    s->height = rows + (random_below(3) ? 0 : random_below(40));
    s->top = random_between(0, (int)(s->height - rows));
    ptrdiff_t chroma_height = chroma_side(s->height, s->scale, 70);
    ptrdiff_t chroma_width = chroma_side(width, s->scale, random_below(8) ? 70 : 3000);
    pictures p = {
        .out = picture_planar(TC_F32, 2, rows, width),
        .lightness = picture_packed(TC_F32, 1, rows, width),
        .chroma = picture_planar(TC_F32, 2, chroma_height, chroma_width),
        .guide = picture_packed(TC_F32, 1, chroma_height, chroma_width),
    };
    fill(&p.lightness, OF_LIGHTNESS);
    fill(&p.chroma, OF_CHROMA);
    fill(&p.guide, OF_LIGHTNESS);
    return p;
}

/* Weights are within 2e-5 of each other, so that a mean is within twice that of its samples. */
static double tolerance_for(const picture *chroma)
{
    double most = 0;
    for (ptrdiff_t y = 0; y < chroma->height; y++)
        for (ptrdiff_t x = 0; x < chroma->width; x++)
            for (int c = 0; c < 2; c++)
                most = fmax(most, fmin(fabs(picture_value(chroma, y, x, c)), 1000));
    return 4e-5 * most;
}

static void check_upsample(tc_kernel *tested, tc_kernel *reference)
{
    ptrdiff_t rows, width, first, last;
    settings s;
    random_size(&rows, &width);
    pictures plain = random_pictures(rows, width, &s);
    tc_upsample job = job_of(&plain, s);
    tested(&job, 0, rows);
    pictures expected = plain;
    expected.out = picture_planar(TC_F32, 2, rows, width);
    job = job_of(&expected, s);
    reference(&job, 0, rows);
    require_close(&plain.out, &expected.out, tolerance_for(&plain.chroma));

    for (int i = 0, count = places_count(); i < 3; i++, places_keep(count)) {
        pictures other = {
            .out = picture_of_any_layout(&plain.out),
            .lightness = picture_elsewhere(&plain.lightness),
            .chroma = picture_elsewhere(&plain.chroma),
            .guide = picture_elsewhere(&plain.guide),
        };
        random_rows(rows, &first, &last);
        job = job_of(&other, s);
        tested(&job, first, last);
        require_same(&other.out, &plain.out, first, last);
        require_untouched(&other.out, first, last);
    }
}

/* Chroma of one colour stays that, to the bit, whatever the lightness. */
static void check_upsample_constant(tc_kernel *tested)
{
    ptrdiff_t rows, width;
    settings s;
    random_size(&rows, &width);
    pictures p = random_pictures(rows, width, &s);
    float a = random_float(-130, 130), b = random_float(-130, 130);
    for (ptrdiff_t y = 0; y < p.chroma.height; y++)
        for (ptrdiff_t x = 0; x < p.chroma.width; x++) {
            picture_set(&p.chroma, y, x, 0, a);
            picture_set(&p.chroma, y, x, 1, b);
        }
    tc_upsample job = job_of(&p, s);
    tested(&job, 0, rows);
    for (ptrdiff_t y = 0; y < rows; y++)
        for (ptrdiff_t x = 0; x < width; x++)
            if (picture_value(&p.out, y, x, 0) != a || picture_value(&p.out, y, x, 1) != b)
                fail("%tdx%td of the colour %.9g, %.9g: row %td column %td is %.9g, %.9g", rows,
                     width, a, b, y, x, picture_value(&p.out, y, x, 0),
                     picture_value(&p.out, y, x, 1));
}

static void check_all(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self;
    if (random_below(8))
        check_upsample(tested, reference);
    else
        check_upsample_constant(tested);
}

static bool bench_upsample(const kernel *self, int index, timing *timing)
{
    static tc_upsample job;
    static const struct {
        const char *label;
        ptrdiff_t side;
    } sizes[] = {{"x2", BENCH_SIZE / 2}, {"x8", BENCH_SIZE / 8}, {"any", 300}};
    (void)self;
    if (index >= (int)(sizeof sizes / sizeof *sizes))
        return false;
    pictures p = {
        .out = picture_planar(TC_F32, 2, BENCH_SIZE, BENCH_SIZE),
        .lightness = picture_packed(TC_F32, 1, BENCH_SIZE, BENCH_SIZE),
        .chroma = picture_planar(TC_F32, 2, sizes[index].side, sizes[index].side),
        .guide = picture_packed(TC_F32, 1, sizes[index].side, sizes[index].side),
    };
    fill_with(&p.lightness, OF_LIGHTNESS, SOFT);
    fill_with(&p.chroma, OF_CHROMA, SOFT);
    fill_with(&p.guide, OF_LIGHTNESS, SOFT);
    job = job_of(&p, (settings){.height = BENCH_SIZE, .range_sigma = 12});
    timing->label = sizes[index].label;
    timing->job = &job;
    timing->rows = BENCH_SIZE;
    timing->pixels = BENCH_SIZE * BENCH_SIZE;
    return true;
}

const kernel upsample_kernels[] = {
    {"upsample_chroma", offsetof(tc_kernels, upsample_chroma), check_all, bench_upsample, NULL, 2},
    {0},
};
