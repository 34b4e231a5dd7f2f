"""The stand-in for CUDA has the names, numbers and arguments of the real runtime."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest
import recording_enums
from recording_cuda import RecordingRuntime

from trtcolor.backends import _cuda

real = pytest.importorskip("cuda.bindings.runtime", reason="cuda-bindings is not installed")
FUNCTIONS = sorted(
    name
    for base in RecordingRuntime.__mro__[:-1]
    for name, value in vars(base).items()
    if name.startswith("cuda") and inspect.isfunction(value)
)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_takes_as_many_arguments(name: str) -> None:
    ours = inspect.signature(getattr(RecordingRuntime, name)).parameters
    theirs = inspect.signature(getattr(real, name)).parameters
    assert len(ours) - 1 == len(theirs)


@pytest.mark.parametrize(
    "enumeration", ["cudaError_t", "cudaMemcpyKind", "cudaStreamCaptureMode", "cudaMemoryType"]
)
def test_an_enumeration_has_the_same_numbers(enumeration: str) -> None:
    for member in getattr(recording_enums, enumeration):
        assert int(getattr(getattr(real, enumeration), member.name)) == member.value


@pytest.mark.parametrize(
    "flag", ["cudaStreamNonBlocking", "cudaEventDisableTiming", "cudaHostAllocPortable"]
)
def test_a_flag_is_the_same_number(flag: str) -> None:
    assert getattr(RecordingRuntime, flag) == getattr(real, flag)


def test_the_stand_in_has_every_function_that_trtcolor_calls() -> None:
    sources = Path(_cuda.__file__).parent.glob("*.py")
    called = {
        name
        for source in sources
        for name in re.findall(r'"(cuda[A-Z]\w+)"|runtime\.(cuda[A-Z]\w+)\(', source.read_text())
        for name in name
        if name and not name.startswith("cudaError")
    }
    assert called <= set(FUNCTIONS)
    assert len(called) > 20
