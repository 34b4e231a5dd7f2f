"""FID and LPIPS, by a network whose file the user gives; nothing is downloaded.

Two kinds of file:

- ``.onnx``, run by ONNX Runtime. Each input is float32 RGB in 0..255, (N, 3, H, W). For FID the
  output is features (N, D). For LPIPS a network of two inputs gives the distance, (N,) or
  (N, 1, 1, 1); one of a single input gives features (N, D), whose squared differences are summed.
  Resizing and normalising are the network's own business.
- ``.pt``, TorchScript, run by torch if that is installed. Those of NVIDIA's StyleGAN2-ADA are
  called as there: ``inception-2015-12-05.pt`` with uint8 pictures and ``return_features=True``,
  ``vgg16.pt`` with float32 pictures in 0..255 and ``resize_images=False, return_lpips=True``.

The trap of FID: only the weights of 2015-12-05, with their poolings and their resizing, give
figures comparable with those of papers. torchvision's Inception v3 has other weights, other
poolings and another input range, and its figures are comparable with nobody's. And FID falls as
pictures are added: state their number (`FrechetDistance.counts`) beside it.
"""

from __future__ import annotations

import os
from copy import copy

import numpy as np
from numpy.typing import NDArray

from trtcolor.errors import BackendError, DataError
from trtcolor.metrics.feature_network import open_network

ROWS = 64
"""Features that wait to be summed: the products of one picture's cost as much as of many."""

Double = NDArray[np.float64]


class FrechetDistance:
    """FID: the Fréchet distance between the features of true pictures and of coloured ones.

    Only sums are kept, D + D^2 numbers for each of the two, however many pictures come. Threads
    may not share it.

    Args:
        path: the network's file (see the module).

    Attributes:
        backend: what runs the network, with its version.
        counts: pictures taken so far, (true, coloured).

    Raises:
        DataError: no such file, or of another kind.
        BackendError: what runs it is not installed, or does not load it.

    Source: Heusel et al. 2017, "GANs Trained by a Two Time-Scale Update Rule Converge to a Local
    Nash Equilibrium", equation 6.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._network = open_network(path, pixels="uint8", return_features=True)
        self._name = os.fspath(path)
        self.backend = self._network.backend
        if self._network.inputs != 1:
            raise BackendError(
                f"{self._name!r} takes two pictures; a network that gives features of one was "
                "needed; give that of an Inception"
            )
        self._true, self._coloured = _Moments(), _Moments()

    def beside(self) -> FrechetDistance:
        """Of other coloured pictures to the same true ones, which are taken once for both."""
        other = copy(self)
        other._coloured = _Moments()
        return other

    @property
    def counts(self) -> tuple[int, int]:
        return self._true.count, self._coloured.count

    def update(self, rgb: NDArray[np.uint8], *, real: bool) -> None:
        """Take one more picture, uint8 RGB (H, W, 3), or several of one size, (N, H, W, 3).

        Args:
            rgb: the pictures.
            real: true pictures, not coloured ones.

        Raises:
            BackendError: the network fails on them, or gives no finite features (N, D).
        """
        batch = _batch(rgb)
        features = self._network.run(batch).astype(np.float64)
        moments = self._true if real else self._coloured
        known = self._true.width or self._coloured.width or features.size // len(batch)
        if features.shape != (len(batch), known) or not np.isfinite(features).all():
            raise BackendError(
                f"{self._name!r} gave features of shape {features.shape} for {len(batch)} "
                f"pictures; finite ones of ({len(batch)}, D), D always the same, were needed; "
                "give another network"
            )
        moments.add(features)

    def result(self) -> float:
        """The distance, 0 or more.

        Raises:
            DataError: fewer than two pictures of either kind.
        """
        if min(self.counts) < 2:
            raise DataError(
                f"FID of {self.counts[0]} true and {self.counts[1]} coloured pictures was asked "
                "for; two or more of each were needed, and thousands mean something; add pictures"
            )
        return frechet_distance(
            *self._true.mean_and_covariance(), *self._coloured.mean_and_covariance()
        )


class _Moments:
    """Running sums of features (N, D) and of their products, about the mean of the first ones.

    About 0 the covariance would be a small difference of large sums.
    """

    def __init__(self) -> None:
        self.count = 0
        self.width: int | None = None
        self._origin, self._sum, self._products = np.zeros(0), np.zeros(0), np.zeros((0, 0))
        self._waiting: list[Double] = []

    def add(self, features: Double) -> None:
        self.count += len(features)
        self.width = features.shape[1]
        self._waiting.append(features)
        if sum(map(len, self._waiting)) >= ROWS:
            self._sum_up()

    def mean_and_covariance(self) -> tuple[Double, Double]:
        self._sum_up()
        mean = self._sum / self.count
        # The unbiased covariance, as in the reference implementation (np.cov).
        covariance = (self._products - self.count * np.outer(mean, mean)) / (self.count - 1)
        return self._origin + mean, covariance

    def _sum_up(self) -> None:
        if not self._waiting:
            return
        features = np.concatenate(self._waiting)
        self._waiting.clear()
        if not len(self._sum):
            width = features.shape[1]
            self._origin = features.mean(axis=0)
            self._sum, self._products = np.zeros(width), np.zeros((width, width))
        centred = features - self._origin
        self._sum += centred.sum(axis=0)
        self._products += centred.T @ centred


def frechet_distance(
    mean1: Double, covariance1: Double, mean2: Double, covariance2: Double
) -> float:
    """|m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) of two normal distributions.

    Args:
        mean1, mean2: (D,).
        covariance1, covariance2: (D, D), symmetric and without negative eigenvalues.

    Source: Dowson and Landau 1982, "The Fréchet distance between multivariate normal
    distributions". The eigenvalues of S1 S2 are those of the symmetric S1^(1/2) S2 S1^(1/2), so
    that no square root of an unsymmetric matrix, complex by rounding, is needed.
    """
    values, vectors = np.linalg.eigh(covariance1)
    root = (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T
    product = root @ covariance2 @ root
    mixed = np.sqrt(np.maximum(np.linalg.eigvalsh((product + product.T) / 2), 0)).sum()
    shift = mean1 - mean2
    distance = shift @ shift + np.trace(covariance1) + np.trace(covariance2) - 2 * mixed
    return max(float(distance), 0.0)


class PerceptualDistance:
    """LPIPS: the distance of a picture from its original in the features of a trained network.

    Args:
        path: the network's file (see the module).

    Attributes:
        backend: what runs the network, with its version.

    Raises:
        DataError: no such file, or of another kind.
        BackendError: what runs it is not installed, or does not load it.

    Source: Zhang et al. 2018, "The Unreasonable Effectiveness of Deep Features as a Perceptual
    Metric".
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._network = open_network(path, resize_images=False, return_lpips=True)
        self._name = os.fspath(path)
        self.backend = self._network.backend

    def distance(self, rgb: NDArray[np.uint8], original: NDArray[np.uint8]) -> float:
        """0 for equal pictures; uint8 RGB (H, W, 3) of one shape.

        Raises:
            BackendError: the network fails on them, or gives something else than a distance or
                features of each picture.
        """
        first, second = _batch(rgb), _batch(original)
        if self._network.inputs == 2:
            found = self._network.run(first, second)
            usable = found.size == 1
        else:
            features, true_features = self._network.run(first), self._network.run(second)
            usable = features.shape == true_features.shape and features.shape[:1] == (1,)
            found = (
                np.square(features.astype(np.float64) - true_features).sum() if usable else features
            )
        if not usable or not np.isfinite(found).all():
            raise BackendError(
                f"{self._name!r} gave an output of shape {found.shape} for one pair of pictures; a "
                "finite distance, or features of each picture, was needed; give another network"
            )
        return float(np.asarray(found).reshape(()))


def _batch(rgb: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(H, W, 3) or (N, H, W, 3) -> (N, 3, H, W)."""
    return np.moveaxis(rgb if rgb.ndim == 4 else rgb[None], -1, 1)
