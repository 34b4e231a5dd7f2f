"""The way to a Ray cluster: found, started or refused, each within a bounded time.

`ray.init` alone waits for minutes on an address where nobody answers, and then ends the process.
So a socket asks first whether a gRPC server is there, as each Ray cluster's head is one.
"""

from __future__ import annotations

import logging
import os
import socket
import ssl
import warnings
from collections.abc import Callable, Iterator
from contextlib import chdir, contextmanager
from dataclasses import dataclass
from importlib import import_module
from tempfile import TemporaryDirectory
from typing import Any

from trtcolor.errors import ClusterError
from trtcolor.threads import usable_cores

SECONDS_TO_ANSWER = 5.0
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes((0, 0, 0, 4, 0, 0, 0, 0, 0))
"""What a client of HTTP/2 says first (RFC 9113, section 3.4): its preface and empty settings."""
_SETTINGS = 4


@dataclass(frozen=True)
class Node:
    """A machine of a cluster.

    Attributes:
        id: Ray's, in hexadecimal.
        name: of the machine, for people.
        cores, gpus: that Ray may hand out there.
    """

    id: str
    name: str
    cores: int
    gpus: int


@dataclass(frozen=True)
class Cluster:
    """A cluster that this process is connected to.

    Attributes:
        address: ``HOST:PORT`` of its head.
        own: whether it was started for this run, on this machine alone, and ends with it.
    """

    address: str
    own: bool

    def nodes(self) -> tuple[Node, ...]:
        """The machines that are alive now, those without cores to hand out left out."""
        return tuple(
            Node(
                id=node["NodeID"],
                name=node["NodeManagerHostname"],
                cores=int(node["Resources"].get("CPU", 0)),
                gpus=int(node["Resources"].get("GPU", 0)),
            )
            for node in import_ray().nodes()
            if node["Alive"] and node["Resources"].get("CPU", 0) >= 1
        )


def import_ray(part: str = "ray") -> Any:
    """The module ``ray``, which tells nobody that it is used; or a part of it, as ``ray.data``.

    Raises:
        ClusterError: it is not installed.
    """
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    os.environ.setdefault("RAY_BACKEND_LOG_LEVEL", "fatal")  # what it says on standard error
    try:
        return import_module(part)
    except ImportError as error:
        raise ClusterError(
            f"{part}, which spreads work over machines, does not import ({error}); it was needed; "
            'run: pip install "trtcolor[ray]"'
        ) from None


@contextmanager
def connected(
    address: str = "auto", *, tell: Callable[[str], None] = lambda sentence: None
) -> Iterator[Cluster]:
    """Be connected to a cluster while the block lasts.

    A process that is connected already stays so, and to the same cluster, afterwards too. The
    others change their working directory for the moment of connecting: Ray has its workers import
    from the driver's, so a folder ``trtcolor`` there, as in a clone, would take the place of what
    is installed.

    Args:
        address: ``HOST:PORT`` of a cluster that this machine belongs to; or ``auto``, which is
            the one of ``RAY_ADDRESS``, the one that runs on this machine, or, where there is none,
            one that is started for the block, with all cores and GPUs of this machine.
        tell: is told in a sentence that one was started.

    Raises:
        ClusterError: Ray is not installed; nobody answers, or something else than Ray; this machine
            does not belong to the cluster; or its Ray or Python is of another version.
    """
    ray = import_ray()
    if ray.is_initialized():
        yield Cluster(ray.get_runtime_context().gcs_address, own=False)
        return
    found = _running(address)
    if found is None:
        tell(
            f"no Ray cluster runs here; one was started on this machine, with {usable_cores()} "
            "cores, for this run"
        )
    # A cluster of our own has its processes in that directory: it stays as long as they do.
    with _silenced(), TemporaryDirectory(prefix="trtcolor-ray-") as empty:
        try:
            with chdir(empty):
                _connect(ray, found)
            yield Cluster(ray.get_runtime_context().gcs_address, own=found is None)
        finally:
            ray.shutdown()


@contextmanager
def _silenced() -> Iterator[None]:
    """Keep Ray from printing on standard output what its daemons say of lost workers.

    It has no setting for that: ``log_to_driver`` is of the workers' own output alone.
    """
    worker = import_ray("ray._private.worker")
    printing = getattr(worker, "print_to_stdstream", None)
    worker.print_to_stdstream = lambda *_, **__: None
    try:
        yield
    finally:
        worker.print_to_stdstream = printing


def answers(address: str) -> bool:
    """Whether a gRPC server answers at ``HOST:PORT``, each step within `SECONDS_TO_ANSWER`."""
    host, _, port = address.rpartition(":")
    try:
        with socket.create_connection((host.strip("[]"), int(port)), SECONDS_TO_ANSWER) as plain:
            plain.settimeout(SECONDS_TO_ANSWER)
            if os.environ.get("RAY_USE_TLS", "0") not in ("", "0"):
                return _shakes_hands(plain)
            plain.sendall(_GREETING)
            frame = b""
            while len(frame) < 9:  # a frame's header: length (3), type, flags, stream (4)
                piece = plain.recv(9 - len(frame))
                if not piece:
                    return False
                frame += piece
            return frame[3] == _SETTINGS
    except (OSError, OverflowError):
        return False


def _shakes_hands(plain: socket.socket) -> bool:
    """Whether a server speaks TLS; Ray itself looks at the certificates."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        context.wrap_socket(plain).close()
    except ssl.SSLError as error:  # one that asks for our certificate is there all the same
        return "ALERT" in str(error).upper()
    return True


def _running(address: str) -> str | None:
    """``HOST:PORT`` of the cluster that is meant, which answers; None: none runs here."""
    named = os.environ.get("RAY_ADDRESS") or None if address == "auto" else address
    if named in (None, "auto", "local"):
        found = None if named == "local" else _on_this_machine()
        return found if found is not None and answers(found) else None
    host, _, port = named.rpartition(":")
    if "://" in named or not host or not port.isdecimal():
        raise ClusterError(
            f"{named!r} came as a Ray cluster's address; HOST:PORT of its head, as `ray start` "
            "printed it, or auto was needed; run this on a machine of the cluster"
        )
    if not answers(named):
        raise ClusterError(
            f"no Ray cluster answers at {named}; the head of a running one was needed; look "
            "whether it runs (ray status), or take --ray auto"
        )
    return named


def _on_this_machine() -> str | None:
    """What Ray itself takes for ``auto``; it may have ended meanwhile."""
    services = import_ray("ray._private.services")
    services.find_gcs_addresses.cache_clear()
    try:
        found: str | None = services.canonicalize_bootstrap_address("auto")
    except (ConnectionError, ValueError):
        return None
    return found


def _connect(ray: Any, address: str | None) -> None:
    quiet = {"log_to_driver": False, "logging_level": logging.ERROR}
    own = {"num_cpus": usable_cores(), "include_dashboard": False}
    try:
        with warnings.catch_warnings(), _without_standard_error():
            warnings.simplefilter("ignore")  # of what Ray is going to change
            if address is None:
                ray.init(address="local", **own, **quiet)
            else:
                ray.init(address=address, **quiet)
    except (Exception, SystemExit) as error:  # Ray ends a process that does not reach the head
        what = " ".join(str(error).split()) or type(error).__name__
        raise ClusterError(
            f"Ray does not connect to {address or 'a cluster of its own'} ({what}); a cluster that "
            "this machine belongs to, of the same Ray and Python, was needed; see ray status"
        ) from None


@contextmanager
def _without_standard_error() -> Iterator[None]:
    """Ray's C++ side says there that it heeds the log level that was asked for."""
    kept, nowhere = os.dup(2), os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 2)
    try:
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
