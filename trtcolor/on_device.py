"""`OnDevice`: frames in a GPU's memory, coloured without leaving it.

The three steps of `trtcolor.colorizer.Colorizer`, each a graph of the runner
(`trtcolor.backends.base.FrameGraphs`) in a CUDA stream of its own, so that neighbouring frames
overlap:

    frame --prepare--> lightness, what the network sees --network--> chroma --merge--> RGB

What lies between two of them is ordered by events. The host waits for the chroma alone, which it
looks through for what is no number; what a film needs on the host besides (`trtcolor.video.steps`)
is copied in a fourth stream.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from trtcolor.backends.base import DeviceRunner
from trtcolor.device_work import DeviceWork
from trtcolor.errors import BackendError
from trtcolor.frames import Upsampling
from trtcolor.geometry import Render, RenderPlan, chroma_size, crop, plan_render
from trtcolor.outputs import check_finite, check_global, check_scenes, checked_features
from trtcolor.predictor import Predictor

if TYPE_CHECKING:
    from trtcolor.backends.device_arrays import DeviceArray
    from trtcolor.color import Gamut

Float = NDArray[np.float32]


@dataclass(frozen=True)
class SeenOnDevice:
    """A frame as the network sees it, and its lightness for the merge; arrays on the GPU.

    Attributes:
        plan: its sizes.
        merge: name of the graph that merges it.
        lightness: (1, 1, H, W) float32 L*, at full size.
        network_lightness: (1, 1, h, w) float32 L*, padded.
        global_lightness: (1, 1, S, S) float32 L* for the global graph; None where there is none.
        global_features: (1, G) float32 on the host that were given instead of the frame's own.
    """

    plan: RenderPlan
    merge: str
    lightness: DeviceArray
    network_lightness: DeviceArray
    global_lightness: DeviceArray | None
    global_features: Float | None


class OnDevice:
    """Colours frames in the memory of the GPU that a model runs on. Threads may share it.

    Nothing of CUDA is touched before the first frame comes.

    Args:
        predictor: of the model.
        gamut, upsampling: as for `trtcolor.colorizer.Colorizer`.
    """

    def __init__(self, predictor: Predictor, gamut: Gamut, upsampling: Upsampling) -> None:
        self._predictor = predictor
        self._spec = predictor.spec
        self._gamut: Gamut = gamut
        self._upsampling = upsampling
        self._work = DeviceWork(predictor.runner.device)
        self._described: dict[str, tuple[int, ...]] = {}  # shapes of what the global graph gives

    def colorize(
        self, frame: Any, render: Render, global_features: NDArray[Any] | None, saturation: float
    ) -> DeviceArray:
        """Colour a frame; arguments and errors are those of `Colorizer.colorize`.

        Returns:
            (H, W, 3) uint8 RGB that may still be being filled.
        """
        seen = self.see(frame, render, global_features=global_features)
        with self._work.on():
            chroma = self._chroma(seen)
            rgb = self._merged(seen, chroma, saturation)
            found = self._work.download(chroma)
        self._checked(found.result())
        return rgb

    def see(
        self, frame: Any, render: Render, *, global_features: NDArray[Any] | None = None
    ) -> SeenOnDevice:
        """First step: a frame's lightness, at full size and as the network takes it.

        Raises:
            TypeError, ValueError: the frame, the render size or the features are not of the kind.
            NoGlobalFeaturesError: features were given to a network that takes none.
            BackendError: the runner is on no GPU or has no graphs for frames, or the GPU failed.
        """
        runner = self._runner()
        features = global_features
        if features is not None:
            features = checked_features(self._spec, features)
        with self._work.on():
            frames = self._work.taken(frame)
            height, width, channels = frames.shape[1:]
            plan = plan_render((height, width), self._spec.size, render)
            graphs = runner.frame_graphs(render, self._gamut, channels)
            new = self._work.first.new
            made = {
                "lightness": new((1, 1, height, width)),
                "network_lightness": new((1, 1, *plan.padded)),
            }
            side = self._spec.size.global_size
            if side is not None:
                made["global_lightness"] = new((1, 1, side, side))
            self._work.first.run(runner, graphs.prepare, {"frames": frames}, made)
        return SeenOnDevice(
            plan=plan,
            merge=graphs.merge,
            lightness=made["lightness"],
            network_lightness=made["network_lightness"],
            global_lightness=made.get("global_lightness"),
            global_features=features,
        )

    def lightness(self, seen: SeenOnDevice) -> Float:
        """(h, w) float32 L* on the host, as the network sees it, without the padding."""
        with self._work.on():
            found = self._work.download(seen.network_lightness)
        return crop(found.result()[0, 0], seen.plan.network)

    def features(self, seen: SeenOnDevice) -> Float:
        """The (G,) global features of a frame, on the host.

        Raises:
            BackendError: the network failed, or gave something that is not finite.
        """
        return self._global(seen, "global_features")

    def describe(self, frame: Any, output: str, render: Render) -> Float:
        """What the global graph says of a frame; see `trtcolor.predictor.Predictor.describe`."""
        check_global(self._spec)
        vector = self._global(self.see(frame, render), output)
        if output == "class_logits":
            check_scenes(self._spec, vector)
        return vector

    def start(self, seen: SeenOnDevice) -> Callable[[], Float]:
        """Second step: begin to run the network.

        Returns:
            What waits for it and gives (2, h, w) float32 chroma on the host; to be called once.

        Raises:
            BackendError: the network failed, as does what is returned; or that gives something that
                is not finite.
        """
        with self._work.on():
            found = self._work.download(self._chroma(seen))
        return lambda: crop(self._checked(found.result())[0], seen.plan.chroma)

    def merge(self, seen: SeenOnDevice, chroma: Float) -> DeviceArray:
        """Third step: put chroma under the frame's own lightness.

        Args:
            seen: the frame.
            chroma: (2, h, w) float32 a* and b*, on the host.

        Returns:
            (H, W, 3) uint8 RGB that may still be being filled.

        Raises:
            BackendError: the GPU failed.
        """
        with self._work.on():
            return self._merged(seen, self._work.third.upload(chroma[np.newaxis]), 1.0)

    def close(self) -> None:
        """Give back streams and memory, once all is done; a second call does nothing."""
        self._work.close()

    def _runner(self) -> DeviceRunner:
        runner = self._predictor.runner
        if not isinstance(runner, DeviceRunner):
            raise BackendError(
                f"a frame on a GPU came to backend {runner.name!r}, which runs on {runner.device}; "
                "one on that GPU was needed; pass backend='onnxruntime-cuda' or 'tensorrt', or "
                "copy the frame to the host"
            )
        if self._upsampling != "bilinear":
            raise ValueError(
                f"a frame on a GPU came with upsampling {self._upsampling!r}; 'bilinear' was "
                "needed; leave it out, or copy the frame to the host"
            )
        if self._predictor.memory is not None:
            raise ValueError(
                f"a frame on a GPU came with memory {self._predictor.memory}, which tiles could "
                "keep to; frames there are not tiled; leave memory out and bound the size by render"
            )
        return runner

    def _chroma(self, seen: SeenOnDevice) -> DeviceArray:
        """(1, 2, h, w), with the padding."""
        inputs = {"lightness": seen.network_lightness}
        if seen.global_features is not None:
            inputs["global_features"] = self._work.second.upload(seen.global_features)
        elif seen.global_lightness is not None:
            inputs["global_features"] = self._run_global(seen, "global_features")
        grid = chroma_size(seen.plan.padded, self._spec.size.chroma_scale)
        chroma = self._work.second.new((1, 2, *grid))
        self._work.second.run(self._runner(), "local", inputs, {"chroma": chroma})
        return chroma

    def _merged(self, seen: SeenOnDevice, chroma: DeviceArray, saturation: float) -> DeviceArray:
        merge, (height, width) = self._work.third, seen.plan.frame
        inputs = {
            "lightness": seen.lightness,
            "chroma": chroma,
            "saturation": merge.upload(np.array([saturation], np.float32)),
        }
        rgb = merge.new((1, height, width, 3), np.uint8)
        merge.run(self._runner(), seen.merge, inputs, {"rgb": rgb})
        return merge.reshaped(rgb, (height, width, 3))

    def _global(self, seen: SeenOnDevice, output: str) -> Float:
        with self._work.on():
            found = self._work.download(self._run_global(seen, output))
        vector: Float = found.result()[0]
        check_finite(self._spec, "global", output, vector)
        return vector

    def _run_global(self, seen: SeenOnDevice, output: str) -> DeviceArray:
        assert seen.global_lightness is not None, "made for networks with global features"
        made = self._work.second.new(self._shape(output))
        inputs = {"lightness": seen.global_lightness}
        self._work.second.run(self._runner(), "global", inputs, {output: made})
        return made

    def _shape(self, output: str) -> tuple[int, ...]:
        """Of what the global graph gives for one frame, which no spec says: it is run once."""
        if output not in self._described:
            side = self._spec.size.global_size
            assert side is not None, "made for networks with global features"
            black = np.zeros((1, 1, side, side), np.float32)
            (found,) = self._runner().run("global", {"lightness": black}, (output,))
            self._described[output] = found.shape
        return self._described[output]

    def _checked(self, chroma: Float) -> Float:
        check_finite(self._spec, "local", "chroma", chroma)
        return chroma
