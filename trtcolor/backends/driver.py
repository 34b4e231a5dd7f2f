"""Which NVIDIA GPUs the driver shows, asked of the driver itself: no package is needed for that."""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trtcolor.errors import BackendError

LIBRARY = "libcuda.so.1"
"""It comes with the driver."""
MODULE_VERSION = Path("/sys/module/nvidia/version")
"""Where Linux tells the driver's version."""
_MAJOR, _MINOR = 75, 76  # CU_DEVICE_ATTRIBUTE_COMPUTE_CAPABILITY_MAJOR and _MINOR of cuda.h


@dataclass(frozen=True)
class Gpu:
    """A GPU that the driver shows.

    Attributes:
        name: as NVIDIA calls it.
        compute_capability: e.g. ``8.9``.
        memory: in bytes.
        driver: its version, e.g. ``580.65.06``, or where the system does not tell (WSL) the newest
            CUDA that it takes, e.g. ``CUDA 13.0``.
    """

    name: str
    compute_capability: str
    memory: int
    driver: str

    @property
    def target(self) -> str:
        """The compute capability as builders write it, e.g. ``sm89``."""
        return f"sm{self.compute_capability.replace('.', '')}"

    def __str__(self) -> str:
        return (
            f"{self.name}, compute capability {self.compute_capability}, "
            f"{self.memory / 2**30:.0f} GiB, driver {self.driver}"
        )


def first_gpu() -> Gpu:
    """The GPU that engines are built for and run on.

    Raises:
        BackendError: as from `gpus`.
    """
    return gpus()[0]


def gpus(library: str = LIBRARY) -> list[Gpu]:
    """Ask the driver for every GPU that the process sees (``CUDA_VISIBLE_DEVICES``).

    It starts the driver, after which a process cannot use a GPU in its forked children.

    Args:
        library: the driver's, by name or path.

    Raises:
        BackendError: why there is none: no driver, or one that refuses or shows none.
    """
    try:
        driver = ctypes.CDLL(library)
    except OSError as error:
        raise BackendError(
            f"no NVIDIA driver ({error}); one was needed to run on a GPU; install NVIDIA's driver"
        ) from None
    _call(driver, "cuInit", ctypes.c_uint(0))
    version = _number(driver, "cuDriverGetVersion")
    count = _number(driver, "cuDeviceGetCount")
    if count == 0:
        raise BackendError(
            "the NVIDIA driver shows no GPU; one was needed; look at CUDA_VISIBLE_DEVICES"
        )
    named = _named_version() or f"CUDA {version // 1000}.{version % 1000 // 10}"
    return [_gpu(driver, index, named) for index in range(count)]


def _named_version() -> str | None:
    try:
        return MODULE_VERSION.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return None


def _gpu(driver: Any, index: int, version: str) -> Gpu:
    device = ctypes.c_int(_number(driver, "cuDeviceGet", ctypes.c_int(index)))
    name = ctypes.create_string_buffer(256)
    _call(driver, "cuDeviceGetName", name, ctypes.c_int(len(name)), device)
    memory = ctypes.c_size_t()
    _call(driver, "cuDeviceTotalMem_v2", ctypes.byref(memory), device)
    major, minor = (
        _number(driver, "cuDeviceGetAttribute", ctypes.c_int(attribute), device)
        for attribute in (_MAJOR, _MINOR)
    )
    return Gpu(name.value.decode(errors="replace"), f"{major}.{minor}", memory.value, version)


def _number(driver: Any, function: str, *arguments: Any) -> int:
    """What a function writes to its first argument."""
    result = ctypes.c_int()
    _call(driver, function, ctypes.byref(result), *arguments)
    return result.value


def _call(driver: Any, function: str, *arguments: Any) -> None:
    try:
        status = getattr(driver, function)(*arguments)
    except AttributeError:
        status = "not there"
    if status == 0:
        return
    text = ctypes.c_char_p()
    if status != "not there" and driver.cuGetErrorString(status, ctypes.byref(text)) == 0:
        status = f"{status}: {(text.value or b'').decode(errors='replace')}"
    raise BackendError(
        f"the NVIDIA driver failed ({function}: {status}); a driver that works was needed; try "
        "nvidia-smi, or install NVIDIA's driver again"
    )
