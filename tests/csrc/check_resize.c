/* tc_resize: a plane at another size. */
#include "check.h"

#include <math.h>

/* An axis whose arrays each end, or start, at a guard page. */
static tc_axis axis_of(ptrdiff_t source, ptrdiff_t target)
{
    static ptrdiff_t start[BENCH_SIZE * 4], count[BENCH_SIZE * 4];
    static float values[1 << 16];
    ptrdiff_t taps = tc_resize_taps(source, target);
    tc_resize_weights(start, count, values, source, target);
    return (tc_axis){
        .source = source,
        .target = target,
        .taps = taps,
        .start = guarded_copy(start, sizeof *start * (size_t)target),
        .count = guarded_copy(count, sizeof *count * (size_t)target),
        .values = guarded_copy(values, sizeof *values * (size_t)(target * taps)),
    };
}

static tc_resize job_of(const picture *out, const picture *in, const tc_axis *rows,
                        const tc_axis *columns)
{
    return (tc_resize){
        .out = (float *)out->origin,
        .out_stride = out->stride,
        .plane = (const float *)in->origin,
        .plane_stride = in->stride,
        .rows = *rows,
        .columns = *columns,
    };
}

/* Both variants add at most as many products as a sample has taps, each rounded. */
static double tolerance_for(const picture *in, const tc_axis *rows, const tc_axis *columns)
{
    double most = 0;
    for (ptrdiff_t y = 0; y < in->height; y++)
        for (ptrdiff_t x = 0; x < in->width; x++) {
            double value = fabs(picture_value(in, y, x, 0));
            if (isfinite(value) && value > most)
                most = value;
        }
    return 2 * most * (double)(rows->taps + columns->taps + 2) * 0x1p-24 + 0x1p-140;
}

/* Sums of the largest floats depend on their order, so that they are left out. */
static void temper(const picture *p)
{
    for (ptrdiff_t y = 0; y < p->height; y++)
        for (ptrdiff_t x = 0; x < p->width; x++) {
            double value = picture_value(p, y, x, 0);
            if (isfinite(value) && fabs(value) > 1e30)
                picture_set(p, y, x, 0, value / 1e9);
        }
}

static void check_resize(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self;
    ptrdiff_t height, width, target_height, target_width, first, last;
    random_size(&height, &width);
    random_size(&target_height, &target_width);
    target_height = random_below(6) ? target_height : height;
    target_width = random_below(6) ? target_width : width;
    tc_axis rows = axis_of(height, target_height), columns = axis_of(width, target_width);

    picture in = picture_packed(TC_F32, 1, height, width);
    fill(&in, OF_LIGHTNESS);
    temper(&in);
    picture plain = picture_packed(TC_F32, 1, target_height, target_width);
    tc_resize job = job_of(&plain, &in, &rows, &columns);
    tested(&job, 0, target_height);
    picture expected = picture_packed(TC_F32, 1, target_height, target_width);
    job = job_of(&expected, &in, &rows, &columns);
    reference(&job, 0, target_height);
    require_close(&plain, &expected, tolerance_for(&in, &rows, &columns));

    for (int i = 0, count = places_count(); i < 3; i++, places_keep(count)) {
        picture source = picture_elsewhere(&in), out = picture_of_any_layout(&plain);
        random_rows(target_height, &first, &last);
        job = job_of(&out, &source, &rows, &columns);
        tested(&job, first, last);
        require_same(&out, &plain, first, last);
        require_untouched(&out, first, last);
    }
}

static bool bench_resize(const kernel *self, int index, timing *timing)
{
    static tc_resize job;
    static const struct {
        const char *label;
        ptrdiff_t source;
    } sizes[] = {{"1024 to 224", 1024}, {"112 to 224", 112}};
    (void)self;
    if (index >= 2)
        return false;
    tc_axis axis = axis_of(sizes[index].source, 224);
    picture in = picture_packed(TC_F32, 1, sizes[index].source, sizes[index].source);
    picture out = picture_packed(TC_F32, 1, 224, 224);
    fill_with(&in, OF_LIGHTNESS, SOFT);
    job = job_of(&out, &in, &axis, &axis);
    timing->label = sizes[index].label;
    timing->job = &job;
    timing->rows = 224;
    timing->pixels = sizes[index].source * sizes[index].source;
    return true;
}

const kernel resize_kernels[] = {
    {"resize_plane", offsetof(tc_kernels, resize_plane), check_resize, bench_resize, NULL, 1},
    {0},
};
