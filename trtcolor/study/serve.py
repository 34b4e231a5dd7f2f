"""`serve`: a study's pages on this machine, or on a network with a token in the link."""

from __future__ import annotations

import ipaddress
import os
import socket
from collections.abc import Callable, Sequence
from contextlib import suppress
from urllib.parse import urlsplit

from trtcolor.errors import StudyError
from trtcolor.study.conduct import Conduct
from trtcolor.study.folder import open_study
from trtcolor.study.guard import Access, Hosts

HOST = "127.0.0.1"
PORT = 8321
CONNECTIONS = 200
"""At a time; a browser has up to six."""

HEAD_BYTES = 16 * 1024
"""Of a request's line and headers."""

ANYWHERE = ("0.0.0.0", "::")


def serve(
    folder: str | os.PathLike[str],
    *,
    host: str = HOST,
    port: int = PORT,
    public_names: Sequence[str] = (),
    users: Sequence[str] = (),
    say: Callable[[str], None] = print,
) -> tuple[int, int]:
    """Serve a study until it is ended (Ctrl-C, SIGTERM). Answers of earlier times go on.

    Args:
        folder: of the study.
        host: name or address to listen at; others than this machine's own (127.0.0.1, ::1,
            localhost) let other machines in, by a link with a token.
        port: to listen at; 0: any free one.
        public_names: further host names by which the server may be called, or addresses
            (https://...) of proxies before it, which let others in too; links have the first.
        users: names that each get a link of their own; then nobody else can join.
        say: is given lines for who runs the study, the links among them.

    Returns:
        How many users there are, and how many answers that count.

    Raises:
        StudyError: starlette or uvicorn is missing, there is no study, somebody else serves it, a
            name is none, or host and port cannot be had.
        OSError: the folder is not writable, and so on.
    """
    require_server()
    study = open_study(folder)
    with (
        Conduct(study) as conduct,
        _listening(host, port) as listener,
        suppress(KeyboardInterrupt),  # which is how it ends
    ):
        for remark in conduct.remarks:
            say(f"note: {remark}")
        loopback = _is_this_machine(listener)
        own = loopback and not public_names  # behind a proxy anybody may come
        hosts = Hosts(_names(host, public_names), addresses=not loopback)
        access = Access(hosts, None if own else conduct.token, invited=bool(users))
        base = _base(host, listener.getsockname()[1], public_names)
        lines = _links(conduct, base, own, users)

        def tell() -> None:
            say(f"Ctrl-C ends; go on with: trtcolor study serve {os.fspath(folder)}")
            for line in lines:
                say(line)

        _run(conduct, access, listener, tell)
    return conduct.tally()


def require_server() -> None:
    """Raise StudyError where starlette or uvicorn is not installed."""
    try:
        import starlette
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise StudyError(
            f"{error}; starlette and uvicorn were needed to serve a study; run: "
            'pip install "trtcolor[study]"'
        ) from None
    del starlette


def _run(
    conduct: Conduct, access: Access, listener: socket.socket, tell: Callable[[], None]
) -> None:
    """Serve until it is ended; ``tell`` is called once requests and Ctrl-C are heeded."""
    import uvicorn

    from trtcolor.study.server import create_app

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            tell()

    config = uvicorn.Config(
        create_app(conduct, access),
        http="h11",
        ws="none",
        lifespan="off",
        log_level="error",
        access_log=False,  # links are secrets
        server_header=False,
        proxy_headers=False,
        limit_concurrency=CONNECTIONS,
        h11_max_incomplete_event_size=HEAD_BYTES,
        timeout_graceful_shutdown=3,
    )
    Server(config).run(sockets=[listener])


def _links(conduct: Conduct, base: str, own: bool, users: Sequence[str]) -> list[str]:
    """What who runs the study gives to its users."""
    if users:
        return [f"{name}: {base}/u/{conduct.join(name)}/" for name in users]
    if own:
        return [f"open {base}/"]
    return [f"give this link to those who take part: {base}/s/{conduct.token}/"]


def _listening(host: str, port: int) -> socket.socket:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return socket.create_server((str(address[0]), port), family=family, backlog=100)
    except (OSError, UnicodeError) as error:
        raise StudyError(
            f"{host} port {port} cannot be listened at ({error}); an address of this machine and a "
            "free port were needed; choose others with --host and --port"
        ) from None


def _is_this_machine(listener: socket.socket) -> bool:
    """Whether it listens to this machine alone."""
    return ipaddress.ip_address(listener.getsockname()[0].partition("%")[0]).is_loopback


def _names(host: str, public_names: Sequence[str]) -> frozenset[str]:
    public = [(urlsplit(name).hostname or "") if "://" in name else name for name in public_names]
    names = {host, socket.gethostname(), *public}
    return frozenset(name.lower().rstrip(".") for name in names if name)


def _base(host: str, port: int, public_names: Sequence[str]) -> str:
    """What the links begin with, by which others can reach the server."""
    if public_names:
        host = public_names[0]
        if "://" in host:
            return host.rstrip("/")
    elif host in ANYWHERE:
        host = _outward_address() or socket.gethostname()
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _outward_address() -> str | None:
    """Of this machine on the network that leads outside; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation (RFC 5737)
        except OSError:
            return None
        name: str = probe.getsockname()[0]
        return name
