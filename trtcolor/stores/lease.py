"""`Lease`: a prefix of a store is one run's at a time, though a store has no locks.

Whoever wants it writes an object of its own into a common prefix, then lists it: if another one
was written not long ago, both see that at least once, and who sees it withdraws. So two never hold
it, whatever the order, with nothing but the store's promise that a listing shows what was written
before. The holder writes its object anew all the time; one that is old is a dead holder's. All ages
are differences of the store's own times: no clock of a machine is compared with another's.
"""

from __future__ import annotations

import json
import os
import random
import secrets
import socket
import threading
import time
from datetime import datetime
from pathlib import Path

from trtcolor.closing import Closing
from trtcolor.errors import StoreError, StoreUnreachableError
from trtcolor.stores.address import Address
from trtcolor.stores.objects import below, is_there, load, remove, remove_all, store
from trtcolor.stores.remote_file import RemoteFile

LIFE = 60.0
"""Seconds after which an object that was not written anew is a dead holder's."""
BEAT = 10.0
"""Seconds between two writings."""
_TRIALS = 5
_SAME_TIME = 3.0
"""Seconds: two that begin so shortly after each other may both have withdrawn."""


class Lease(Closing):
    """Holds a prefix until it is closed, or until the process is gone for `LIFE` seconds.

    A holder on this machine whose process is gone is known to be dead at once.

    Args:
        prefix: of the objects that are locks.
        what: what is held, for messages.

    Attributes:
        own: an object that no other holder has; it is there while this one holds the prefix.

    Raises:
        StoreError: another process holds it, and whatever else `errors_named` says.
    """

    def __init__(self, prefix: Address, what: Address) -> None:
        self._what = what
        self.own = prefix.joinpath(secrets.token_hex(8))
        now = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
        text = f"process {os.getpid()} on {socket.gethostname()}, since {now},"
        self._said = {"holder": text, "process": _process(os.getpid())}
        self._beaten = time.monotonic()
        self._end = threading.Event()
        self._lost = ""
        self._prefix = prefix
        self._claim()
        self._thread = threading.Thread(target=self._beat, name="trtcolor lease", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """To be called before what only the holder may do.

        Raises:
            StoreUnreachableError: it is lost, or may be: the store did not answer for long.
        """
        late = time.monotonic() - self._beaten > LIFE * 0.75
        if self._lost or late:
            raise StoreUnreachableError(
                f"{self._what} is not held any more ({self._lost or 'its store did not answer'}); "
                "one run at a time was needed; see what else works on it, and go on with the same "
                "command"
            )

    def close(self) -> None:
        """Let others have it; a second call does nothing."""
        if not self._end.is_set():
            self._end.set()
            self._thread.join()
            remove(self.own)

    def _claim(self) -> None:
        others: list[RemoteFile] = []
        for _ in range(_TRIALS):
            self._beaten = time.monotonic()
            self._write()
            try:
                locks = {lock.address: lock for lock in below(self._prefix)}
                own = locks.pop(self.own, None)
                others = [lock for lock in locks.values() if own is None or _lives(lock, own)]
                if own is not None and not others:
                    remove_all(locks)
                    return
            except BaseException:
                remove(self.own)
                raise
            remove(self.own)
            if not all(
                own is None or abs(_written(lock) - _written(own)) < _SAME_TIME for lock in others
            ):
                break
            time.sleep(random.uniform(0.1, 1.5))
        holder = _holder(others[0].address) if others else "another process"
        raise StoreError(
            f"{holder} is at work on {self._what}; one run at a time was needed; wait for it (if "
            f"it is dead, {LIFE:.0f} seconds), end it, or name another place"
        )

    def _write(self, **more: str) -> None:
        store(json.dumps(self._said | more).encode(), self.own, overwrite=True)

    def _beat(self) -> None:
        while not self._end.wait(BEAT):
            began = time.monotonic()
            try:
                if not is_there(self.own):
                    self._lost = "another run took it"
                    return
                self._write(held="yes")
                for lock in below(self._prefix):  # one that took it while we were writing
                    if lock.address != self.own and _said(lock.address).get("held"):
                        self._lost = f"{_holder(lock.address)} took it"
                        return
                self._beaten = began
            except StoreError:  # it may answer again; `check` knows how long it has not
                continue


def _lives(lock: RemoteFile, own: RemoteFile) -> bool:
    """Whether a holder may be at work still."""
    return _written(own) - _written(lock) <= LIFE and not _is_gone(lock.address)


def _written(lock: RemoteFile) -> float:
    """When, in seconds of the store's clock."""
    return lock.seen().mtime_ns / 1e9


def _process(number: int) -> str:
    """The same for one process of one machine, and for no other; empty where that is not known."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        space = os.readlink("/proc/self/ns/pid")
        fields = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return ""
    state, begun = fields[0], fields[19]
    return "" if state in "ZX" else f"{boot} {space} {number} {begun}"


def _is_gone(lock: Address) -> bool:
    """Whether it is that of a process of this machine that has ended."""
    said = _said(lock).get("process", "")
    machine, _, number = said.rpartition(" ")[0].rpartition(" ")
    if not number.isdecimal() or machine != _process(os.getpid()).rsplit(" ", 2)[0]:
        return False
    return _process(int(number)) != said


def _holder(lock: Address) -> str:
    return _said(lock).get("holder", "another process")


def _said(lock: Address) -> dict[str, str]:
    try:
        said = json.loads(load(lock))
        return {str(key): str(value) for key, value in said.items()}
    except (StoreError, ValueError, AttributeError):  # let go just now, or somebody else's
        return {}
