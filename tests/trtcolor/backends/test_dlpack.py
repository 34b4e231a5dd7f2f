"""DLPack capsules that NumPy and PyTorch take, and theirs taken."""

from __future__ import annotations

import ctypes
import gc
import subprocess
import sys
import weakref
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from trtcolor.backends import _dlpack

DTYPES = ["uint8", "int16", "uint16", "int64", "float16", "float32", "float64", "bool"]
VERSIONED = np.lib.NumpyVersion(np.__version__) >= "2.1.0"
CPU = (_dlpack.CPU, 0)


class Memory:
    """The host's, as a library of one's own would offer it; it can be seen to live."""

    def __init__(self, array: np.ndarray[Any, Any], **flags: bool) -> None:
        self.array = array
        self.flags = flags

    def __dlpack_device__(self) -> tuple[int, int]:
        return CPU

    def __dlpack__(self, *, max_version: Any = None, **_: Any) -> Any:
        a = self.array
        versioned = max_version is not None
        return _dlpack.give(
            a.ctypes.data, a.shape, a.dtype, CPU, self, versioned=versioned, **self.flags
        )


class Unversioned(Memory):
    """As libraries from before DLPack 1."""

    def __dlpack__(self, stream: Any = None) -> Any:  # type: ignore[override]
        return super().__dlpack__()


@given(st.data())
def test_numpy_and_torch_take_what_is_given_in_place(data: st.DataObject) -> None:
    dtype = np.dtype(data.draw(st.sampled_from(DTYPES)))
    array = data.draw(arrays(dtype, array_shapes(min_dims=0, max_dims=4, max_side=4)))
    kind = data.draw(st.sampled_from([Memory, Unversioned]))
    by_numpy = np.from_dlpack(kind(array))
    by_torch = torch.from_dlpack(kind(array))
    for found in (by_numpy, by_torch.numpy()):
        np.testing.assert_array_equal(found, array)
        assert found.ctypes.data == array.ctypes.data
        assert found.dtype == dtype


@pytest.mark.parametrize("take", [np.from_dlpack, torch.from_dlpack])
@pytest.mark.parametrize("kind", [Memory, Unversioned])
def test_the_owner_lives_as_long_as_what_was_made_of_it(take: Any, kind: type[Memory]) -> None:
    memory = kind(np.arange(6.0))
    owner = weakref.ref(memory)
    taken = take(memory)
    del memory
    gc.collect()
    assert owner() is not None
    del taken
    gc.collect()
    assert owner() is None


def test_a_capsule_that_nobody_takes_lets_its_owner_go() -> None:
    memory = Memory(np.arange(6.0))
    owner = weakref.ref(memory)
    for version in (None, (1, 0)):
        capsule = memory.__dlpack__(max_version=version)
        del capsule
    del memory
    gc.collect()
    assert owner() is None


def test_a_capsule_that_is_refused_lets_its_owner_go() -> None:
    """A PyTorch without CUDA cannot have an array on a GPU."""
    if torch.cuda.is_available():
        pytest.skip("this PyTorch takes it")

    class OnGpu(Memory):
        def __dlpack__(self, **_: Any) -> Any:
            device = (_dlpack.CUDA, 0)
            return _dlpack.give(4096, (2, 3), np.dtype("uint8"), device, self, versioned=True)

    memory = OnGpu(np.zeros(1))
    owner = weakref.ref(memory)
    with pytest.raises((AssertionError, RuntimeError)):
        torch.from_dlpack(memory)
    del memory
    gc.collect()
    assert owner() is None


def test_an_array_of_a_gpu_is_said_to_be_there_and_is_not_read() -> None:
    device = (_dlpack.CUDA, 3)
    capsule = _dlpack.give(4096, (2, 3), np.dtype("float32"), device, None, versioned=True)
    taken = _dlpack.take(capsule)
    assert (taken.address, taken.shape, taken.strides) == (4096, (2, 3), (12, 4))
    assert (taken.device, taken.dtype, taken.readonly) == (device, np.float32, False)
    taken.release()


@pytest.mark.skipif(not VERSIONED, reason="this NumPy makes no capsules with a version")
def test_flags_say_read_only_and_copied() -> None:
    taken = np.from_dlpack(Memory(np.arange(3), readonly=True))
    assert not taken.flags.writeable
    assert np.from_dlpack(Memory(np.arange(3))).flags.writeable
    capsule = Memory(np.arange(3), copied=True).__dlpack__(max_version=(1, 0))
    mine = _dlpack.take(capsule)
    assert (mine.copied, mine.readonly) == (True, False)
    mine.release()


def test_read_only_is_not_given_where_it_cannot_be_said() -> None:
    with pytest.raises(BufferError, match="read-only"):
        np.from_dlpack(Unversioned(np.arange(3), readonly=True))


TORCH_VIEWS = {
    "contiguous": lambda t: t,
    "permuted": lambda t: t.permute(2, 0, 1),
    "cropped": lambda t: t[1:, 1:3],
    "stepped": lambda t: t[:, ::2],
    "repeated": lambda t: t[:, :, :1].expand(3, 4, 5),
    "scalar": lambda t: t[0, 0, 0],
    "empty": lambda t: t[:0],
}


@pytest.mark.parametrize("view", TORCH_VIEWS)
@pytest.mark.parametrize("version", [None, (1, 0)])
def test_what_torch_gives_is_taken_with_its_strides(view: str, version: Any) -> None:
    tensor = TORCH_VIEWS[view](torch.arange(60, dtype=torch.int32).reshape(3, 4, 5))
    taken = _dlpack.take(tensor.__dlpack__(max_version=version))
    assert taken.shape == tuple(tensor.shape)
    assert taken.dtype == np.int32
    if tensor.numel():
        assert taken.address == tensor.data_ptr()
        sides = zip(tensor.shape, taken.strides, tensor.stride(), strict=True)
        assert all(got == 4 * need for side, got, need in sides if side > 1)
    taken.release()


@given(st.data())
def test_what_numpy_gives_is_taken_with_its_strides(data: st.DataObject) -> None:
    base = np.arange(360, dtype="float32").reshape(3, 4, 5, 6)
    steps = data.draw(st.tuples(*[st.sampled_from([1, 2, -1, -2])] * 4))
    view = base[tuple(slice(None, None, step) for step in steps)]
    view = view.transpose(data.draw(st.permutations(range(4))))
    taken = _dlpack.take(view.__dlpack__())
    assert (taken.address, taken.shape) == (view.ctypes.data, view.shape)
    assert taken.strides == view.strides
    taken.release()


@pytest.mark.parametrize(
    ("dtype", "name"), [(torch.bfloat16, "bfloat16"), (torch.complex64, "complex64")]
)
def test_a_type_that_is_not_used_here_is_named(dtype: torch.dtype, name: str) -> None:
    taken = _dlpack.take(torch.zeros(3, dtype=dtype).__dlpack__())
    assert (taken.dtype, taken.type_name) == (None, name)
    taken.release()


def test_what_is_taken_lives_until_it_is_released() -> None:
    array = np.arange(3)
    alive = sys.getrefcount(array)
    taken = _dlpack.take(array.__dlpack__())
    gc.collect()
    assert sys.getrefcount(array) == alive + 1
    taken.release()
    assert sys.getrefcount(array) == alive


def test_a_capsule_is_taken_once() -> None:
    capsule = np.arange(3).__dlpack__()
    _dlpack.take(capsule).release()
    with pytest.raises(ValueError, match="a DLPack capsule that nobody took was needed"):
        _dlpack.take(capsule)
    with pytest.raises(ValueError, match="a DLPack capsule"):
        _dlpack.take("no capsule")


@pytest.mark.skipif(not VERSIONED, reason="this NumPy makes no capsules with a version")
def test_a_capsule_of_a_version_to_come_is_given_back() -> None:
    memory = Memory(np.arange(3))
    owner = weakref.ref(memory)
    capsule = memory.__dlpack__(max_version=(1, 0))
    address = _dlpack._pointer(capsule, b"dltensor_versioned")
    ctypes.c_uint32.from_address(address).value = 2
    with pytest.raises(ValueError, match="DLPack 2; version 1 was needed"):
        _dlpack.take(capsule)
    del memory, capsule
    gc.collect()
    assert owner() is None


def test_a_byte_offset_and_missing_strides_are_understood() -> None:
    tensor = torch.arange(6, dtype=torch.int16).reshape(2, 3)
    capsule = tensor.__dlpack__()
    managed = _dlpack._Managed.from_address(_dlpack._pointer(capsule, b"dltensor"))
    managed.tensor.byte_offset = 6
    managed.tensor.strides = ctypes.POINTER(ctypes.c_int64)()
    taken = _dlpack.take(capsule)
    assert (taken.address, taken.strides) == (tensor.data_ptr() + 6, (6, 2))
    taken.release()


AT_THE_END = """
import numpy as np, torch
from trtcolor.backends import _dlpack
class Memory:
    array = np.arange(6.0)
    def __dlpack_device__(self): return (1, 0)
    def __dlpack__(self, *, max_version=None, **_):
        return _dlpack.give(self.array.ctypes.data, (6,), self.array.dtype, (1, 0), self,
                            versioned=max_version is not None)
tensor, capsule = torch.from_dlpack(Memory()), Memory().__dlpack__()
taken = _dlpack.take(torch.zeros(3).__dlpack__())
print(float(tensor.sum()))
"""


def test_a_process_ends_well_with_arrays_that_still_live() -> None:
    done = subprocess.run(
        [sys.executable, "-c", AT_THE_END], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "15.0\n", "")
