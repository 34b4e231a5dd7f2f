"""The first look at the model on a worker: how it colours there decides what all outputs are.

The machine that the run is started on may have no GPU, and need not open the model at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from trtcolor.archive.provenance import Provenance
from trtcolor.archive.settings import PictureSettings
from trtcolor.cluster.connection import Cluster, import_ray
from trtcolor.cluster.share import Share
from trtcolor.cluster.watch import Watch
from trtcolor.errors import ClusterError, TrtcolorError

if TYPE_CHECKING:
    from trtcolor.cluster.worker import Model

SECONDS_TO_TELL = 15.0


@dataclass(frozen=True)
class Description:
    """What a worker said of the model.

    Attributes:
        settings: as given, with the style's global features.
        provenance: of what a worker makes with them.
        backend: which runs there.
        backend_reason: why ``auto`` took it; None: it was named.
    """

    settings: PictureSettings
    provenance: Provenance
    backend: str
    backend_reason: str | None


def described(
    cluster: Cluster,
    share: Share,
    model: Model,
    settings: PictureSettings,
    style: NDArray[Any] | None,
    tell: Callable[[str], None],
) -> Description:
    """Have a worker open the model and say how it colours.

    Args:
        settings: without a style.
        style: pixels of the picture that has it; None: there is none.
        tell: is told in a sentence that the run waits for a worker that is free.

    Raises:
        ClusterError: the worker's process ends, or no machine is left.
        TrtcolorError, ValueError: as `Colorizer` raises it there.
    """
    ray = import_ray()
    look = ray.remote(max_calls=1, **share.resources)(_described)
    reference, watch = look.remote(model, settings, style), Watch(cluster, share)

    def waited(seconds: float) -> None:
        if seconds - watch.seconds < SECONDS_TO_TELL <= seconds:
            tell(f"waiting for a machine with {share.cores} cores free, for the first worker")

    watch.wait(reference, waited)
    try:
        found: Description | Exception = ray.get(reference)
    except ray.exceptions.RayError as error:
        raise ClusterError(
            f"a worker ended while it opened the model ({' '.join(str(error).split())}); one that "
            "runs it was needed; try it on one machine, without --ray"
        ) from None
    if isinstance(found, Exception):
        raise found
    return found


def _described(
    model: Model, settings: PictureSettings, style: NDArray[Any] | None
) -> Description | Exception:
    try:
        with model.opened() as colorizer:
            if style is not None:
                settings = replace(settings, style=colorizer.global_features(style))
            return Description(
                settings,
                Provenance.of(colorizer, settings),
                colorizer.backend,
                colorizer.backend_reason,
            )
    except (TrtcolorError, ValueError, OSError) as error:
        return error
