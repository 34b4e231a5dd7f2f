"""PyAV, imported when it is needed, and what it says where something goes wrong."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from trtcolor.errors import BackendError, VideoError


def import_av() -> Any:
    """The module ``av``.

    Raises:
        BackendError: it is not installed.
    """
    try:
        return import_module("av")
    except ImportError as error:
        raise BackendError(
            f"PyAV, which reads video, does not import ({error}); it was needed; "
            'run: pip install "trtcolor[video]"'
        ) from None


def failures() -> tuple[type[Exception], ...]:
    """What PyAV raises for FFmpeg's errors."""
    return (import_av().FFmpegError, OSError, ValueError)


def reason_of(error: Exception) -> str:
    """FFmpeg's word for it."""
    return str(getattr(error, "strerror", None) or error)


def open_container(name: str, *, hardware: str | None = None) -> Any:
    """Open a file for reading.

    Args:
        hardware: the device that decodes, which must be there.

    Raises:
        BackendError: PyAV is not installed, or there is no such device.
        VideoError: the file cannot be opened.
    """
    av = import_av()
    accelerator = None if hardware is None else _accelerator(hardware)
    # The last of these where the device decodes no such codec.
    refusals: tuple[type[Exception], ...] = (*failures(), RuntimeError)
    try:
        return av.open(name, hwaccel=accelerator, metadata_errors="replace")
    except refusals as error:
        if hardware is not None and not isinstance(error, FileNotFoundError):
            raise BackendError(
                f"hardware decoding by {hardware!r} does not work here ({reason_of(error)}); a "
                "device with its driver was needed; leave --hardware out to decode on the CPU"
            ) from None
        raise VideoError(
            f"{name!r} cannot be opened ({reason_of(error)}); a video file was needed; check the "
            "path, or copy the file again"
        ) from None


def _accelerator(device: str) -> Any:
    from av.codec.hwaccel import HWAccel, hwdevices_available

    known = hwdevices_available()
    if device not in known:
        raise BackendError(
            f"hardware decoding by {device!r} was asked for; one of {', '.join(known) or 'none'} "
            "was needed, which this PyAV was built with; name one of these, or leave --hardware out"
        )
    return HWAccel(device_type=device, allow_software_fallback=False)
