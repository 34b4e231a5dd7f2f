"""`Predictor`: from the lightness of a frame to its chroma, by one model on one runner.

What `trtcolor.colorizer.Colorizer` does with pictures, and `trtcolor.video.stream` with the frames
of a film, between taking them apart and putting them together.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.base import Runner
from trtcolor.errors import BackendError, BundleError, NoGlobalFeaturesError
from trtcolor.geometry import Render, RenderPlan, chroma_size, crop, pad_edges, plan_render
from trtcolor.memory import choose_tiles
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec
from trtcolor.tiles import Tiling, run_tiles


@dataclass(frozen=True)
class Seen:
    """A frame as the network sees it.

    Attributes:
        plan: its sizes.
        graph: ``"local"`` or ``"joint"``.
        network_lightness: (1, 1, h, w) float32 L*, what that graph takes.
        global_lightness: (1, 1, S, S) float32 L*, what the global graph takes, if it is to run.
        global_features: (1, G) float32 that the caller gave instead.
    """

    plan: RenderPlan
    graph: Literal["local", "joint"]
    network_lightness: NDArray[np.float32]
    global_lightness: NDArray[np.float32] | None
    global_features: NDArray[np.float32] | None


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
    """

    def __init__(
        self, spec: ModelSpec, runner: Runner, *, memory: int | None, threads: int | None
    ) -> None:
        self.spec = spec
        self.threads = threads
        self.memory = memory
        self._runner = runner

    @property
    def device(self) -> str:
        """Where the network runs, as in `trtcolor.backends.base.Runner`."""
        return self._runner.device

    def see(
        self,
        lightness: NDArray[np.float32],
        render: Render,
        *,
        global_features: NDArray[Any] | None = None,
        joint: bool = True,
    ) -> Seen:
        """A frame's lightness as the network takes it.

        The global network's copy is made from the whole unpadded frame, its aspect not kept (004,
        section 3.4).

        Args:
            lightness: (H, W) float32 L*, at full size.
            render: how large the network sees it.
            global_features: (G,) to use instead of the frame's own.
            joint: whether the joint graph may be taken where the sizes allow it. It needs less
                time, and gives no global features before the chroma is there.

        Raises:
            ValueError: the render size or the features are none.
            NoGlobalFeaturesError: features were given to a network that takes none.
        """
        rule = self.spec.size
        features = None if global_features is None else self.checked_features(global_features)
        height, width = lightness.shape
        plan = plan_render((height, width), rule, render)
        seen = lightness
        if plan.network != plan.frame:
            seen = resize_plane(lightness, plan.network, threads=self.threads)
        graph: Literal["local", "joint"] = "local"
        square = None
        if rule.global_size is not None and features is None:
            side = (rule.global_size, rule.global_size)
            if joint and "joint" in self.spec.graphs and plan.network == side:
                graph = "joint"
            else:
                square = resize_plane(lightness, side, threads=self.threads)[None, None]
        if graph == "local":
            seen = pad_edges(seen, plan.padded)
        return Seen(
            plan=plan,
            graph=graph,
            network_lightness=np.ascontiguousarray(seen)[None, None],
            global_lightness=square,
            global_features=features,
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
        found: dict[str, NDArray[np.float32]] = {}
        inputs = {"lightness": seen.network_lightness}
        if seen.global_features is not None:
            inputs["global_features"] = seen.global_features
        elif seen.global_lightness is not None:
            found |= self.run_global(seen.global_lightness, "global_features", *extras)
            inputs["global_features"] = found["global_features"]
        found |= run_tiles(
            lambda tile: self._run_local(seen.graph, inputs | {"lightness": tile}, extras),
            seen.network_lightness,
            self._tiles(seen),
            self.spec.size.chroma_scale,
        )
        scores, scenes = found.get("bin_logits"), found.get("class_logits")
        return Prediction(
            chroma=crop(found["chroma"][0], seen.plan.chroma),
            bin_logits=None if scores is None else crop(scores[0], seen.plan.chroma),
            class_logits=None if scenes is None else self._checked_scenes(scenes[0]),
        )

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
        side = self.spec.size.global_size
        if side is None:
            raise self._no_global_features()
        square = resize_plane(lightness, (side, side), threads=self.threads)
        vector = self.run_global(square[None, None], output)[output][0]
        return self._checked_scenes(vector) if output == "class_logits" else vector

    def checked_features(self, features: NDArray[Any]) -> NDArray[np.float32]:
        """Global features (G,) as the network takes them, (1, G) float32.

        Raises:
            NoGlobalFeaturesError: the network takes none.
            ValueError: they are no vector of finite numbers.
        """
        if not self.spec.has_global_features:
            raise self._no_global_features()
        vector = np.asarray(features, dtype=np.float32)
        if vector.ndim != 1 or not np.isfinite(vector).all():
            raise ValueError(
                f"global_features of shape {vector.shape} came; a (G,) vector of finite numbers "
                "was needed; take one from Colorizer.global_features"
            )
        return np.ascontiguousarray(vector)[None]

    def _tiles(self, seen: Seen) -> Tiling:
        height, width = seen.network_lightness.shape[2:]
        on_cpu = self._runner.device == "cpu"
        if seen.graph == "joint" or (self.memory is None and not on_cpu):
            return Tiling.whole((height, width))
        return choose_tiles((height, width), self.spec.size, self.memory)

    def _run_local(
        self, graph: str, inputs: dict[str, NDArray[np.float32]], extras: tuple[str, ...]
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs of the local or the joint graph; those on the chroma grid cover its input."""
        found = self._run(graph, inputs, "chroma", *extras)
        height, width = inputs["lightness"].shape[2:]
        grid = chroma_size((height, width), self.spec.size.chroma_scale)
        for name, channels in (("chroma", 2), ("bin_logits", None)):
            if name not in found:
                continue
            shape = found[name].shape
            needed = (1, shape[1] if channels is None else channels, *grid)
            if shape != needed:
                raise BackendError(
                    f"model {self.spec.name!r} gave {name} of shape {shape} for a frame of "
                    f"{height}x{width}; {needed} was needed; export the model again"
                )
        return found

    def _run(
        self, graph: str, inputs: dict[str, NDArray[np.float32]], first: str, *others: str
    ) -> dict[str, NDArray[np.float32]]:
        """Outputs of a graph by name: the first one, and those of the others that it has."""
        outputs = (first, *(name for name in others if name in self.spec.graphs[graph].outputs))
        results = dict(zip(outputs, self._runner.run(graph, inputs, outputs), strict=True))
        for name, result in results.items():
            if not np.isfinite(result).all():  # NaN chroma would silently come out grey
                raise BackendError(
                    f"graph {graph!r} of model {self.spec.name!r} gave {name} that is not finite; "
                    "numbers were needed; the weights are broken, export the model again"
                )
        return results

    def _checked_scenes(self, logits: NDArray[np.float32]) -> NDArray[np.float32]:
        if self.spec.classes and logits.shape != (len(self.spec.classes),):
            raise BundleError(
                f"model {self.spec.name!r} gives {logits.size} class logits and names "
                f"{len(self.spec.classes)} classes; as many were needed; export the model again"
            )
        return logits

    def _no_global_features(self) -> NoGlobalFeaturesError:
        return NoGlobalFeaturesError(
            f"model {self.spec.name!r} has no global features; a model with a global network was "
            "needed; choose another model or leave them out"
        )
