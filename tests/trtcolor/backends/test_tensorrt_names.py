"""What the code calls exists in both modules, by their own bindings.

``tensorrt`` does not install everywhere, but its bindings do. They import once there are libraries
of the right names with the nine functions that they look up; these here do nothing.
"""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest

import trtcolor

PACKAGE = Path(trtcolor.__file__).parent
SOURCES = {
    "backends/_tensorrt.py": {"runtime": "Runtime"},
    "backends/_profiles.py": {"engine": "ICudaEngine"},
    "backends/_tensorrt_context.py": {"handle": "IExecutionContext"},
    "backends/_tensorrt_engine.py": {"engine": "ICudaEngine", "handle": "ICudaEngine"},
    "backends/_tensorrt_jit.py": {
        "engine": "ICudaEngine",
        "config": "IRuntimeConfig",
        "cache": "IRuntimeCache",
    },
    "backends/tensorrt.py": {},
    "engines/tensorrt.py": {
        "builder": "Builder",
        "network": "INetworkDefinition",
        "config": "IBuilderConfig",
        "profile": "IOptimizationProfile",
        "parser": "OnnxParser",
        "error": "ParserError",
        "tensor": "ITensor",
        "cache": "ITimingCache",
    },
    "engines/progress.py": {},
}
"""What a variable of a name holds in each of them, wherever its methods are called."""
ONLY_RTX = {
    "ComputeCapability",
    "EngineValidity",
    "EngineValidity.INVALID",
    "EngineInvalidityDiagnostics",
    "EngineInvalidityDiagnostics.__members__",
    "IBuilderConfig.num_compute_capabilities",
    "IBuilderConfig.set_compute_capability",
    "Runtime.get_engine_validity",
    "CudaGraphStrategy",
    "CudaGraphStrategy.WHOLE_GRAPH_CAPTURE",
    "DynamicShapesKernelSpecializationStrategy",
    "IRuntimeConfig.create_runtime_cache",
    "IRuntimeConfig.cuda_graph_strategy",
    "IRuntimeConfig.dynamic_shapes_kernel_specialization_strategy",
    "IRuntimeConfig.set_runtime_cache",
    "IRuntimeCache.deserialize",
    "IRuntimeCache.serialize",
}
"""Reached only where there are targets, or where the module or the runtime has them."""
FUNCTIONS = (
    "createInferBuilder_INTERNAL",
    "createInferRefitter_INTERNAL",
    "createInferRuntime_INTERNAL",
    "createNvOnnxParserRefitter_INTERNAL",
    "createNvOnnxParser_INTERNAL",
    "getBuilderPluginRegistry",
    "getNvOnnxParserVersion",
    "getPluginRegistry",
    "initLibNvInferPlugins",
)
LOOK = """
import importlib, json, os, sys
sys.setdlopenflags(os.RTLD_LAZY)
module = importlib.import_module(sys.argv[1])
def has(name):
    value = module
    for part in name.split("."):
        if not hasattr(value, part):
            return False
        value = getattr(value, part)
    return True
print(json.dumps([name for name in json.loads(sys.argv[2]) if not has(name)]))
"""


def used_names() -> set[str]:
    """Dotted names under the module, from the sources: ``api.X.Y`` and methods of `SOURCES`."""
    names = set()
    for source, classes in SOURCES.items():
        for node in ast.walk(ast.parse((PACKAGE / source).read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Attribute):
                continue
            text = ast.unparse(node).removeprefix("self.").lstrip("_")
            text = re.sub(r"(__\w+__)\..*", r"\1", text)  # a dict or str from there
            *path, last = text.split(".")
            if path and path[0] == "api":
                names.add(".".join([*path[1:], last]))
            elif path and path[-1] in classes and len(path) <= 2:
                names.add(f"{classes[path[-1]]}.{last}")
    return {name for name in names if re.fullmatch(r"[\w.]+", name)}


def missing(module: str, libraries: Path | None = None) -> set[str]:
    """Which of the used names a module lacks, looked at in a process of its own."""
    done = subprocess.run(
        [
            sys.executable,
            "-P",
            "-W",
            "ignore",
            "-c",
            LOOK,
            module,
            json.dumps(sorted(used_names())),
        ],
        capture_output=True,
        text=True,
        env={"LD_LIBRARY_PATH": str(libraries or "")},
    )
    assert done.returncode == 0, done.stderr
    return set(json.loads(done.stdout))


@cache
def bindings_version() -> str:
    """Of ``tensorrt-cu13-bindings``; empty where it is not installed."""
    try:
        return metadata.version("tensorrt-cu13-bindings")
    except metadata.PackageNotFoundError:
        return ""


@pytest.fixture
def libraries(tmp_path: Path) -> Path:
    """Shared libraries under the names that the bindings want."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not bindings_version():
        pytest.skip("tensorrt-cu13-bindings is not installed")
    if not sys.platform.startswith("linux") or compiler is None:
        pytest.skip("stand-ins for TensorRT's libraries are made by a C compiler on Linux")
    source = tmp_path / "empty.c"
    source.write_text("".join(f"long {name}(void) {{ return 0; }}\n" for name in FUNCTIONS))
    major = bindings_version().split(".")[0]
    for name in ("nvinfer", "nvinfer_plugin", "nvonnxparser"):
        library = tmp_path / f"lib{name}.so.{major}"
        subprocess.run([compiler, "-shared", "-fPIC", source, "-o", library], check=True)
    return tmp_path


def test_the_sources_name_what_building_and_running_need() -> None:
    assert {
        "Builder",
        "Builder.build_serialized_network",
        "BuilderFlag.TF32",
        "IBuilderConfig.progress_monitor",
        "IExecutionContext.execute_async_v3",
        "IOptimizationProfile.set_shape",
        "OnnxParser.parse",
        "Runtime.deserialize_cuda_engine",
        "TensorIOMode.INPUT",
    } <= used_names()
    assert used_names() >= ONLY_RTX


def test_tensorrt_has_all_but_what_only_rtx_has(libraries: Path) -> None:
    assert missing("tensorrt_bindings", libraries) == ONLY_RTX


def test_tensorrt_rtx_has_all() -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    assert missing("tensorrt_rtx") == set()
