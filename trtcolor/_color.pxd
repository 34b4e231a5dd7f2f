"""csrc/color.h, csrc/planes.h and csrc/pool.h as Cython sees them."""

cdef extern from "color.h" nogil:
    ctypedef struct tc_stride:
        ptrdiff_t row, pixel, channel

    ctypedef void tc_kernel(const void *, ptrdiff_t, ptrdiff_t) noexcept nogil

    ctypedef struct tc_conversion:
        void *out
        tc_stride out_stride
        const void *source "in"
        tc_stride source_stride "in_stride"
        ptrdiff_t width
        int gamut
        const float *table

    ctypedef struct tc_merge:
        void *rgb
        tc_stride rgb_stride
        int rgb_type
        const void *lightness
        tc_stride lightness_stride
        int lightness_type
        const float *table
        const float *chroma
        tc_stride chroma_stride
        ptrdiff_t height, width, chroma_height, chroma_width
        int scale, gamut

    ctypedef struct tc_upsample:
        float *out
        tc_stride out_stride
        const float *lightness
        tc_stride lightness_stride
        const float *chroma
        tc_stride chroma_stride
        const float *guide
        tc_stride guide_stride
        ptrdiff_t height, width, chroma_height, chroma_width, top
        int scale
        float range_sigma

    ctypedef struct tc_axis:
        ptrdiff_t source, target, taps
        const ptrdiff_t *start
        const ptrdiff_t *count
        const float *values

    ctypedef struct tc_resize:
        float *out
        tc_stride out_stride
        const float *plane
        tc_stride plane_stride
        tc_axis rows, columns

    ctypedef struct tc_kernels:
        const char *name
        tc_kernel *lab_from_rgb_u8
        tc_kernel *lab_from_rgb_f32
        tc_kernel *rgb_u8_from_lab
        tc_kernel *rgb_f32_from_lab
        tc_kernel *luv_from_rgb_u8
        tc_kernel *luv_from_rgb_f32
        tc_kernel *rgb_u8_from_luv
        tc_kernel *rgb_f32_from_luv
        tc_kernel *lightness_from_rgb_u8
        tc_kernel *lightness_from_rgb_f32
        tc_kernel *lightness_from_u8
        tc_kernel *lightness_from_u16
        tc_kernel *lightness_from_grey_f32
        tc_kernel *merge_lab
        tc_kernel *upsample_chroma
        tc_kernel *chroma_planes
        tc_kernel *resize_plane

    int TC_U8, TC_U16, TC_F32
    int TC_GAMUT_CLIP, TC_GAMUT_REDUCE
    void tc_init()
    const tc_kernels *tc_variant(int)
    void tc_lightness_table(float *, ptrdiff_t)
    ptrdiff_t tc_resize_taps(ptrdiff_t, ptrdiff_t)
    void tc_resize_weights(ptrdiff_t *, ptrdiff_t *, float *, ptrdiff_t, ptrdiff_t)


cdef extern from "planes.h" nogil:
    ctypedef struct tc_lattice:
        double step, offset

    ctypedef struct tc_planes:
        void *u
        void *v
        tc_stride u_stride, v_stride
        const void *luma
        tc_stride luma_stride
        int sample_type, shift
        ptrdiff_t height, width
        int halved_rows, halved_columns
        const float *chroma
        tc_stride chroma_stride
        ptrdiff_t chroma_height, chroma_width
        tc_lattice rows, columns
        int matrix
        float luma_black, luma_range
        float chroma_zero, chroma_range, chroma_low, chroma_high

    int TC_BT601, TC_BT709, TC_BT2020
    tc_lattice tc_chroma_lattice(int, int, int, ptrdiff_t, ptrdiff_t)
    void tc_luma_table(float *, ptrdiff_t, int, double, double)


cdef extern from "pool.h" nogil:
    void tc_run(tc_kernel *, const void *, ptrdiff_t, ptrdiff_t, int)
    int tc_pool_workers()
