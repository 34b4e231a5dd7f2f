"""`Colorizer`: a model and a backend, ready to colour frames. The one class that users keep.

A frame's way is three steps in a row, each callable by itself so that they can be timed apart:
`Colorizer.prepare` (frame to lightness, reduced and padded), `Colorizer.predict` (lightness to
chroma, the network) and `Colorizer.merge` (chroma laid under the frame's own lightness).

The lightness that goes out is the one that came in: where a predicted colour lies outside sRGB its
a*b* is drawn toward 0 at constant L* (``gamut="reduce"``), so that only the rounding to 8 or 16
bits changes L* (by at most 0.6 and 0.01). ``gamut="clip"`` clips R, G and B instead, as
the papers do, and does not keep L*.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from trtcolor.arrays import one_of
from trtcolor.backends.available import Precision
from trtcolor.backends.device_arrays import is_on_gpu
from trtcolor.bundle import open_bundle
from trtcolor.choose import open_runner
from trtcolor.closing import Closing
from trtcolor.errors import BundleError
from trtcolor.frames import (
    Frame,
    Upsampling,
    array_from_frame,
    check_saturation,
    frame_from_array,
)
from trtcolor.geometry import MERGE_SCALES, Render, checked_render
from trtcolor.memory import checked_memory
from trtcolor.on_device import OnDevice
from trtcolor.planes import Matrix, Range, Siting, Subsampling, lightness_from_luma
from trtcolor.predictor import Prediction, Predictor
from trtcolor.scenes import check_classifies, ranked
from trtcolor.seen import Seen
from trtcolor.threads import checked_threads
from trtcolor.video.steady import DEFAULT_STEADY

Gamut = Literal["reduce", "clip"]


@dataclass(frozen=True)
class Prepared(Seen):
    """A frame on its way into the network.

    Attributes:
        frame: its lightness at full size, merged untouched, and its alpha.
    """

    frame: Frame


class Colorizer(Closing):
    """Colours frames with one model on one backend. Threads may share it.

    Args:
        model: ``"default"``, the name of an installed bundle, or a path to a bundle folder.
        backend: ``"onnxruntime"`` (the default), ``"onnxruntime-cuda"``, ``"openvino"``,
            ``"tensorrt"``, ``"tensorrt-rtx"``, or ``"auto"`` for the fastest that works here and is
            exact enough (`trtcolor.engines.ranking`). One that is named is never replaced by
            another.
        precision: ``"fp32"``, ``"fp16"``, ``"bf16"`` or ``"int8"`` takes an engine of that
            precision (``trtcolor build-engine``); None computes in float32, on TensorRT as the
            newest engine does, and with ``"auto"`` in whatever is exact enough.
        engine: folder of an engine, in the place of backend and precision.
        trust: whether that folder may lie elsewhere than in your own cache of engines, which are
            executable code.
        threads: of one call, in the network, its tiles and the kernels of colour alike, the calling
            thread among them; other Colorizers keep theirs. None: one for each core.
        render: how large the network sees a frame: ``"full"``, the number of pixels of the shorter
            side, or ``"auto"`` for the model's own default (see `trtcolor.geometry.plan_render`).
        gamut: ``"reduce"`` keeps L*, ``"clip"`` clips R, G and B as the papers do.
        upsampling: how chroma reaches the frame's resolution: ``"bilinear"``, or
            ``"joint-bilateral"``, which lets it stop at the borders of the frame's lightness (see
            `trtcolor.upsampling`). `colorize_yuv` is always bilinear.
        memory: bytes that the network's maps may take, beyond the picture, the program and the
            weights; larger frames are seen in tiles, which changes a* and b* by rounding only.
            None takes on a CPU what `trtcolor.memory.choose_tiles` says, and on a GPU no tiles.

    Attributes:
        spec: the model's `ModelSpec`.
        backend: the backend's name.
        backend_reason: why ``"auto"`` took it, in words; None: it was named.
        render, gamut, threads: as given.
        predictor: what runs the network on lightness.
        on_device: what colours frames in a GPU's memory.

    Raises:
        ValueError: an argument is none of these.
        UnknownModelError: no such model.
        BundleError: the bundle is incomplete or altered.
        BackendError: the backend is not installed or finds no GPU, or none works.
        EngineError: there is no engine that fits, or it is damaged or not trusted.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] = "default",
        *,
        backend: str | None = None,
        precision: Precision | None = None,
        engine: str | os.PathLike[str] | None = None,
        trust: bool = False,
        threads: int | None = None,
        render: Render = "auto",
        gamut: Gamut = "reduce",
        upsampling: Upsampling = "bilinear",
        memory: int | None = None,
    ) -> None:
        if gamut not in get_args(Gamut):
            raise ValueError(
                f"gamut is {gamut!r}; 'reduce' or 'clip' was needed; pass one of these"
            )
        self.render = checked_render(render)
        self.gamut: Gamut = gamut
        self.upsampling: Upsampling = one_of("upsampling", upsampling, get_args(Upsampling))
        self.threads = checked_threads(threads)
        memory = checked_memory(memory)
        bundle = open_bundle(model)
        self.spec = bundle.spec
        if memory is not None and self.spec.size.halo is None:
            raise ValueError(
                f"memory is {memory} and model {self.spec.name!r} cannot be tiled; a model with a "
                "halo was needed; leave memory out and bound the size by render"
            )
        if self.spec.size.chroma_scale not in MERGE_SCALES:
            raise BundleError(
                f"model {self.spec.name!r} has chroma scale {self.spec.size.chroma_scale}; one of "
                f"{', '.join(map(str, MERGE_SCALES))} was needed; export it with a finer grid"
            )
        self._runner, self.backend_reason = open_runner(
            bundle, backend, precision=precision, engine=engine, trust=trust, threads=threads
        )
        self.backend = self._runner.name
        self.predictor = Predictor(self.spec, self._runner, memory=memory, threads=self.threads)
        self.on_device = OnDevice(self.predictor, self.gamut, self.upsampling)

    def colorize(
        self,
        frame: Any,
        *,
        global_features: NDArray[Any] | None = None,
        saturation: float = 1.0,
        render: Render | None = None,
    ) -> Any:
        """Colour one frame.

        Args:
            frame: uint8 or uint16, any size from 1x1, sRGB-coded: (H, W) or (H, W, 1) grey,
                (H, W, 2) grey and alpha, (H, W, 3) RGB or (H, W, 4) RGBA. Colour that comes in is
                treated as the grey of its L*. NumPy's, or another library's that has
                ``__dlpack__`` or ``__cuda_array_interface__`` (PyTorch, CuPy, pycuda,
                PyNvVideoCodec); one in the memory of the backend's GPU stays there, and is uint8
                without alpha.
            global_features: (G,) vector to use instead of the frame's own: that of another picture
                gives this one its style (004, section 4.6), that of the first frame of a shot
                keeps the shot steady and saves the global network's time.
            saturation: factor on a* and b*, 0 (grey) to 10.
            render: for this frame, instead of the object's own.

        Returns:
            (H, W, 3) RGB, or (H, W, 4) RGBA with alpha as it came, of the frame's dtype. Of a frame
            on the GPU a `trtcolor.backends.device_arrays.DeviceArray` there that may still be being
            filled; a library that takes it lets its stream wait for that.

        Raises:
            TypeError: the frame is no array, or not of uint8 or uint16.
            ValueError: its shape, the saturation, the render size or the features are not these, or
                the object's `memory` holds not even the smallest tile.
            NoGlobalFeaturesError: features were given to a network that takes none.
            BackendError: the network failed, or gave something that is not finite; or a frame is on
                a GPU and the backend is not.
        """
        check_saturation(saturation)  # before the network has run for nothing
        if is_on_gpu(frame):
            render = self.render if render is None else render
            return self.on_device.colorize(frame, render, global_features, saturation)
        prepared = self.prepare(frame, global_features=global_features, render=render)
        return self.merge(prepared, self.predict(prepared), saturation=saturation)

    def prepare(
        self,
        frame: Any,
        *,
        global_features: NDArray[Any] | None = None,
        render: Render | None = None,
    ) -> Prepared:
        """First step: the frame's lightness, at full size and as the network takes it.

        Arguments and errors are those of `colorize`; the frame is in the host's memory. The global
        network's copy is of the whole unpadded frame, its aspect not kept (004, section 3.4).
        """
        taken = frame_from_array(frame, threads=self.threads)
        seen = self.predictor.see(
            taken.lightness,
            self.render if render is None else render,
            global_features=global_features,
        )
        return Prepared(**vars(seen), frame=taken)

    def predict(self, prepared: Prepared) -> NDArray[np.float32]:
        """Second step: run the network.

        Returns:
            (2, h, w) float32 a* and b* on the grid ``prepared.plan.chroma``.

        Raises:
            BackendError: the network failed, gave another shape, or something that is not finite.
            ValueError: the object's `memory` holds not even the smallest tile.
        """
        return self.predictor.predict(prepared).chroma

    def predict_all(self, prepared: Prepared) -> Prediction:
        """Second step with everything that the network says in the same run, for evaluation.

        Raises:
            BackendError, ValueError: as from `predict`.
            BundleError: as from `classify`.
        """
        return self.predictor.predict(prepared, ("bin_logits", "class_logits"))

    def merge(
        self, prepared: Prepared, chroma: NDArray[np.float32], *, saturation: float = 1.0
    ) -> NDArray[Any]:
        """Third step: put chroma under the frame's own lightness.

        Args:
            prepared: the frame.
            chroma: (2, h, w) float32 a* and b* from `predict`, or edited since.
            saturation: as for `colorize`.

        Returns:
            The coloured frame, as from `colorize`.

        Raises:
            ValueError: the saturation or the shape of `chroma` is not of the kind named.
        """
        check_saturation(saturation)
        if saturation != 1.0:
            chroma = chroma * np.float32(saturation)
        return array_from_frame(
            prepared.frame,
            chroma,
            scale=prepared.plan.merge_scale,
            gamut=self.gamut,
            upsampling=self.upsampling,
            threads=self.threads,
        )

    def stream(
        self,
        frames: Iterable[Any],
        *,
        steady: float = DEFAULT_STEADY,
        style: NDArray[Any] | None = None,
        saturation: float = 1.0,
        render: Render | None = None,
        ahead: int = 4,
    ) -> Generator[Any, None, None]:
        """Colour the frames of a film, in order, with colours that hold still where it does.

        Decoding (``frames`` is iterated in a thread of its own), preparing, the network and the
        merge overlap. A few frames are held at a time: neither a slow source nor a slow caller
        makes them more. Cuts are found on the way (`trtcolor.video.cuts`), and nothing of one shot
        comes into the next. An error in ``frames`` or in the network is raised here, after the
        frames before it have come. Closing the generator ends its threads; ``contextlib.closing``
        does it at a known time, even if the loop over it is left by an error.

        Args:
            frames: each as for `colorize`; not to be changed until it has come out in colour.
            steady: 0 gives exactly what `colorize` does; up to 1, the colours of a shot are held
                more and more (`trtcolor.video.steady`).
            style: (G,) global features to colour all frames with, those of a picture, from
                `global_features`.
            saturation, render: as for `colorize`.
            ahead: frames that may wait between two steps, at least 1.

        Returns:
            A generator of frames, each as from `colorize`.

        Raises:
            ValueError, NoGlobalFeaturesError: an argument is none of these; at once.
            TypeError, ValueError, BackendError: as from `colorize`, and whatever ``frames`` raises.
        """
        from trtcolor.video.stream import color_arrays

        return color_arrays(
            self,
            frames,
            steady=steady,
            style=style,
            saturation=saturation,
            render=render,
            ahead=ahead,
        )

    def colorize_yuv(
        self,
        y: NDArray[Any],
        *,
        depth: int = 8,
        range: Range = "limited",
        matrix: Matrix = "bt709",
        subsampling: Subsampling = 420,
        siting: Siting = "left",
        global_features: NDArray[Any] | None = None,
        saturation: float = 1.0,
        render: Render | None = None,
    ) -> tuple[NDArray[Any], NDArray[Any]]:
        """U and V planes for a Y' plane, which stays as it is.

        Args:
            y: (H, W), uint8 at a depth of 8, uint16 with the codes in the low bits at 9 to 16.
            depth, range, matrix, subsampling, siting: what its codes mean and what U and V are to
                be, as for `trtcolor.planes.chroma_planes`.
            global_features, saturation, render: as for `colorize`.

        Returns:
            (U, V) of y's dtype, of the size that the subsampling says.

        Raises:
            TypeError, ValueError: an argument is none of these.
            NoGlobalFeaturesError, BackendError: as from `colorize`.
        """
        from trtcolor.video.frames import LumaFrame, Signal
        from trtcolor.video.stream import planes_from_chroma

        check_saturation(saturation)
        frame = LumaFrame(y, Signal(depth, range, matrix, subsampling, siting))
        seen = self.predictor.see(
            lightness_from_luma(y, depth=depth, range=range, threads=self.threads),
            self.render if render is None else render,
            global_features=global_features,
        )
        chroma = self.predictor.predict(seen).chroma * np.float32(saturation)
        coloured = planes_from_chroma(frame, chroma, cut=True, threads=self.threads)
        return coloured.u, coloured.v

    def global_features(self, frame: Any) -> NDArray[np.float32]:
        """The vector that the network fuses into every position of a frame (004, section 3.2).

        Args:
            frame: as for `colorize`.

        Returns:
            (G,) float32, for the ``global_features`` of `colorize`.

        Raises:
            NoGlobalFeaturesError: the network has none.
            TypeError, ValueError, BackendError: as for `colorize`.
        """
        return self._described(frame, "global_features")

    def classify(self, frame: Any, *, top: int = 5) -> list[tuple[str, float]]:
        """The most probable scene classes of a frame (004, section 3.3).

        Args:
            frame: as for `colorize`.
            top: how many to return, at most.

        Returns:
            (class name, softmax probability in 0..1), most probable first.

        Raises:
            NoGlobalFeaturesError: the network has no classifier.
            TypeError, ValueError, BackendError: as for `colorize`.
            BundleError: the classifier has another number of classes than ``model.json`` names.
        """
        check_classifies(self.spec, top)
        return ranked(self.spec, self._described(frame, "class_logits"), top)

    def _described(self, frame: Any, output: str) -> NDArray[np.float32]:
        if is_on_gpu(frame):
            return self.on_device.describe(frame, output, self.render)
        lightness = frame_from_array(frame, threads=self.threads).lightness
        return self.predictor.describe(lightness, output)

    def close(self) -> None:
        """Release the network; a second call does nothing."""
        self.on_device.close()
        self._runner.close()
