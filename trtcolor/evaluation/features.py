"""FID and LPIPS of every system, by networks whose files the user gives."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence

from trtcolor.evaluation.figures import Figure
from trtcolor.evaluation.picture import Picture
from trtcolor.metrics.distributions import FrechetDistance, PerceptualDistance

File = str | os.PathLike[str]


class Features:
    """Measures by trained networks, of pictures that several threads bring.

    Args:
        fid: file for `trtcolor.metrics.distributions.FrechetDistance`; None: no FID.
        lpips: file for `trtcolor.metrics.distributions.PerceptualDistance`; None: no LPIPS.

    Raises:
        DataError, BackendError: as from these two.
    """

    def __init__(self, fid: File | None, lpips: File | None) -> None:
        self._lock = threading.Lock()
        self._files = fid, lpips
        self._distances = [FrechetDistance(fid)] if fid is not None else []
        self._perceptual = PerceptualDistance(lpips) if lpips is not None else None

    def take(self, original: Picture, pictures: Sequence[Picture]) -> list[dict[str, float | None]]:
        """Take an original and each system's picture.

        Returns:
            Each system's value of LPIPS, if that is measured.
        """
        if self._distances:
            with self._lock:
                while len(self._distances) < len(pictures):
                    self._distances.append(self._distances[0].beside())
                self._distances[0].update(original, real=True)
                for distance, picture in zip(self._distances, pictures, strict=True):
                    distance.update(picture, real=False)
        if self._perceptual is None:
            return [{} for _ in pictures]
        return [{"lpips": self._perceptual.distance(picture, original)} for picture in pictures]

    def figures(self) -> list[dict[str, Figure]]:
        """Each system's FID, if that is measured; two pictures at least are needed."""
        return [
            {"fid": Figure(distance.result(), distance.counts[1])} for distance in self._distances
        ]

    def notes(self) -> list[str]:
        """File and backend of each measure, and the pictures of FID, which falls with them."""
        fid, lpips = self._files
        found = []
        if fid is not None:
            (true, coloured), backend = self._distances[0].counts, self._distances[0].backend
            found.append(
                f"FID by {os.path.basename(os.fspath(fid))} on {backend}, {coloured} pictures "
                f"against {true} originals; it falls as pictures are added"
            )
        if lpips is not None and self._perceptual is not None:
            file = os.path.basename(os.fspath(lpips))
            found.append(f"LPIPS by {file} on {self._perceptual.backend}")
        return found
