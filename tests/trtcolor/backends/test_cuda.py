"""A GPU answers with what it is, or one sentence says why none does."""

from __future__ import annotations

import sys
from collections.abc import Callable

import numpy as np
import pytest

from trtcolor.backends import _cuda
from trtcolor.errors import BackendError

pytest.importorskip("cuda.bindings", reason="cuda-bindings is not installed")


def why_no_gpu() -> str:
    """Empty where there is one."""
    try:
        _cuda.probe()
    except BackendError as error:
        return str(error)
    return ""


without_gpu = pytest.mark.skipif(not why_no_gpu(), reason="a GPU is here")
needs_gpu = pytest.mark.skipif(bool(why_no_gpu()), reason=why_no_gpu() or "a GPU is here")


@without_gpu
def test_without_a_gpu_the_probe_says_why_and_what_to_do() -> None:
    with pytest.raises(BackendError, match=r"^no NVIDIA GPU answers \(cudaError\w+: [^)]+\); a "):
        _cuda.probe()


@without_gpu
def test_every_call_takes_its_arguments_as_far_as_the_driver() -> None:
    """Wrong types would be a TypeError, a missing function an AttributeError."""
    stream, buffer = _cuda.Stream(256), _cuda.Buffer()
    buffer.address = buffer.size = 512
    array = np.zeros(4, np.float32)
    calls: list[Callable[[], object]] = [
        lambda: buffer.upload(array, stream),
        lambda: buffer.download(array.shape, array.dtype, stream),
        lambda: buffer.reserve(1024),
        stream.synchronize,
        lambda: _cuda.use(0),
        lambda: _cuda.call("cudaGetDeviceProperties", 0),
    ]
    for call in calls:
        with pytest.raises(BackendError, match="failed"):
            call()


@without_gpu
def test_a_call_that_fails_is_named_with_its_reason() -> None:
    with pytest.raises(BackendError, match=r"^cudaMalloc failed \(cudaErrorInsufficientDriver: "):
        _cuda.Buffer().reserve(16)
    with pytest.raises(BackendError, match=r"^cudaStreamCreateWithFlags failed \("):
        _cuda.Stream()


def test_a_call_that_needs_no_gpu_gives_its_value() -> None:
    assert _cuda.call("cudaRuntimeGetVersion") >= 12000
    assert float(_cuda.runtime_version()) >= 12


def test_closing_what_holds_nothing_does_nothing() -> None:
    buffer = _cuda.Buffer()
    buffer.close()
    buffer.close()
    assert (buffer.address, buffer.size) == (0, 0)


def test_without_cuda_for_python_the_sentence_says_how_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cuda.bindings.runtime", None)
    _cuda.import_runtime.cache_clear()
    try:
        with pytest.raises(BackendError, match="pip install cuda-bindings"):
            _cuda.probe()
    finally:
        _cuda.import_runtime.cache_clear()


@pytest.mark.gpu
@needs_gpu
def test_a_gpu_says_what_it_is() -> None:
    gpu = _cuda.probe()
    assert gpu.name
    assert gpu.driver
    assert float(gpu.compute_capability) >= 5
    assert gpu.memory > 1 << 28
    with pytest.raises(BackendError, match="GPU 1000 was asked for"):
        _cuda.probe(1000)


@pytest.mark.gpu
@needs_gpu
def test_what_is_uploaded_comes_back_and_a_buffer_only_grows() -> None:
    stream, buffer = _cuda.Stream(), _cuda.Buffer()
    array = np.random.default_rng(0).normal(size=(3, 50)).astype(np.float32)
    buffer.upload(array, stream)
    found = buffer.download(array.shape, array.dtype, stream)
    stream.synchronize()
    np.testing.assert_array_equal(found, array)
    address = buffer.address
    assert buffer.reserve(8) == address
    assert buffer.reserve(array.nbytes * 1000)
    buffer.close()
    stream.close()
