"""The plans of a TensorRT engine as models of the server: one each, and an ensemble that ties them.

The ensemble takes ``frames`` and ``saturation`` and makes no batches of its own; the plans before
the merge do. A plan runs on the GPU and with the version of TensorRT that it was built for, which
the server's container has to have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from trtcolor.backends.frame_plans import MERGE, PREPARE
from trtcolor.bundle import Bundle
from trtcolor.engines.entry import Entry
from trtcolor.engines.frames import network_shape
from trtcolor.engines.profile import Shape, ShapeProfile, shape_text
from trtcolor.errors import EngineError
from trtcolor.geometry import chroma_size
from trtcolor.triton.config import PLAN, Model, Shapes
from trtcolor.triton.serving import Serving, Size
from trtcolor.triton.signature import Signature, signature_of

if TYPE_CHECKING:
    import onnx

    from trtcolor.end_to_end.steps import Channels

BACKEND = "tensorrt"
NAMES: dict[str, dict[str, str]] = {
    "global": {"lightness": "global_lightness"},
    "local": {"lightness": "network_lightness"},
}
"""Of the graphs' tensors in the ensemble, where they are others."""


@dataclass(frozen=True)
class Plans:
    """An engine on its way into a repository.

    Attributes:
        entry: verified, with plans for frames.
        serving: no larger batch than the engine takes.
    """

    bundle: Bundle
    entry: Entry
    serving: Serving

    @classmethod
    def of(cls, bundle: Bundle, entry: Entry, serving: Serving) -> Plans:
        """Check that the server can run an engine.

        Raises:
            EngineError: it is no verified engine of the backend `tensorrt` with plans for frames,
                of this model, or damaged.
            ValueError: the settings are not for it: another kind of device, or a size that its
                profiles do not take.
        """
        check_engine(bundle, entry)
        if serving.kind == "cpu":
            raise ValueError("kind is 'cpu' with an engine; a GPU was needed; leave it out")
        config = entry.sidecar.identity.config
        most = min(
            max(profile.maximum[0] for profile in profiles)
            for profiles in (config.profiles, config.frame_profiles)
        )
        serving = replace(serving, max_batch=min(serving.max_batch, most), kind="gpu")
        plans = cls(bundle, entry, serving)
        for size in serving.warm_up:
            plans._check_size(size)
        return plans

    def models(
        self, channels: Channels, labels: Mapping[str, str], *, trust: bool = False
    ) -> dict[str, Model]:
        """Plans by the name of their graph, in the order in which they run.

        Args:
            channels: of the frames, 3 or 1.
            labels: as for `trtcolor.triton.signature.signature_of`.
            trust: as for `Entry.read`.

        Raises:
            ValueError: plans take grey or RGB frames, not either.
            EngineError: a file is altered, or the engine is not to be trusted.
        """
        if channels not in PREPARE:
            raise ValueError(
                f"channels is {channels!r} with an engine; 1 for grey or 3 for RGB was needed; "
                "pass one of these"
            )
        warm_up = [self._shapes(size, channels) for size in self.serving.warm_up]
        found = {}
        for name, graph in self._graphs(channels).items():
            file = self.entry.sidecar.graphs[name]
            given = signature_of(graph, labels)
            outputs = tuple(t for t in given.outputs if t.name in file.outputs)
            found[name] = Model(
                PLAN,
                self.entry.read(name, trust=trust),
                Signature(given.inputs, outputs, given.batched),
                self.serving,
                [
                    {t.name: shapes[name].get(t.name, t.dims) for t in given.inputs}
                    for shapes in warm_up
                ],
                profiles=len(file.profiles),
            )
        return found

    def origin(self) -> dict[str, str]:
        """What the server shows of the engine."""
        identity = self.entry.sidecar.identity
        gpu = identity.gpu
        return {
            "trtcolor_engine": self.entry.path.name,
            "trtcolor_builder": f"{identity.builder} {identity.builder_version}",
            "trtcolor_precision": identity.config.precision,
            "trtcolor_gpu": "" if gpu is None else f"{gpu.name} {gpu.compute_capability}",
        }

    def _graphs(self, channels: int) -> dict[str, onnx.ModelProto]:
        """The graphs that the plans were built from, by name."""
        from trtcolor.engines.frames import frame_graphs
        from trtcolor.precision.plain import plain_graph

        frames = self.entry.sidecar.identity.config.frames
        assert frames is not None  # `check_engine`
        around = frame_graphs(self.bundle.spec, frames)
        names = ("global", "local") if self.bundle.spec.has_global_features else ("local",)
        networks = {name: plain_graph(self.bundle, name) for name in names}
        return {PREPARE[channels]: around[PREPARE[channels]], **networks, MERGE: around[MERGE]}

    def _shapes(self, size: Size, channels: int) -> dict[str, Shapes]:
        """What varies of each plan's inputs for a frame of a size, by the plan's name."""
        seen, scale = self._seen(1, size)[1:], self.bundle.spec.size.chroma_scale
        return {
            PREPARE[channels]: {"frames": (*size, channels)},
            "global": {},
            "local": {"lightness": (1, *seen)},
            MERGE: {"lightness": (1, 1, *size), "chroma": (1, 2, *chroma_size(seen, scale))},
        }

    def _seen(self, batch: int, size: Size) -> Shape:
        frames = self.entry.sidecar.identity.config.frames
        assert frames is not None
        return network_shape((batch, *size), self.bundle.spec.size, frames.render)

    def _check_size(self, size: Size) -> None:
        """Refuse to warm up what a plan would refuse to run."""
        config = self.entry.sidecar.identity.config
        for batch in (1, self.serving.max_batch):
            _admit((batch, *size), config.frame_profiles)
            _admit(self._seen(batch, size), config.profiles)


def check_engine(bundle: Bundle, entry: Entry) -> None:
    """Refuse an engine that the server cannot run, or that nobody knows to be right.

    Raises:
        EngineError: as from `Plans.of`.
    """
    identity, status = entry.sidecar.identity, entry.sidecar.verification.status
    config, name = identity.config, entry.path.name
    if (identity.model, identity.files) != (
        bundle.spec.name,
        dict(sorted(bundle.spec.files.items())),
    ):
        raise EngineError(
            f"engine {name} is of another model than {bundle.spec.name!r}, or of another version; "
            "one of this model was needed; build it, or export that one"
        )
    if config.backend != BACKEND:
        raise EngineError(
            f"engine {name} is of {config.backend}; one of {BACKEND} was needed, which is all that "
            "the server runs; leave --engine out, or build one with --backend tensorrt --frames"
        )
    if config.frames is None:
        raise EngineError(
            f"engine {name} has no plans for frames; these were needed; build it with --frames"
        )
    if status != "verified":
        raise EngineError(
            f"engine {name} is {status}: no GPU has run it yet; one known to be right was needed; "
            "colour a picture with it on its GPU, then export it"
        )
    entry.check()


def _admit(shape: Shape, profiles: Sequence[ShapeProfile]) -> None:
    if not any(profile.admits(shape) for profile in profiles):
        raise ValueError(
            f"a warm-up of {shape_text(shape)} came; a size within the engine's profiles "
            f"({', '.join(map(str, profiles))}) was needed; give another (here: --warm-up)"
        )
