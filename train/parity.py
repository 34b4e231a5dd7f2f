"""Whether a bundle's graphs give the colours that torch gives, on real pictures of several shapes.

In float32 the graphs are held against the network as it was trained, so that folding is compared,
too. In float16 they are held against the folded network with its weights rounded as they are
stored, which they must equal; what the rounding itself costs is measured apart.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional as F

from trtcolor import color
from trtcolor.backends.onnxruntime import OnnxRuntimeRunner
from trtcolor.bundle import open_bundle
from trtcolor.errors import ExportError
from trtcolor.metrics.difference import mean_ciede2000
from trtcolor.resize import resize_plane
from trtcolor.spec import ModelSpec
from trtcolor_train import colorspace
from trtcolor_train.models.network import ColorNetwork

# Limits in a*b* units (range 220).
MAX_DIFFERENCE = 1e-2
MEAN_DIFFERENCE = 1e-3
# The mode jumps from bin to bin where two are nearly even: there the share of samples counts.
MAX_DIFFERING = 1e-3

# Shapes of the comparison, (height, width) in units of the network's multiple: square, portrait,
# landscape, odd ratios, and the smallest there is.
SHAPES = ((28, 28), (35, 19), (13, 41), (7, 50), (1, 1), (1, 9))

# A colour that comes back from sRGB closer than this, in L*a*b* units, is one of sRGB's.
IN_GAMUT = 0.1


@dataclass(frozen=True)
class Parity:
    """How far the graphs are from torch.

    Attributes:
        max_difference: of a*b*, over all pictures, shapes and graphs, where torch's colour is one
            that sRGB has. Beyond, near black above all, where the runtime draws the colour back,
            the way from CIELUV multiplies a rounding error by hundreds.
        mean_difference: of a*b*, over all samples.
        differing: share of the chroma samples of which a* or b* differs by more than
            `MAX_DIFFERENCE`; with the mode of bins those whose best bin is another.
        ciede2000: mean difference that the storage precision makes in the coloured pictures,
            against the network as it was trained.
        comparisons: how many outputs were compared.
    """

    max_difference: float
    mean_difference: float
    differing: float
    ciede2000: float
    comparisons: int

    def __str__(self) -> str:
        return (
            f"a*b* differ from torch by {self.max_difference:.1e} at most, "
            f"{self.mean_difference:.1e} on average, over {self.comparisons} outputs, "
            f"{self.differing:.3%} of the samples by more than {MAX_DIFFERENCE:g}; storage "
            f"costs {self.ciede2000:.3f} CIEDE2000"
        )


@torch.no_grad()
def compare(
    folder: Path,
    network: ColorNetwork,
    stored: ColorNetwork,
    pictures: list[NDArray[np.float32]],
) -> Parity:
    """Run every picture at several shapes through the graphs and through torch.

    Args:
        folder: the bundle.
        network: as it was trained.
        stored: what the graphs must equal: ``network`` again, or with its weights rounded.
        pictures: lightness (H, W).
    """
    bundle = open_bundle(folder)
    rule = bundle.spec.size
    runner = OnnxRuntimeRunner(bundle)
    differences: list[NDArray[np.float32]] = []  # (2, samples) each
    shown: list[NDArray[np.bool_]] = []  # (samples,) each
    costs: list[float] = []
    for index, picture in enumerate(pictures):
        for rows, columns in (SHAPES[0], SHAPES[1:][index % len(SHAPES[1:])]):
            size = (rows * rule.multiple, columns * rule.multiple)
            lightness = resize_plane(picture, size)[None, None]
            side = rule.global_size
            square = None if side is None else resize_plane(picture, (side, side))[None, None]
            found = _chroma_of_graphs(runner, lightness, square)
            true = _chroma_of_torch(stored, lightness, square)
            for f, t, seen in zip(found, true, (lightness, square), strict=False):
                assert seen is not None
                differences.append(np.abs(f - t)[0].reshape(2, -1))
                shown.append(_in_gamut(t, seen, rule.chroma_scale).ravel())
            trained = true if stored is network else _chroma_of_torch(network, lightness, square)
            coloured = (
                color.merge_lab(lightness[0, 0], chroma[0][0], scale=rule.chroma_scale)
                for chroma in (found, trained)
            )
            costs.append(mean_ciede2000(*coloured))
    runner.close()
    every = np.concatenate(differences, axis=1)
    return Parity(
        max_difference=float(every[:, np.concatenate(shown)].max(initial=0.0)),
        mean_difference=float(every.mean()),
        differing=float((~(every <= MAX_DIFFERENCE)).any(axis=0).mean()),
        ciede2000=float(np.mean(costs)),
        comparisons=len(differences),
    )


def check_parity(parity: Parity, spec: ModelSpec) -> None:
    """Refuse graphs that are not torch's network.

    Raises:
        ExportError: the parity is beyond the limits.
    """
    if spec.decoder["kind"] == "mode":
        if not parity.differing <= MAX_DIFFERING:
            raise ExportError(
                f"the graphs of {spec.name!r} choose another bin than torch in "
                f"{parity.differing:.2%} of the samples; at most {MAX_DIFFERING:.1%} were needed; "
                "nothing was written, report this as a fault"
            )
    elif not (
        parity.max_difference <= MAX_DIFFERENCE and parity.mean_difference <= MEAN_DIFFERENCE
    ):
        raise ExportError(
            f"the graphs of {spec.name!r} differ from torch by {parity.max_difference:.2e} at most "
            f"and {parity.mean_difference:.2e} on average in a*b*; at most {MAX_DIFFERENCE:g} and "
            f"{MEAN_DIFFERENCE:g} were needed; nothing was written, report this as a fault"
        )


def _chroma_of_graphs(
    runner: OnnxRuntimeRunner, lightness: NDArray[np.float32], square: NDArray[np.float32] | None
) -> list[NDArray[np.float32]]:
    """Chroma of the local graph fed by the global one, and of the joint graph."""
    if square is None:
        return runner.run("local", {"lightness": lightness}, ["chroma"])
    (features,) = runner.run("global", {"lightness": square}, ["global_features"])
    inputs = {"lightness": lightness, "global_features": features}
    return [
        *runner.run("local", inputs, ["chroma"]),
        *runner.run("joint", {"lightness": square}, ["chroma"]),
    ]


def _chroma_of_torch(
    network: ColorNetwork, lightness: NDArray[np.float32], square: NDArray[np.float32] | None
) -> list[NDArray[np.float32]]:
    """The same from torch."""
    taken = torch.from_numpy(lightness)
    if square is None:
        return [network.decode(network.paint(taken), taken).numpy()]
    whole = torch.from_numpy(square)
    joint = network(whole)
    local = network.paint(taken, joint.global_features)
    return [network.decode(local, taken).numpy(), network.decode(joint.output, whole).numpy()]


def _in_gamut(
    chroma: NDArray[np.float32], lightness: NDArray[np.float32], scale: int
) -> NDArray[np.bool_]:
    """Which of (1, 2, h, w) a*b* are colours of sRGB at their lightness (1, 1, H, W): (h, w)."""
    grid = F.avg_pool2d(torch.from_numpy(lightness), scale)
    lab = torch.cat([grid, torch.from_numpy(chroma)], dim=1)
    there = colorspace.lab_from_rgb(colorspace.rgb_from_lab(lab))
    # A colour that is no number is not let off.
    beyond: NDArray[np.bool_] = ((there - lab).abs() > IN_GAMUT).any(dim=1)[0].numpy()
    return ~beyond
