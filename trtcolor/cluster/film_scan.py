"""A scan that goes on in a thread, so that its spans can be asked for without waiting."""

from __future__ import annotations

import queue
import threading
from contextlib import closing, suppress

from trtcolor.closing import Closing
from trtcolor.video.scan import Scan
from trtcolor.video.spans import Span


class Scanning(Closing):
    """Runs a scan a few spans ahead of whoever takes them; begins at once.

    Args:
        scan: of the film.
        ahead: spans that may wait to be taken.

    Attributes:
        over: whether all spans were taken.
        error: with which the scan ended, once it is over; None: with the film.
    """

    def __init__(self, scan: Scan, ahead: int) -> None:
        self._of_film = scan
        self._queue: queue.Queue[Span | BaseException | None] = queue.Queue(ahead)
        self._closed = threading.Event()
        self.over, self.error = False, None
        self._thread = threading.Thread(target=self._scan, name="trtcolor scan", daemon=True)
        self._thread.start()

    error: BaseException | None

    def take(self, seconds: float = 0.0) -> Span | None:
        """The next span; None: there is none yet, or none any more.

        Args:
            seconds: to wait for it at most.
        """
        if self.over:
            return None
        try:
            found = self._queue.get(timeout=seconds) if seconds else self._queue.get_nowait()
        except queue.Empty:
            return None
        if isinstance(found, Span):
            return found
        self.over, self.error = True, found
        return None

    def close(self) -> None:
        """End the scan at the frame that it is at; a second call does nothing."""
        self._closed.set()
        self._of_film.stop()
        self._thread.join()

    def _scan(self) -> None:
        end: BaseException | None = None
        try:
            with closing(self._of_film.spans()) as spans:
                for span in spans:
                    self._put(span)
                    if self._closed.is_set():
                        return
        except BaseException as error:
            end = error
        self._put(end)

    def _put(self, item: Span | BaseException | None) -> None:
        while not self._closed.is_set():
            with suppress(queue.Full):
                return self._queue.put(item, timeout=0.2)
        return None
