/* The kernels of tc_conversion: pixel by pixel from one picture to another. */
#include "check.h"

typedef struct {
    int in_type, in_channels, in_meaning;
    int out_type, out_channels;
    int levels; /* of the table, or 0 for none */
} conversion;

static bool gives_rgb(const conversion *kind)
{
    return kind->in_meaning == OF_LAB || kind->in_meaning == OF_LUV;
}

/* L* of each code, at a guard page; one for all cases. */
static const float *lightness_table(int levels)
{
    static float table[65536];
    tc_lightness_table(table, levels);
    return guarded_copy(table, sizeof *table * (size_t)levels);
}

static tc_conversion job_of(const picture *out, const picture *in, int gamut, const float *table)
{
    return (tc_conversion){
        .out = out->origin,
        .out_stride = out->stride,
        .in = in->origin,
        .in_stride = in->stride,
        .width = in->width,
        .gamut = gamut,
        .table = table,
    };
}

/* Each pixel alone gives what it gives in its row. */
static void check_single_pixels(tc_kernel *tested, const picture *in, const picture *plain,
                                int gamut, const float *table)
{
    for (int i = 0, count = places_count(); i < 8; i++, places_keep(count)) {
        ptrdiff_t y = random_below((int)in->height), x = random_below((int)in->width);
        picture pixel = picture_packed(plain->type, plain->channels, 1, 1);
        tc_conversion job = job_of(&pixel, in, gamut, table);
        job.in = picture_at(in, y, x, 0);
        job.width = 1;
        tested(&job, 0, 1);
        require_alone(plain, &pixel, y, x);
    }
}

static void check_conversion(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    const conversion *kind = self->kind;
    ptrdiff_t height, width, first, last;
    random_size(&height, &width);
    int gamut = random_below(2) ? TC_GAMUT_CLIP : TC_GAMUT_REDUCE;
    const float *table = kind->levels ? lightness_table(kind->levels) : NULL;

    picture in = picture_packed(kind->in_type, kind->in_channels, height, width);
    fill(&in, kind->in_meaning);

    picture expected = picture_packed(kind->out_type, kind->out_channels, height, width);
    tc_conversion job = job_of(&expected, &in, gamut, table);
    reference(&job, 0, height);
    picture plain = picture_packed(kind->out_type, kind->out_channels, height, width);
    job = job_of(&plain, &in, gamut, table);
    tested(&job, 0, height);
    require_close(&plain, &expected,
                  gives_rgb(kind) ? rgb_tolerance(kind->out_type) : LAB_TOLERANCE);

    for (int i = 0, count = places_count(); i < 3; i++) {
        picture source = picture_elsewhere(&in), out = picture_of_any_layout(&plain);
        random_rows(height, &first, &last);
        job = job_of(&out, &source, gamut, table);
        tested(&job, first, last);
        require_same(&out, &plain, first, last);
        require_untouched(&out, first, last);
        places_keep(count);
    }
    check_single_pixels(tested, &in, &plain, gamut, table);
}

/* Both layouts; for a conversion to RGB also with chroma reduced, of few pixels and of all. */
static bool bench_conversion(const kernel *self, int index, timing *timing)
{
    static tc_conversion job;
    static const char *const labels[] = {"packed", "planar", "packed, reduce",
                                         "packed, reduce all"};
    const conversion *kind = self->kind;
    bool planes = kind->in_channels == 1, to_rgb = gives_rgb(kind);
    if (index >= (planes ? 1 : to_rgb ? 4 : 2))
        return false;
    picture (*make)(int, int, ptrdiff_t, ptrdiff_t) = index == 1 ? picture_planar : picture_packed;
    picture in = make(kind->in_type, kind->in_channels, BENCH_SIZE, BENCH_SIZE);
    picture out = make(kind->out_type, kind->out_channels, BENCH_SIZE, BENCH_SIZE);
    fill_with(&in, kind->in_meaning, index == 3 ? FAR : SOFT);
    job = job_of(&out, &in, index > 1 ? TC_GAMUT_REDUCE : TC_GAMUT_CLIP,
                 kind->levels ? lightness_table(kind->levels) : NULL);
    timing->label = planes ? "" : labels[index];
    timing->job = &job;
    timing->rows = BENCH_SIZE;
    timing->pixels = BENCH_SIZE * BENCH_SIZE;
    return true;
}

#define CONVERSION(field, ...)                                                                     \
    {                                                                                              \
#field, offsetof(tc_kernels, field), check_conversion, bench_conversion,                   \
            &(const conversion){__VA_ARGS__ }, 1,                                                  \
    }

const kernel conversion_kernels[] = {
    CONVERSION(lab_from_rgb_u8, TC_U8, 3, OF_RGB, TC_F32, 3, 0),
    CONVERSION(lab_from_rgb_f32, TC_F32, 3, OF_RGB, TC_F32, 3, 0),
    CONVERSION(rgb_u8_from_lab, TC_F32, 3, OF_LAB, TC_U8, 3, 0),
    CONVERSION(rgb_f32_from_lab, TC_F32, 3, OF_LAB, TC_F32, 3, 0),
    CONVERSION(luv_from_rgb_u8, TC_U8, 3, OF_RGB, TC_F32, 3, 0),
    CONVERSION(luv_from_rgb_f32, TC_F32, 3, OF_RGB, TC_F32, 3, 0),
    CONVERSION(rgb_u8_from_luv, TC_F32, 3, OF_LUV, TC_U8, 3, 0),
    CONVERSION(rgb_f32_from_luv, TC_F32, 3, OF_LUV, TC_F32, 3, 0),
    CONVERSION(lightness_from_rgb_u8, TC_U8, 3, OF_RGB, TC_F32, 1, 0),
    CONVERSION(lightness_from_rgb_f32, TC_F32, 3, OF_RGB, TC_F32, 1, 0),
    CONVERSION(lightness_from_u8, TC_U8, 1, OF_GREY, TC_F32, 1, 256),
    CONVERSION(lightness_from_u16, TC_U16, 1, OF_GREY, TC_F32, 1, 65536),
    CONVERSION(lightness_from_grey_f32, TC_F32, 1, OF_GREY, TC_F32, 1, 0),
    {0},
};
