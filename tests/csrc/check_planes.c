/* tc_planes: U and V for a Y' plane that is kept. */
#include "check.h"
#include "planes.h"

/* What a stream's tags come to. */
typedef struct {
    int depth, shift;
    bool limited;
    int matrix;
    int halved_rows, halved_columns, cosited_rows, cosited_columns;
    int scale; /* 0: any size of chroma */
} tags;

static tags random_tags(void)
{
    int depth = random_below(2) ? 8 : random_between(9, 16);
    return (tags){
        .depth = depth,
        .shift = depth > 8 && random_below(2) ? 16 - depth : 0,
        .limited = random_below(2),
        .matrix = random_below(TC_MATRICES),
        .halved_rows = random_below(2),
        .halved_columns = random_below(4) > 0,
        .cosited_rows = random_below(2),
        .cosited_columns = random_below(2),
        .scale = (const int[]){0, 1, 2, 2, 4}[random_below(5)],
    };
}

/* Planes of one job; uv has two channels, in any strides. */
typedef struct {
    picture uv, luma, chroma;
} pictures;

static tc_planes job_of(const pictures *p, const tags *t)
{
    float unit = (float)(1 << (t->depth - 8)), most = (float)((1 << t->depth) - 1);
    tc_stride uv = {p->uv.stride.row, p->uv.stride.pixel, 0};
    return (tc_planes){
        .u = picture_at(&p->uv, 0, 0, 0),
        .u_stride = uv,
        .v = picture_at(&p->uv, 0, 0, 1),
        .v_stride = uv,
        .luma = p->luma.origin,
        .luma_stride = p->luma.stride,
        .sample_type = p->luma.type,
        .shift = t->shift,
        .height = p->luma.height,
        .width = p->luma.width,
        .halved_rows = t->halved_rows,
        .halved_columns = t->halved_columns,
        .chroma = (const float *)p->chroma.origin,
        .chroma_stride = p->chroma.stride,
        .chroma_height = p->chroma.height,
        .chroma_width = p->chroma.width,
        .rows = tc_chroma_lattice(t->halved_rows, t->cosited_rows, t->scale, p->luma.height,
                                  p->chroma.height),
        .columns = tc_chroma_lattice(t->halved_columns, t->cosited_columns, t->scale, p->luma.width,
                                     p->chroma.width),
        .matrix = t->matrix,
        .luma_black = t->limited ? 16 * unit : 0,
        .luma_range = t->limited ? 219 * unit : most,
        .chroma_zero = 128 * unit,
        .chroma_range = t->limited ? 224 * unit : most,
        .chroma_low = t->limited ? unit : 0,
        .chroma_high = t->limited ? 255 * unit - 1 : most,
    };
}

/* `greatest` where the scale leaves it open, which may be far more than there are pixels. */
static ptrdiff_t chroma_side(ptrdiff_t side, int scale, ptrdiff_t greatest)
{
    return scale ? (side + scale - 1) / scale : random_between(1, greatest);
}

/* Codes of the depth, where the shift puts them. */
static void fill_luma(const picture *luma, const tags *t)
{
    fill(luma, OF_GREY);
    if (luma->type == TC_U16)
        for (ptrdiff_t y = 0; y < luma->height; y++)
            for (ptrdiff_t x = 0; x < luma->width; x++)
                picture_set(luma, y, x, 0,
                            ((int)picture_value(luma, y, x, 0) >> (16 - t->depth)) << t->shift);
}

static pictures random_pictures(const tags *t, ptrdiff_t height, ptrdiff_t width)
{
    int type = t->depth == 8 ? TC_U8 : TC_U16;
    return (pictures){
        .uv = picture_planar(type, 2, (height + t->halved_rows) >> t->halved_rows,
                             (width + t->halved_columns) >> t->halved_columns),
        .luma = picture_packed(type, 1, height, width),
        .chroma = picture_planar(TC_F32, 2, chroma_side(height, t->scale, 70),
                                 chroma_side(width, t->scale, random_below(8) ? 70 : 3000)),
    };
}

/* One code, and above 8 bits a thousandth of the range: a few Newton steps toward a colour far out
 * of sRGB end where the rounding of the first one sent them. */
static double tolerance_for(const tags *t)
{
    double codes = t->depth == 8 ? 1 : 1 + 1e-3 * (double)((1 << t->depth) - 1);
    return codes * (double)(1 << t->shift);
}

static void check_planes(const kernel *self, tc_kernel *tested, tc_kernel *reference)
{
    (void)self;
    tags t = random_tags();
    ptrdiff_t height, width, first, last;
    random_size(&height, &width);
    pictures plain = random_pictures(&t, height, width);
    fill_luma(&plain.luma, &t);
    fill(&plain.chroma, OF_CHROMA);
    tc_planes job = job_of(&plain, &t);
    tested(&job, 0, plain.uv.height);
    pictures expected = plain;
    expected.uv = picture_planar(plain.uv.type, 2, plain.uv.height, plain.uv.width);
    job = job_of(&expected, &t);
    reference(&job, 0, plain.uv.height);
    require_close(&plain.uv, &expected.uv, tolerance_for(&t));

    for (int i = 0, count = places_count(); i < 3; i++, places_keep(count)) {
        pictures other = {
            .uv = picture_of_any_layout(&plain.uv),
            .luma = picture_elsewhere(&plain.luma),
            .chroma = picture_elsewhere(&plain.chroma),
        };
        random_rows(plain.uv.height, &first, &last);
        job = job_of(&other, &t);
        tested(&job, first, last);
        require_same(&other.uv, &plain.uv, first, last);
        require_untouched(&other.uv, first, last);
    }
}

/* 4:2:0 of 8 and 10 bits on the network's own grid, interleaved, and beside that grid. */
static bool bench_planes(const kernel *self, int index, timing *timing)
{
    static tc_planes job;
    static const struct {
        const char *label;
        int depth, cosited_columns;
        bool interleaved;
    } timings[] = {
        {"420 8 bit", 8, 0, false},
        {"420 8 bit, NV12", 8, 0, true},
        {"420 8 bit, left", 8, 1, false},
        {"420 10 bit", 10, 0, false},
    };
    (void)self;
    if (index >= (int)(sizeof timings / sizeof *timings))
        return false;
    tags t = {.depth = timings[index].depth,
              .matrix = TC_BT709,
              .halved_rows = 1,
              .halved_columns = 1,
              .cosited_columns = timings[index].cosited_columns,
              .scale = 2};
    pictures p = random_pictures(&t, BENCH_SIZE, BENCH_SIZE);
    if (timings[index].interleaved)
        p.uv = picture_packed(p.uv.type, 2, p.uv.height, p.uv.width);
    fill_with(&p.luma, OF_GREY, SOFT);
    fill_with(&p.chroma, OF_CHROMA, SOFT);
    job = job_of(&p, &t);
    timing->label = timings[index].label;
    timing->job = &job;
    timing->rows = p.uv.height;
    timing->pixels = BENCH_SIZE * BENCH_SIZE;
    return true;
}

const kernel plane_kernels[] = {
    {"chroma_planes", offsetof(tc_kernels, chroma_planes), check_planes, bench_planes, NULL, 3},
    {0},
};
