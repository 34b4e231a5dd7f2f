"""The runner of an engine, from bytes that were checked; and why there may be none here."""

from __future__ import annotations

from collections.abc import Mapping

from trtcolor.backends._tensorrt import MODULES
from trtcolor.backends._tensorrt_jit import Specialization
from trtcolor.backends.base import BackendRunner
from trtcolor.backends.driver import first_gpu
from trtcolor.bundle import Bundle
from trtcolor.engines.caches import RuntimeCacheFile
from trtcolor.engines.identity import Identity
from trtcolor.engines.store import Store
from trtcolor.errors import BackendError


def engine_runner(
    bundle: Bundle,
    identity: Identity,
    files: Mapping[str, bytes],
    *,
    threads: int | None = None,
    specialization: Specialization = "lazy",
) -> BackendRunner:
    """What runs an engine's files.

    Args:
        bundle: that the engine was built from.
        identity: of the engine.
        files: plans or ONNX files by graph, whose hashes were checked.
        threads: within one run, on a CPU; None leaves them to the backend.
        specialization: of TensorRT-RTX's kernels to a shape; what it compiles on this GPU is kept
            in the user's own cache of engines.

    Raises:
        BackendError: the backend is not installed, or no GPU answers.
    """
    backend = identity.config.backend
    if backend in MODULES:
        from trtcolor.backends.tensorrt import TensorRTRunner

        return TensorRTRunner(
            backend,
            files,
            frames=identity.config.frames,
            specialization=specialization,
            cache=RuntimeCacheFile(Store().runtime_cache(identity, str(first_gpu()))),
        )
    if backend == "openvino":
        from trtcolor.backends.openvino import OpenVinoRunner

        return OpenVinoRunner(bundle, threads=threads, graphs=files)
    from trtcolor.backends.onnxruntime import OnnxRuntimeRunner

    return OnnxRuntimeRunner(bundle, threads=threads, graphs=files)


def why_not_here(identity: Identity) -> str | None:
    """Why an engine cannot be run on this machine, as far as its identity tells; None: it can."""
    if identity.config.backend not in MODULES:
        return None
    try:
        gpu = first_gpu()
    except BackendError as error:
        return str(error)
    targets, built_on = identity.config.targets, identity.gpu
    if targets and gpu.target not in targets:
        return f"it is for {', '.join(targets)}, and {gpu.name} here is {gpu.target}"
    here = (gpu.name, gpu.compute_capability)
    # A newer driver runs older plans; another model of GPU need not.
    if built_on is not None and here != (built_on.name, built_on.compute_capability):
        return f"it was built on {built_on}, and here is {gpu.name} ({gpu.compute_capability})"
    return None
