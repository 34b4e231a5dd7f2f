"""`Predictor`: from the lightness of a frame to its chroma, by one model on one runner.

What `trtcolor.colorizer.Colorizer` does with pictures, and `trtcolor.video.stream` with the frames
of a film, between taking them apart and putting them together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.base import DeviceRunner, Runner
from trtcolor.geometry import Render, crop
from trtcolor.memory import choose_tiles
from trtcolor.outputs import check_finite, check_global, check_grid, check_scenes, checked_features
from trtcolor.resize import resize_plane
from trtcolor.seen import Seen, see
from trtcolor.spec import ModelSpec
from trtcolor.tiles import Tiling, run_tiles


@dataclass(frozen=True)
class Prediction:
    """All that a network says of one frame.

    Attributes:
        chroma: (2, h, w) float32 a* and b* on the grid ``plan.chroma``.
        bin_logits: (Q, h, w) float32, scores of a classifier's colour bins on that grid (what they
            are is in the spec's ``decoder``); None: a regression.
        class_logits: (C,) float32, scores of the scenes that the spec names; None: no classifier of
            scenes, or the frame was prepared with the global features of another.
    """

    chroma: NDArray[np.float32]
    bin_logits: NDArray[np.float32] | None
    class_logits: NDArray[np.float32] | None


class Predictor:
    """Runs a model's network on lightness. Threads may share it.

    Args:
        spec: of the model.
        runner: of its graphs.
        memory: bytes that the network's maps may take, checked; None: see `Colorizer`.
        threads: of one call, checked; None: one for each core.

    Attributes:
        spec, runner, memory, threads: as given.
    """

    def __init__(
        self, spec: ModelSpec, runner: Runner, *, memory: int | None, threads: int | None
    ) -> None:
        self.spec = spec
        self.threads = threads
        self.runner = runner
        self.memory = memory

    @property
    def overlaps(self) -> bool:
        """Whether `start` returns while the network runs, on a device of its own."""
        return isinstance(self.runner, DeviceRunner)

    @property
    def device(self) -> str:
        """Where the network runs, as in `trtcolor.backends.base.Runner`."""
        return self.runner.device

    def see(
        self,
        lightness: NDArray[np.float32],
        render: Render,
        *,
        global_features: NDArray[Any] | None = None,
        joint: bool = True,
    ) -> Seen:
        """A frame's lightness as the network takes it; see `trtcolor.seen.see`.

        Args:
            global_features: (G,) to use instead of the frame's own.

        Raises:
            ValueError: the render size or the features are none.
            NoGlobalFeaturesError: features were given to a network that takes none.
        """
        features = None if global_features is None else checked_features(self.spec, global_features)
        return see(
            self.spec,
            lightness,
            render,
            global_features=features,
            joint=joint,
            threads=self.threads,
        )

    def predict(self, seen: Seen, extras: tuple[str, ...] = ()) -> Prediction:
        """Run the network.

        Args:
            seen: the frame.
            extras: of ``"bin_logits"`` and ``"class_logits"``, those wanted as well.

        Raises:
            BackendError: the network failed, gave another shape, or something that is not finite.
            ValueError: the memory holds not even the smallest tile.
            BundleError: the classifier has another number of classes than ``model.json`` names.
        """
        inputs, found = self._inputs(seen, extras)
        found |= run_tiles(
            lambda tile: self._run_local(seen.graph, inputs | {"lightness": tile}, extras),
            seen.network_lightness,
            self._tiles(seen),
            self.spec.size.chroma_scale,
        )
        scores, scenes = found.get("bin_logits"), found.get("class_logits")
        if scenes is not None:
            check_scenes(self.spec, scenes[0])
        return Prediction(
            chroma=crop(found["chroma"][0], seen.plan.chroma),
            bin_logits=None if scores is None else crop(scores[0], seen.plan.chroma),
            class_logits=None if scenes is None else scenes[0],
        )

    def start(self, seen: Seen) -> Callable[[], NDArray[np.float32]]:
        """Begin to run the network where that is on a GPU; elsewhere, and in tiles, run it.

        Returns:
            What waits for the run and gives its (2, h, w) float32 chroma; to be called once.

        Raises:
            BackendError, ValueError: as from `predict`, as does what is returned.
        """
        runner = self.runner
        if not isinstance(runner, DeviceRunner) or len(self._tiles(seen)) > 1:
            chroma = self.predict(seen).chroma
            return lambda: chroma
        inputs, _ = self._inputs(seen)
        pending = runner.start(seen.graph, inputs, ("chroma",))

        def wait() -> NDArray[np.float32]:
            (found,) = pending.result()
            check_finite(self.spec, seen.graph, "chroma", found)
            check_grid(self.spec, "chroma", found, 2, seen.network_lightness)
            return crop(found[0], seen.plan.chroma)

        return wait

    def features(self, seen: Seen) -> NDArray[np.float32]:
        """The (G,) global features of a frame whose copy for the global network was made.

        Raises:
            BackendError: as from `predict`.
        """
        assert seen.global_lightness is not None, "made for networks with global features"
        found = self.run_global(seen.global_lightness, "global_features")
        own: NDArray[np.float32] = found["global_features"][0]
        return own

    def run_global(
        self, square: NDArray[np.float32], first: str, *others: str
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs of the global graph by name: the first one, and those of the others it has.

        Args:
            square: (1, 1, S, S) float32 L*, as of `Seen`.

        Raises:
            BackendError: as from `predict`.
        """
        return self._run("global", {"lightness": square}, first, *others)

    def describe(self, lightness: NDArray[np.float32], output: str) -> NDArray[np.float32]:
        """An output of the global graph, ``"global_features"`` or ``"class_logits"``, of a frame.

        Args:
            lightness: (H, W) float32 L*, at full size.

        Raises:
            NoGlobalFeaturesError: the network has no global graph.
            BackendError, BundleError: as from `predict`.
        """
        check_global(self.spec)
        side = self.spec.size.global_size
        assert side is not None, "a spec has both or neither"
        square = resize_plane(lightness, (side, side), threads=self.threads)
        vector: NDArray[np.float32] = self.run_global(square[None, None], output)[output][0]
        if output == "class_logits":
            check_scenes(self.spec, vector)
        return vector

    def _inputs(
        self, seen: Seen, extras: tuple[str, ...] = ()
    ) -> tuple[dict[str, NDArray[np.float32]], dict[str, NDArray[np.float32]]]:
        """Inputs of the local or the joint graph, and what the global one gave on the way."""
        found: dict[str, NDArray[np.float32]] = {}
        inputs = {"lightness": seen.network_lightness}
        if seen.global_features is not None:
            inputs["global_features"] = seen.global_features
        elif seen.global_lightness is not None:
            found = self.run_global(seen.global_lightness, "global_features", *extras)
            inputs["global_features"] = found["global_features"]
        return inputs, found

    def _tiles(self, seen: Seen) -> Tiling:
        height, width = seen.network_lightness.shape[2:]
        on_cpu = self.runner.device == "cpu"
        if seen.graph == "joint" or (self.memory is None and not on_cpu):
            return Tiling.whole((height, width))
        return choose_tiles((height, width), self.spec.size, self.memory)

    def _run_local(
        self, graph: str, inputs: dict[str, NDArray[np.float32]], extras: tuple[str, ...]
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs of the local or the joint graph; those on the chroma grid cover its input."""
        found = self._run(graph, inputs, "chroma", *extras)
        for name, channels in (("chroma", 2), ("bin_logits", None)):
            if name in found:
                check_grid(self.spec, name, found[name], channels, inputs["lightness"])
        return found

    def _run(
        self, graph: str, inputs: dict[str, NDArray[np.float32]], first: str, *others: str
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs of a graph by name: the first one, and those of the others that it has."""
        outputs = (first, *(name for name in others if name in self.spec.graphs[graph].outputs))
        results = dict(zip(outputs, self.runner.run(graph, inputs, outputs), strict=True))
        for name, result in results.items():
            check_finite(self.spec, graph, name, result)
        return results
