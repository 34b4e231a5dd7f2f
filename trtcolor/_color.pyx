# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, binding=False
"""csrc/color.h on typed memoryviews, and nothing else: trtcolor/color.py checks every argument.

A picture is indexed [row, column, channel] and a stack of planes [channel, row, column], whatever
its layout in memory: the caller transposes the view.
"""

from libc.stdint cimport uint8_t, uint16_t


cdef extern from "color.h" nogil:
    ctypedef struct tc_stride:
        ptrdiff_t row, pixel, channel

    ctypedef struct tc_axis:
        ptrdiff_t source, target, taps
        const ptrdiff_t *start
        const ptrdiff_t *count
        const float *values

    int TC_GAMUT_CLIP, TC_GAMUT_REDUCE
    void tc_init()
    void tc_lightness_table(float *, ptrdiff_t)
    void tc_lab_from_rgb_u8_c(
        float *, tc_stride, const uint8_t *, tc_stride, ptrdiff_t, ptrdiff_t)
    void tc_lab_from_rgb_f32_c(
        float *, tc_stride, const float *, tc_stride, ptrdiff_t, ptrdiff_t)
    void tc_rgb_u8_from_lab_c(
        uint8_t *, tc_stride, const float *, tc_stride, ptrdiff_t, ptrdiff_t, int)
    void tc_rgb_f32_from_lab_c(
        float *, tc_stride, const float *, tc_stride, ptrdiff_t, ptrdiff_t, int)
    void tc_lightness_from_rgb_u8_c(
        float *, tc_stride, const uint8_t *, tc_stride, ptrdiff_t, ptrdiff_t)
    void tc_lightness_from_rgb_f32_c(
        float *, tc_stride, const float *, tc_stride, ptrdiff_t, ptrdiff_t)
    void tc_lightness_from_grey_u8_c(
        float *, tc_stride, const uint8_t *, tc_stride, ptrdiff_t, ptrdiff_t, const float *)
    void tc_lightness_from_grey_u16_c(
        float *, tc_stride, const uint16_t *, tc_stride, ptrdiff_t, ptrdiff_t, const float *)
    void tc_lightness_from_grey_f32_c(
        float *, tc_stride, const float *, tc_stride, ptrdiff_t, ptrdiff_t)
    void tc_merge_lab_u8_c(
        uint8_t *, tc_stride, const float *, tc_stride, const float *, tc_stride,
        ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, int, int, float *)
    void tc_merge_lab_f32_c(
        float *, tc_stride, const float *, tc_stride, const float *, tc_stride,
        ptrdiff_t, ptrdiff_t, ptrdiff_t, ptrdiff_t, int, int, float *)
    ptrdiff_t tc_resize_taps(ptrdiff_t, ptrdiff_t)
    void tc_resize_weights(ptrdiff_t *, ptrdiff_t *, float *, ptrdiff_t, ptrdiff_t)
    void tc_resize_plane_c(
        float *, tc_stride, const float *, tc_stride, const tc_axis *, const tc_axis *, float *)


GAMUT_CLIP = TC_GAMUT_CLIP
GAMUT_REDUCE = TC_GAMUT_REDUCE
tc_init()


cdef inline tc_stride elements(
    const Py_ssize_t *strides, Py_ssize_t itemsize, int row, int pixel, int channel
) noexcept nogil:
    """Byte strides of a memoryview as element strides; channel -1 means that there is none."""
    cdef tc_stride stride
    stride.row = strides[row] // itemsize
    stride.pixel = strides[pixel] // itemsize
    stride.channel = strides[channel] // itemsize if channel >= 0 else 0
    return stride


def lightness_table(float[::1] table):
    tc_lightness_table(&table[0], table.shape[0])


def lab_from_rgb_u8(float[:, :, :] lab, const uint8_t[:, :, :] rgb):
    with nogil:
        tc_lab_from_rgb_u8_c(
            &lab[0, 0, 0], elements(lab.strides, 4, 0, 1, 2),
            &rgb[0, 0, 0], elements(rgb.strides, 1, 0, 1, 2), rgb.shape[0], rgb.shape[1])


def lab_from_rgb_f32(float[:, :, :] lab, const float[:, :, :] rgb):
    with nogil:
        tc_lab_from_rgb_f32_c(
            &lab[0, 0, 0], elements(lab.strides, 4, 0, 1, 2),
            &rgb[0, 0, 0], elements(rgb.strides, 4, 0, 1, 2), rgb.shape[0], rgb.shape[1])


def rgb_u8_from_lab(uint8_t[:, :, :] rgb, const float[:, :, :] lab, int gamut):
    with nogil:
        tc_rgb_u8_from_lab_c(
            &rgb[0, 0, 0], elements(rgb.strides, 1, 0, 1, 2),
            &lab[0, 0, 0], elements(lab.strides, 4, 0, 1, 2), lab.shape[0], lab.shape[1], gamut)


def rgb_f32_from_lab(float[:, :, :] rgb, const float[:, :, :] lab, int gamut):
    with nogil:
        tc_rgb_f32_from_lab_c(
            &rgb[0, 0, 0], elements(rgb.strides, 4, 0, 1, 2),
            &lab[0, 0, 0], elements(lab.strides, 4, 0, 1, 2), lab.shape[0], lab.shape[1], gamut)


def lightness_from_rgb_u8(float[:, :] lightness, const uint8_t[:, :, :] rgb):
    with nogil:
        tc_lightness_from_rgb_u8_c(
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &rgb[0, 0, 0], elements(rgb.strides, 1, 0, 1, 2), rgb.shape[0], rgb.shape[1])


def lightness_from_rgb_f32(float[:, :] lightness, const float[:, :, :] rgb):
    with nogil:
        tc_lightness_from_rgb_f32_c(
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &rgb[0, 0, 0], elements(rgb.strides, 4, 0, 1, 2), rgb.shape[0], rgb.shape[1])


def lightness_from_grey_u8(
    float[:, :] lightness, const uint8_t[:, :] grey, const float[::1] table
):
    with nogil:
        tc_lightness_from_grey_u8_c(
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &grey[0, 0], elements(grey.strides, 1, 0, 1, -1), grey.shape[0], grey.shape[1],
            &table[0])


def lightness_from_grey_u16(
    float[:, :] lightness, const uint16_t[:, :] grey, const float[::1] table
):
    with nogil:
        tc_lightness_from_grey_u16_c(
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &grey[0, 0], elements(grey.strides, 2, 0, 1, -1), grey.shape[0], grey.shape[1],
            &table[0])


def lightness_from_grey_f32(float[:, :] lightness, const float[:, :] grey):
    with nogil:
        tc_lightness_from_grey_f32_c(
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &grey[0, 0], elements(grey.strides, 4, 0, 1, -1), grey.shape[0], grey.shape[1])


def merge_lab_u8(
    uint8_t[:, :, :] rgb, const float[:, :] lightness, const float[:, :, :] chroma,
    int scale, int gamut, float[::1] scratch
):
    with nogil:
        tc_merge_lab_u8_c(
            &rgb[0, 0, 0], elements(rgb.strides, 1, 0, 1, 2),
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &chroma[0, 0, 0], elements(chroma.strides, 4, 1, 2, 0),
            lightness.shape[0], lightness.shape[1], chroma.shape[1], chroma.shape[2],
            scale, gamut, &scratch[0])


def merge_lab_f32(
    float[:, :, :] rgb, const float[:, :] lightness, const float[:, :, :] chroma,
    int scale, int gamut, float[::1] scratch
):
    with nogil:
        tc_merge_lab_f32_c(
            &rgb[0, 0, 0], elements(rgb.strides, 4, 0, 1, 2),
            &lightness[0, 0], elements(lightness.strides, 4, 0, 1, -1),
            &chroma[0, 0, 0], elements(chroma.strides, 4, 1, 2, 0),
            lightness.shape[0], lightness.shape[1], chroma.shape[1], chroma.shape[2],
            scale, gamut, &scratch[0])


def resize_taps(Py_ssize_t source, Py_ssize_t target):
    return tc_resize_taps(source, target)


def resize_weights(
    ptrdiff_t[::1] start, ptrdiff_t[::1] count, float[:, ::1] values, Py_ssize_t source
):
    tc_resize_weights(&start[0], &count[0], &values[0, 0], source, start.shape[0])


cdef inline tc_axis axis_of(
    Py_ssize_t source, const ptrdiff_t[::1] start, const ptrdiff_t[::1] count,
    const float[:, ::1] values
) noexcept nogil:
    cdef tc_axis axis
    axis.source, axis.target, axis.taps = source, values.shape[0], values.shape[1]
    axis.start, axis.count, axis.values = &start[0], &count[0], &values[0, 0]
    return axis


def resize_planes(
    float[:, :, :] out, const float[:, :, :] planes,
    const ptrdiff_t[::1] row_start, const ptrdiff_t[::1] row_count,
    const float[:, ::1] row_values,
    const ptrdiff_t[::1] column_start, const ptrdiff_t[::1] column_count,
    const float[:, ::1] column_values, float[::1] scratch
):
    cdef tc_axis rows = axis_of(planes.shape[1], row_start, row_count, row_values)
    cdef tc_axis columns = axis_of(planes.shape[2], column_start, column_count, column_values)
    cdef Py_ssize_t c
    with nogil:
        for c in range(planes.shape[0]):
            tc_resize_plane_c(
                &out[c, 0, 0], elements(out.strides, 4, 1, 2, -1),
                &planes[c, 0, 0], elements(planes.strides, 4, 1, 2, -1),
                &rows, &columns, &scratch[0])
