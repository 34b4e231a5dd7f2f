"""Plans from ONNX graphs, by TensorRT (10.3 and later, 11) and TensorRT-RTX through one code path.

A plan's precision is that of its graph: networks are strongly typed, which is all that TensorRT 11
and TensorRT-RTX know and what TensorRT 10 is asked for. TF32 is off, so that float32 means float32.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from trtcolor.backends._profiles import InputRange
from trtcolor.backends._tensorrt import MODULES, Messages, import_tensorrt, in_own_thread, logger
from trtcolor.engines.profile import GraphProfile, input_ranges
from trtcolor.engines.progress import Report, progress_monitor
from trtcolor.errors import BackendError
from trtcolor.measure import peak_memory


@dataclass(frozen=True)
class Tensor:
    """An input or output of a plan.

    Attributes:
        dtype: as numpy calls it, e.g. ``float32``.
        shape: -1 where dynamic.
    """

    dtype: str
    shape: tuple[int, ...]


@dataclass(frozen=True)
class BuiltPlan:
    """A plan and what there is to say of it.

    Attributes:
        data: the plan, unaltered, as ``trtexec --loadEngine`` reads it.
        backend: ``tensorrt`` or ``tensorrt-rtx``.
        version: of the builder, in full; the same one must run the plan.
        targets: compute capabilities that it was built for; empty: the GPU in this machine.
        inputs, outputs: by name, in the graph's order.
        profiles: minimum, optimum and maximum shape of each input, one entry a profile.
        flags: of network and builder, besides the builder's defaults.
        seconds: that parsing and building took.
        peak_memory: largest resident size of the process so far in bytes; None where the system
            does not tell. GPU memory is not in it.
        warnings: that the builder logged, each once.
        timing_cache: to give to the next build on the same GPU with the same version; None where
            the builder keeps none (TensorRT-RTX).
    """

    data: bytes
    backend: str
    version: str
    targets: tuple[str, ...]
    inputs: Mapping[str, Tensor]
    outputs: Mapping[str, Tensor]
    profiles: tuple[Mapping[str, InputRange], ...]
    flags: tuple[str, ...]
    seconds: float
    peak_memory: int | None
    warnings: tuple[str, ...]
    timing_cache: bytes | None


def build_plan(
    backend: str,
    graph: bytes,
    profiles: Sequence[GraphProfile],
    *,
    name: str = "local",
    targets: Sequence[str] = (),
    workspace: int | None = None,
    report: Report | None = None,
    timing_cache: bytes | None = None,
) -> BuiltPlan:
    """Build a plan.

    Ctrl-C cancels at the builder's next step, and KeyboardInterrupt is raised once it has stopped;
    so does an exception out of `report`, which is then raised here. Nothing is written anywhere.

    Args:
        backend: ``tensorrt`` or ``tensorrt-rtx``.
        graph: a whole ONNX model, its weights inside it.
        profiles: one or more; see `trtcolor.engines.profile.input_ranges`.
        name: of the graph, for messages.
        targets: as from `trtcolor.engines.target.resolve_targets`; none: the GPU present, the first
            that the process sees (``CUDA_VISIBLE_DEVICES``).
        workspace: bytes of GPU memory that a layer may use for intermediate results; None: the
            builder's default.
        report: told how far the build is.
        timing_cache: of an earlier `BuiltPlan`; one that does not fit is passed over.

    Raises:
        BackendError: the module does not import, or refuses graph, profiles or targets.
        ValueError: the graph has a dynamic axis besides batch, height and width.
    """
    api = import_tensorrt(backend)
    monitor = progress_monitor(api, report)
    build = _Build(api, backend, name, monitor)
    with logger(api).collect() as messages:
        return in_own_thread(
            lambda: build.run(messages, graph, profiles, targets, workspace, timing_cache),
            monitor.cancel,
        )


@dataclass(frozen=True)
class _Build:
    """One build, from the thread that it runs in."""

    api: Any
    backend: str
    name: str
    monitor: Any

    def run(
        self,
        messages: Messages,
        graph: bytes,
        profiles: Sequence[GraphProfile],
        targets: Sequence[str],
        workspace: int | None,
        timing_cache: bytes | None,
    ) -> BuiltPlan:
        start = time.perf_counter()
        try:
            builder = self.api.Builder(logger(self.api))
        except (TypeError, RuntimeError):  # pybind11's word for a null pointer
            raise self._refusal("did not start its builder", messages.reason()) from None
        flags = _network_flags(self.api)
        network = builder.create_network(sum(1 << int(flag) for flag in flags))
        self._parse(network, graph)
        inputs = _tensors(self.api, network.num_inputs, network.get_input)
        ranges = input_ranges({key: value.shape for key, value in inputs.items()}, profiles)
        config = builder.create_builder_config()
        config.progress_monitor = self.monitor
        config.clear_flag(self.api.BuilderFlag.TF32)
        if workspace is not None:
            config.set_memory_pool_limit(self.api.MemoryPoolType.WORKSPACE, workspace)
        for meant in ranges:
            self._add_profile(builder, config, meant, messages)
        self._set_targets(config, targets, messages)
        cache = self._set_timing_cache(config, timing_cache)

        plan = builder.build_serialized_network(network, config)
        if self.monitor.failure is not None:
            raise self.monitor.failure
        if plan is None:
            raise self._refusal("did not build", messages.reason())
        return BuiltPlan(
            data=bytes(plan),
            backend=self.backend,
            version=self.api.__version__,
            targets=tuple(targets),
            inputs=inputs,
            outputs=_tensors(self.api, network.num_outputs, network.get_output),
            profiles=ranges,
            flags=(*(flag.name for flag in flags), "no TF32"),
            seconds=time.perf_counter() - start,
            peak_memory=peak_memory(),
            warnings=tuple(dict.fromkeys(messages.warnings)),
            timing_cache=bytes(cache.serialize()) if cache is not None else None,
        )

    def _parse(self, network: Any, graph: bytes) -> None:
        parser = self.api.OnnxParser(network, logger(self.api))
        if parser.parse(graph) and network.num_outputs:
            return  # no bytes at all are a graph without nodes to it
        errors = [parser.get_error(i) for i in range(parser.num_errors)]
        reasons = [
            f"node {error.node_name()!r} ({error.node_operator()}): {error.desc()}"
            if error.node() >= 0
            else error.desc()
            for error in errors
        ]
        raise self._refusal("does not read", "; ".join(reasons[:3]) or "it has no outputs")

    def _add_profile(
        self, builder: Any, config: Any, meant: Mapping[str, InputRange], messages: Messages
    ) -> None:
        profile = builder.create_optimization_profile()
        for name, (minimum, optimum, maximum) in meant.items():
            profile.set_shape(name, minimum, optimum, maximum)
        if config.add_optimization_profile(profile) < 0:
            raise self._refusal(f"refuses the profile {meant} of", messages.reason())

    def _set_targets(self, config: Any, targets: Sequence[str], messages: Messages) -> None:
        if not targets:
            return
        config.num_compute_capabilities = len(targets)
        for index, target in enumerate(targets):
            capability = getattr(self.api.ComputeCapability, target.upper())
            if not config.set_compute_capability(capability, index):
                raise self._refusal(f"refuses the target {target} for", messages.reason())

    def _set_timing_cache(self, config: Any, earlier: bytes | None) -> Any:
        if self.backend == "tensorrt-rtx":  # its methods are there, deprecated, and do nothing
            return None
        cache = config.create_timing_cache(earlier or b"")
        if cache is None or not config.set_timing_cache(cache, False):
            cache = config.create_timing_cache(b"")
            config.set_timing_cache(cache, False)
        return cache

    def _refusal(self, verb: str, reason: str) -> BackendError:
        title = f"{MODULES[self.backend].title} {self.api.__version__}"
        reason = " ".join(reason.split()).rstrip(".")
        return BackendError(
            f"{title} {verb} graph {self.name!r} ({reason}); a graph, profile and target that it "
            "takes were needed; change these, or build for another backend"
        )


def _network_flags(api: Any) -> tuple[Any, ...]:
    flag = getattr(api.NetworkDefinitionCreationFlag, "STRONGLY_TYPED", None)
    return () if flag is None else (flag,)


def _tensors(api: Any, count: int, get: Any) -> dict[str, Tensor]:
    tensors = [get(index) for index in range(count)]
    return {
        tensor.name: Tensor(np.dtype(api.nptype(tensor.dtype)).name, tuple(tensor.shape))
        for tensor in tensors
    }
