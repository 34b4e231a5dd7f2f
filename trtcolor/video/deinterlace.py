"""Whole frames from two fields each, by FFmpeg's filters."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any, Literal

from trtcolor.video.pyav import import_av

Deinterlace = Literal["bwdif", "yadif"]


class Deinterlacer:
    """One frame out for each that goes in; those not marked as interlaced pass as they are.

    Args:
        stream: the ``av.VideoStream`` whose frames will come.
        name: ``"bwdif"`` or ``"yadif"``.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self._stream = stream
        self._name = name
        self._graph: Any = None

    def filtered(self, items: Iterator[Any], marker: type) -> Iterator[Any]:
        """Frames deinterlaced, with the items of type ``marker`` (which have ``pts``) between."""
        held: list[Any] = []
        for item in items:
            if isinstance(item, marker):
                held.append(item)
            else:
                yield from self._between(self._push(item), held)
        yield from self._between(self._push(None), held)
        yield from held

    def _between(self, frames: Iterator[Any], held: list[Any]) -> Iterator[Any]:
        for frame in frames:
            while held and (held[0].pts is None or frame.pts is None or held[0].pts < frame.pts):
                yield held.pop(0)
            yield frame

    def _push(self, frame: Any) -> Iterator[Any]:
        if self._graph is None:
            if frame is None:
                return
            self._graph = self._make(frame)
        self._graph.vpush(frame)
        av = import_av()
        while True:
            try:
                out = self._graph.vpull()
            except (av.BlockingIOError, av.EOFError):
                return
            # The filters count in halves of the film's time base.
            if out.pts is not None:
                ratio = Fraction(out.time_base) / self._stream.time_base
                out.pts = round(out.pts * ratio)
                out.duration = round(out.duration * ratio)
            yield out

    def _make(self, frame: Any) -> Any:
        graph = import_av().filter.Graph()
        source = graph.add_buffer(
            width=frame.width,
            height=frame.height,
            format=frame.format,
            time_base=self._stream.time_base,
        )
        filters = graph.add(self._name, "mode=send_frame:deint=interlaced")
        graph.link_nodes(source, filters, graph.add("buffersink")).configure()
        return graph
