/* tc_merge: full-resolution lightness with chroma of its own, lower resolution. */
#include "check.h"

/* Inputs and output of one job. */
typedef struct {
    picture rgb, lightness, chroma;
} pictures;

static const float *table_of(int lightness_type)
{
    static float table[65536];
    ptrdiff_t levels = lightness_type == TC_U8 ? 256 : 65536;
    if (lightness_type == TC_F32)
        return NULL;
    tc_lightness_table(table, levels);
    return guarded_copy(table, sizeof *table * (size_t)levels);
}

static tc_merge job_of(const pictures *p, int scale, int gamut, const float *table)
{
    return (tc_merge){
        .rgb = p->rgb.origin,
        .rgb_stride = p->rgb.stride,
        .rgb_type = p->rgb.type,
        .lightness = p->lightness.origin,
        .lightness_stride = p->lightness.stride,
        .lightness_type = p->lightness.type,
        .table = table,
        .chroma = (const float *)p->chroma.origin,
        .chroma_stride = p->chroma.stride,
        .height = p->rgb.height,
        .width = p->rgb.width,
        .chroma_height = p->chroma.height,
        .chroma_width = p->chroma.width,
        .scale = scale,
        .gamut = gamut,
    };
}

/* `greatest` where the scale leaves it open, which may be far more than there are pixels. */
static ptrdiff_t chroma_side(ptrdiff_t side, int scale, ptrdiff_t greatest)
{
    return scale ? (side + scale - 1) / scale : random_between(1, greatest);
}

static void check_merge(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self;
    ptrdiff_t height, width, first, last;
    random_size(&height, &width);
    int scale = (const int[]){0, 1, 2, 2, 2, 4}[random_below(6)];
    int gamut = random_below(2) ? TC_GAMUT_CLIP : TC_GAMUT_REDUCE;
    int rgb_type = (const int[]){TC_U8, TC_U8, TC_U16, TC_F32}[random_below(4)];
    int lightness_type = (const int[]){TC_F32, TC_F32, TC_U8, TC_U16}[random_below(4)];
    const float *table = table_of(lightness_type);

    pictures plain = {
        .rgb = picture_packed(rgb_type, 3, height, width),
        .lightness = picture_packed(lightness_type, 1, height, width),
        .chroma = picture_planar(TC_F32, 2, chroma_side(height, scale, 70),
                                 chroma_side(width, scale, random_below(8) ? 70 : 3000)),
    };
    fill(&plain.lightness, lightness_type == TC_F32 ? OF_LIGHTNESS : OF_GREY);
    fill(&plain.chroma, OF_CHROMA);
    tc_merge job = job_of(&plain, scale, gamut, table);
    tested(&job, 0, height);
    pictures expected = plain;
    expected.rgb = picture_packed(rgb_type, 3, height, width);
    job = job_of(&expected, scale, gamut, table);
    reference(&job, 0, height);
    require_close(&plain.rgb, &expected.rgb, rgb_tolerance(rgb_type));

    for (int i = 0, count = places_count(); i < 3; i++, places_keep(count)) {
        pictures other = {
            .rgb = picture_of_any_layout(&plain.rgb),
            .lightness = picture_elsewhere(&plain.lightness),
            .chroma = picture_elsewhere(&plain.chroma),
        };
        random_rows(height, &first, &last);
        job = job_of(&other, scale, gamut, table);
        tested(&job, first, last);
        require_same(&other.rgb, &plain.rgb, first, last);
        require_untouched(&other.rgb, first, last);
    }
}

static void require_one_colour(const picture *rgb)
{
    for (ptrdiff_t y = 0; y < rgb->height; y++)
        for (ptrdiff_t x = 0; x < rgb->width; x++)
            for (int c = 0; c < 3; c++)
                if (picture_value(rgb, y, x, c) != picture_value(rgb, 0, 0, c))
                    fail("%tdx%td of one colour: row %td column %td channel %d is %.9g, but at the "
                         "first pixel %.9g",
                         rgb->height, rgb->width, y, x, c, picture_value(rgb, y, x, c),
                         picture_value(rgb, 0, 0, c));
}

/* Where lightness and chroma are the same everywhere, so is the result. */
static void check_merge_constant(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self, (void)reference;
    ptrdiff_t height, width;
    random_size(&height, &width);
    int scale = (const int[]){0, 1, 2, 4}[random_below(4)];
    pictures p = {
        .rgb = picture_packed(random_below(2) ? TC_U8 : TC_F32, 3, height, width),
        .lightness = picture_packed(TC_F32, 1, 1, 1),
        .chroma = picture_packed(TC_F32, 2, 1, 1),
    };
    fill(&p.lightness, OF_LIGHTNESS);
    fill(&p.chroma, OF_CHROMA);
    tc_merge job = job_of(&p, scale, random_below(2) ? TC_GAMUT_CLIP : TC_GAMUT_REDUCE, NULL);
    job.lightness_stride.row = job.lightness_stride.pixel = 0;
    job.chroma_stride.row = job.chroma_stride.pixel = 0;
    job.chroma_height = chroma_side(height, scale, 70);
    job.chroma_width = chroma_side(width, scale, random_below(8) ? 70 : 3000);
    tested(&job, 0, height);
    require_one_colour(&p.rgb);
}

/* With chroma of every pixel's own, each pixel alone gives what it gives in its row. */
static void check_merge_single(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self, (void)reference;
    ptrdiff_t height, width;
    random_size(&height, &width);
    int gamut = random_below(2) ? TC_GAMUT_CLIP : TC_GAMUT_REDUCE;
    int rgb_type = random_below(2) ? TC_U8 : TC_F32;
    pictures p = {
        .rgb = picture_packed(rgb_type, 3, height, width),
        .lightness = picture_packed(TC_F32, 1, height, width),
        .chroma = picture_planar(TC_F32, 2, height, width),
    };
    fill(&p.lightness, OF_LIGHTNESS);
    fill(&p.chroma, OF_CHROMA);
    tc_merge job = job_of(&p, 1, gamut, NULL);
    tested(&job, 0, height);
    for (int i = 0, count = places_count(); i < 16; i++, places_keep(count)) {
        ptrdiff_t y = random_below((int)height), x = random_below((int)width);
        picture pixel = picture_packed(rgb_type, 3, 1, 1);
        job = job_of(&p, 1, gamut, NULL);
        job.rgb = pixel.origin;
        job.lightness = picture_at(&p.lightness, y, x, 0);
        job.chroma = picture_at(&p.chroma, y, x, 0);
        job.height = job.width = job.chroma_height = job.chroma_width = 1;
        tested(&job, 0, 1);
        require_alone(&p.rgb, &pixel, y, x);
    }
}

static void check_all(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    int which = random_below(10);
    (which == 0   ? check_merge_constant
     : which == 1 ? check_merge_single
                  : check_merge)(self, tested, reference);
}

/* ---- timing --------------------------------------------------------------------------------- */

typedef struct {
    const char *label;
    int lightness_type, rgb_type, scale, gamut, chroma_style;
    bool planar;
} merge_timing;

static const merge_timing timings[] = {
    {"f32 x2 rgb24", TC_F32, TC_U8, 2, TC_GAMUT_CLIP, SOFT, false},
    {"f32 x2 rgb24, reduce", TC_F32, TC_U8, 2, TC_GAMUT_REDUCE, SOFT, false},
    {"f32 x2 rgb24, reduce all", TC_F32, TC_U8, 2, TC_GAMUT_REDUCE, FAR, false},
    {"u8 x2 rgb24", TC_U8, TC_U8, 2, TC_GAMUT_CLIP, SOFT, false},
    {"u16 x2 rgb48", TC_U16, TC_U16, 2, TC_GAMUT_CLIP, SOFT, false},
    {"f32 x2 rgb f32", TC_F32, TC_F32, 2, TC_GAMUT_CLIP, SOFT, false},
    {"f32 x2 planes u8", TC_F32, TC_U8, 2, TC_GAMUT_CLIP, SOFT, true},
    {"f32 x1 rgb24", TC_F32, TC_U8, 1, TC_GAMUT_CLIP, SOFT, false},
    {"f32 x4 rgb24", TC_F32, TC_U8, 4, TC_GAMUT_CLIP, SOFT, false},
    {"f32 any rgb24", TC_F32, TC_U8, 0, TC_GAMUT_CLIP, SOFT, false},
};

static bool bench_merge(const kernel *self, int index, timing *timing)
{
    static tc_merge job;
    (void)self;
    if (index >= (int)(sizeof timings / sizeof *timings))
        return false;
    const merge_timing *t = &timings[index];
    ptrdiff_t side = t->scale ? BENCH_SIZE / t->scale : 300;
    picture (*make)(int, int, ptrdiff_t, ptrdiff_t) = t->planar ? picture_planar : picture_packed;
    pictures p = {
        .rgb = make(t->rgb_type, 3, BENCH_SIZE, BENCH_SIZE),
        .lightness = picture_packed(t->lightness_type, 1, BENCH_SIZE, BENCH_SIZE),
        .chroma = picture_planar(TC_F32, 2, side, side),
    };
    fill_with(&p.lightness, OF_LIGHTNESS, t->chroma_style);
    fill_with(&p.chroma, OF_CHROMA, t->chroma_style);
    job = job_of(&p, t->scale, t->gamut, table_of(t->lightness_type));
    timing->label = t->label;
    timing->job = &job;
    timing->rows = BENCH_SIZE;
    timing->pixels = BENCH_SIZE * BENCH_SIZE;
    return true;
}

const kernel merge_kernels[] = {
    {"merge_lab", offsetof(tc_kernels, merge_lab), check_all, bench_merge, NULL, 5},
    {0},
};
