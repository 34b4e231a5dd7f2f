"""Which GPUs an engine is built for: ``--target this`` or ``--target sm89,sm120``.

A target is a compute capability, written ``sm89`` for 8.9. TensorRT-RTX builds for any of those it
knows, without a GPU; TensorRT times its kernels and so builds for the GPU that it runs on alone.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from trtcolor.errors import BackendError

THIS = "this"


def known_targets(api: Any) -> tuple[str, ...]:
    """Targets that a module can build for without having the GPU, in rising order.

    Args:
        api: from `trtcolor.backends._tensorrt.import_tensorrt`; empty for ``tensorrt``.
    """
    capabilities = getattr(api, "ComputeCapability", None)
    names = getattr(capabilities, "__members__", {})
    return _sorted(name.lower() for name in names if re.fullmatch("SM[0-9]+", name))


def resolve_targets(
    text: str, *, backend: str, known: Sequence[str], present: str | None
) -> tuple[str, ...]:
    """The targets of a command line, each once, in rising order.

    Args:
        text: ``this``, or names separated by commas, of which one may be ``this``.
        backend: ``tensorrt`` or ``tensorrt-rtx``, for the messages.
        known: as from `known_targets`; empty where only the GPU present can be built for.
        present: the target of the GPU in this machine; None without one.

    Returns:
        E.g. ``("sm89", "sm120")``; empty for the GPU present where `known` is empty.

    Raises:
        ValueError: an entry that is neither ``this`` nor of the form ``sm89``.
        BackendError: no GPU to be ``this``, or a target that the backend does not know.
    """
    names = [entry.strip().lower() for entry in text.split(",")]
    for name in names:
        if name != THIS and not re.fullmatch("sm[0-9]{2,4}", name):
            raise ValueError(
                f"target {name!r} in {text!r} is none; 'this' or compute capabilities by comma "
                "were needed, as in sm89,sm120"
            )
    if not known and names != [THIS]:
        raise BackendError(
            f"target {text!r} came for backend {backend!r}, which builds only for the GPU that it "
            "runs on; 'this' was needed; take backend 'tensorrt-rtx' to build for other GPUs"
        )
    if THIS in names and present is None:
        rest = f"name targets of {', '.join(known)}" if known else "build on the machine with it"
        raise BackendError(f"target 'this' came where no GPU works; one was needed; {rest}")
    if not known:
        return ()
    wanted = _sorted(present if name == THIS and present else name for name in names)
    unknown = [name for name in wanted if name not in known]
    if unknown:
        raise BackendError(
            f"backend {backend!r} does not build for {', '.join(unknown)}; targets of "
            f"{', '.join(known)} were needed; give one of these"
        )
    return wanted


def _sorted(names: Any) -> tuple[str, ...]:
    return tuple(sorted(set(names), key=lambda name: int(name[2:])))
