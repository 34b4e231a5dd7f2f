# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False
# cython: cdivision=True, binding=False
"""csrc/color.h and csrc/planes.h on buffers, and nothing else: Python checks every argument.

A picture is indexed [row, column, channel] and a stack of planes [channel, row, column], whatever
its layout in memory: the caller transposes the view. The kernels run without the GIL on the
variant that `use` named, on the rows that csrc/pool.h hands to each of at most `threads` threads.
"""

import os

from cpython.buffer cimport (
    PyBUF_FORMAT,
    PyBUF_STRIDES,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)

GAMUT_CLIP = TC_GAMUT_CLIP
GAMUT_REDUCE = TC_GAMUT_REDUCE
MATRIX_BT601, MATRIX_BT709, MATRIX_BT2020 = TC_BT601, TC_BT709, TC_BT2020


# ---- variants --------------------------------------------------------------------------------

cdef const tc_kernels *kernels


def variants():
    """The names of those that this processor can run, fastest first."""
    names = []
    while tc_variant(len(names)) != NULL:
        names.append(tc_variant(len(names)).name.decode())
    return tuple(names)


def variant():
    return kernels.name.decode()


def use(name):
    """From now on, for every thread."""
    global kernels
    names = variants()
    if name not in names:
        raise ValueError(
            f"the variant {name!r} of the colour kernels was asked for, but this processor has "
            f"{', '.join(names)}; name one of these, or unset TRTCOLOR_SIMD")
    kernels = tc_variant(names.index(name))


tc_init()
use(os.environ.get("TRTCOLOR_SIMD") or variants()[0])


def pool_workers():
    return tc_pool_workers()


# ---- buffers ---------------------------------------------------------------------------------

cdef class Samples:
    """An array as C sees it: an address, strides in samples, and what a sample is."""

    cdef Py_buffer view
    cdef int type

    def __cinit__(self, array, int dimensions, bint written=False):
        PyObject_GetBuffer(
            array, &self.view,
            PyBUF_FORMAT | PyBUF_STRIDES | (PyBUF_WRITABLE if written else 0))
        if self.view.format == b"B":
            self.type = TC_U8
        elif self.view.format == b"H":
            self.type = TC_U16
        elif self.view.format == b"f":
            self.type = TC_F32
        else:
            raise TypeError(f"samples of format {self.view.format.decode()!r}")
        if self.view.ndim != dimensions:
            raise TypeError(f"{self.view.ndim} dimensions in place of {dimensions}")

    def __dealloc__(self):
        PyBuffer_Release(&self.view)

    cdef ptrdiff_t step(self, int axis) noexcept:
        return self.view.strides[axis] // self.view.itemsize

    cdef tc_stride picture(self) noexcept:
        return tc_stride(self.step(0), self.step(1), self.step(2))

    cdef tc_stride stack(self) noexcept:
        return tc_stride(self.step(1), self.step(2), self.step(0))

    cdef tc_stride plane(self) noexcept:
        return tc_stride(self.step(0), self.step(1), 0)

    cdef tc_stride stride(self) noexcept:
        return self.picture() if self.view.ndim == 3 else self.plane()


cdef const float *address(const float[::1] table) noexcept:
    if table is None:
        return NULL
    return &table[0]


cdef Samples need(Samples samples, int type):
    if samples.type != type:
        raise TypeError(f"samples of format {samples.view.format.decode()!r}")
    return samples


# ---- one picture into another ----------------------------------------------------------------

cdef convert(
    tc_kernel *kernel, Samples out, Samples source, int threads, int gamut=0,
    const float[::1] table=None
):
    cdef tc_conversion job
    cdef ptrdiff_t rows = source.view.shape[0], width = source.view.shape[1]
    if kernel == NULL:
        raise TypeError("no kernel for samples of that format")
    job.out, job.out_stride = out.view.buf, out.stride()
    job.source, job.source_stride = source.view.buf, source.stride()
    job.width, job.gamut = width, gamut
    job.table = address(table)
    with nogil:
        tc_run(kernel, &job, rows, rows * width, threads)


cdef tc_kernel *by_type(Samples samples, tc_kernel *u8, tc_kernel *u16, tc_kernel *f32) noexcept:
    return u8 if samples.type == TC_U8 else u16 if samples.type == TC_U16 else f32


def lab_from_rgb(lab, rgb, int threads):
    cdef Samples out = need(Samples(lab, 3, True), TC_F32), source = Samples(rgb, 3)
    convert(
        by_type(source, kernels.lab_from_rgb_u8, NULL, kernels.lab_from_rgb_f32),
        out, source, threads)


def rgb_from_lab(rgb, lab, int gamut, int threads):
    cdef Samples out = Samples(rgb, 3, True), source = need(Samples(lab, 3), TC_F32)
    convert(
        by_type(out, kernels.rgb_u8_from_lab, NULL, kernels.rgb_f32_from_lab),
        out, source, threads, gamut)


def luv_from_rgb(luv, rgb, int threads):
    cdef Samples out = need(Samples(luv, 3, True), TC_F32), source = Samples(rgb, 3)
    convert(
        by_type(source, kernels.luv_from_rgb_u8, NULL, kernels.luv_from_rgb_f32),
        out, source, threads)


def rgb_from_luv(rgb, luv, int gamut, int threads):
    cdef Samples out = Samples(rgb, 3, True), source = need(Samples(luv, 3), TC_F32)
    convert(
        by_type(out, kernels.rgb_u8_from_luv, NULL, kernels.rgb_f32_from_luv),
        out, source, threads, gamut)


def lightness_from_rgb(lightness, rgb, int threads):
    cdef Samples out = need(Samples(lightness, 2, True), TC_F32), source = Samples(rgb, 3)
    convert(
        by_type(source, kernels.lightness_from_rgb_u8, NULL, kernels.lightness_from_rgb_f32),
        out, source, threads)


def lightness_from_grey(lightness, grey, const float[::1] table, int threads):
    """The table is that of lightness_table or luma_table; float32 grey needs none."""
    cdef Samples out = need(Samples(lightness, 2, True), TC_F32), source = Samples(grey, 2)
    convert(
        by_type(
            source, kernels.lightness_from_u8, kernels.lightness_from_u16,
            kernels.lightness_from_grey_f32),
        out, source, threads, 0, table)


def lightness_table(float[::1] table):
    tc_lightness_table(&table[0], table.shape[0])


def luma_table(float[::1] table, int shift, double black, double span):
    tc_luma_table(&table[0], table.shape[0], shift, black, span)


# ---- lightness or luma with chroma of its own ------------------------------------------------

def merge_lab(
    rgb, lightness, chroma, const float[::1] table, int scale, int gamut, int threads
):
    """The table is that of lightness_table; float32 lightness needs none."""
    cdef Samples out = Samples(rgb, 3, True), light = Samples(lightness, 2)
    cdef Samples ab = need(Samples(chroma, 3), TC_F32)
    cdef tc_merge job
    job.rgb, job.rgb_stride, job.rgb_type = out.view.buf, out.picture(), out.type
    job.lightness, job.lightness_stride = light.view.buf, light.plane()
    job.lightness_type = light.type
    job.table = address(table)
    job.chroma, job.chroma_stride = <const float *>ab.view.buf, ab.stack()
    job.height, job.width = light.view.shape[0], light.view.shape[1]
    job.chroma_height, job.chroma_width = ab.view.shape[1], ab.view.shape[2]
    job.scale, job.gamut = scale, gamut
    with nogil:
        tc_run(kernels.merge_lab, &job, job.height, job.height * job.width, threads)


def upsample_chroma(
    upsampled, lightness, chroma, guide, Py_ssize_t height, Py_ssize_t top, int scale,
    float range_sigma, int threads
):
    """lightness: rows top, top + 1, ... of the picture's `height`; guide: L* of each sample."""
    cdef Samples out = need(Samples(upsampled, 3, True), TC_F32)
    cdef Samples light = need(Samples(lightness, 2), TC_F32)
    cdef Samples ab = need(Samples(chroma, 3), TC_F32), low = need(Samples(guide, 2), TC_F32)
    cdef tc_upsample job
    cdef ptrdiff_t rows = light.view.shape[0]
    job.out, job.out_stride = <float *>out.view.buf, out.stack()
    job.lightness, job.lightness_stride = <const float *>light.view.buf, light.plane()
    job.chroma, job.chroma_stride = <const float *>ab.view.buf, ab.stack()
    job.guide, job.guide_stride = <const float *>low.view.buf, low.plane()
    job.height, job.width, job.top = height, light.view.shape[1], top
    job.chroma_height, job.chroma_width = ab.view.shape[1], ab.view.shape[2]
    job.scale, job.range_sigma = scale, range_sigma
    with nogil:
        tc_run(kernels.upsample_chroma, &job, rows, rows * job.width, threads)


def chroma_planes(
    u, v, luma, chroma, int shift, int halved_rows, int halved_columns, int cosited_rows,
    int cosited_columns, int scale, int matrix, float luma_black, float luma_range,
    float chroma_zero, float chroma_range, float chroma_low, float chroma_high, int threads
):
    """u, v, luma: planes of one dtype; the other arguments are those of tc_planes."""
    cdef Samples y = Samples(luma, 2), ab = need(Samples(chroma, 3), TC_F32)
    cdef Samples first = need(Samples(u, 2, True), y.type)
    cdef Samples second = need(Samples(v, 2, True), y.type)
    cdef tc_planes job
    job.u, job.u_stride = first.view.buf, first.plane()
    job.v, job.v_stride = second.view.buf, second.plane()
    job.luma, job.luma_stride = y.view.buf, y.plane()
    job.sample_type, job.shift = y.type, shift
    job.height, job.width = y.view.shape[0], y.view.shape[1]
    job.halved_rows, job.halved_columns = halved_rows, halved_columns
    job.chroma, job.chroma_stride = <const float *>ab.view.buf, ab.stack()
    job.chroma_height, job.chroma_width = ab.view.shape[1], ab.view.shape[2]
    job.rows = tc_chroma_lattice(
        halved_rows, cosited_rows, scale, job.height, job.chroma_height)
    job.columns = tc_chroma_lattice(
        halved_columns, cosited_columns, scale, job.width, job.chroma_width)
    job.matrix, job.luma_black, job.luma_range = matrix, luma_black, luma_range
    job.chroma_zero, job.chroma_range = chroma_zero, chroma_range
    job.chroma_low, job.chroma_high = chroma_low, chroma_high
    with nogil:
        tc_run(
            kernels.chroma_planes, &job, first.view.shape[0], job.height * job.width, threads)


# ---- resizing --------------------------------------------------------------------------------

def resize_taps(Py_ssize_t source, Py_ssize_t target):
    return tc_resize_taps(source, target)


def resize_weights(
    ptrdiff_t[::1] start, ptrdiff_t[::1] count, float[:, ::1] values, Py_ssize_t source
):
    tc_resize_weights(&start[0], &count[0], &values[0, 0], source, start.shape[0])


cdef tc_axis axis_of(
    Py_ssize_t source, const ptrdiff_t[::1] start, const ptrdiff_t[::1] count,
    const float[:, ::1] values
) noexcept:
    return tc_axis(
        source, values.shape[0], values.shape[1], &start[0], &count[0], &values[0, 0])


def resize_planes(
    out, planes,
    const ptrdiff_t[::1] row_start, const ptrdiff_t[::1] row_count,
    const float[:, ::1] row_values,
    const ptrdiff_t[::1] column_start, const ptrdiff_t[::1] column_count,
    const float[:, ::1] column_values, int threads
):
    cdef Samples to = need(Samples(out, 3, True), TC_F32)
    cdef Samples source = need(Samples(planes, 3), TC_F32)
    cdef ptrdiff_t rows = source.view.shape[1], columns = source.view.shape[2], c
    cdef tc_resize job
    job.rows = axis_of(rows, row_start, row_count, row_values)
    job.columns = axis_of(columns, column_start, column_count, column_values)
    job.out_stride, job.plane_stride = to.stack(), source.stack()
    with nogil:
        for c in range(source.view.shape[0]):
            job.out = <float *>to.view.buf + c * job.out_stride.channel
            job.plane = <const float *>source.view.buf + c * job.plane_stride.channel
            tc_run(
                kernels.resize_plane, &job, job.rows.target,
                max(rows * columns, job.rows.target * job.columns.target), threads)
