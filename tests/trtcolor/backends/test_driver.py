"""GPUs are counted by the driver's own library, here by one that is compiled for the test."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from trtcolor.backends import driver
from trtcolor.backends.driver import Gpu, gpus
from trtcolor.errors import BackendError

# The functions as cuda.h declares them, and two GPUs.
DRIVER = r"""
#include <stdio.h>
#include <string.h>
#include <stddef.h>
typedef int CUdevice;
typedef int CUresult;
static int started;
CUresult cuInit(unsigned flags) { started = 1; return flags ? 1 : REFUSAL; }
CUresult cuDriverGetVersion(int *version) { *version = 13020; return started ? 0 : 3; }
CUresult cuDeviceGetCount(int *count) { *count = COUNT; return started ? 0 : 3; }
CUresult cuDeviceGet(CUdevice *device, int index) { *device = 100 + index; return 0; }
CUresult cuDeviceGetName(char *name, int size, CUdevice device) {
    snprintf(name, (size_t)size, "NVIDIA Test %d", device);
    return 0;
}
CUresult cuDeviceTotalMem_v2(size_t *bytes, CUdevice device) {
    *bytes = ((size_t)(device - 99)) << 33;
    return 0;
}
CUresult cuDeviceGetAttribute(int *value, int attribute, CUdevice device) {
    *value = attribute == 75 ? 8 : attribute == 76 ? device - 100 + 6 : -1;
    return 0;
}
CUresult cuGetErrorString(CUresult error, const char **text) {
    *text = "no CUDA-capable device is detected";
    return error == 100 ? 0 : 1;
}
"""


def compiled(folder: Path, source: str = DRIVER, *, count: int = 2, refusal: int = 0) -> str:
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    (folder / "driver.c").write_text(source)
    library = folder / "libcuda.so.1"
    defined = [f"-DCOUNT={count}", f"-DREFUSAL={refusal}"]
    command = [compiler, "-shared", "-fPIC", *defined, "-o", str(library), "driver.c"]
    subprocess.run(command, cwd=folder, check=True)
    return str(library)


def test_every_gpu_has_its_name_memory_and_compute_capability(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driver, "MODULE_VERSION", tmp_path / "version")
    found = gpus(compiled(tmp_path))
    assert found == [
        Gpu("NVIDIA Test 100", "8.6", 2**33, "CUDA 13.2"),
        Gpu("NVIDIA Test 101", "8.7", 2**34, "CUDA 13.2"),
    ]
    assert str(found[0]) == "NVIDIA Test 100, compute capability 8.6, 8 GiB, driver CUDA 13.2"
    assert [gpu.target for gpu in found] == ["sm86", "sm87"]
    (tmp_path / "version").write_text("580.65.06\n")
    assert gpus(compiled(tmp_path))[0].driver == "580.65.06"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"count": 0}, "shows no GPU"),
        ({"refusal": 100}, r"cuInit: 100: no CUDA-capable device is detected"),
        ({"refusal": 999}, r"cuInit: 999\)"),
    ],
    ids=["none", "refuses", "unnamed"],
)
def test_a_driver_without_a_gpu_says_why(
    options: dict[str, int], said: str, tmp_path: Path
) -> None:
    with pytest.raises(BackendError, match=said) as caught:
        gpus(compiled(tmp_path, **options))
    assert "\n" not in str(caught.value)


def test_a_missing_driver_is_named_with_its_library() -> None:
    with pytest.raises(BackendError, match=r"no NVIDIA driver \(libnone\.so\.1") as caught:
        gpus("libnone.so.1")
    assert "\n" not in str(caught.value)


def test_a_library_that_is_no_driver_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BackendError, match="cuInit: not there"):
        gpus(compiled(tmp_path, "int nothing;"))
