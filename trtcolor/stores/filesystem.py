"""fsspec's file system of an address: waits that end, and errors that are sentences."""

from __future__ import annotations

import errno
from asyncio import AbstractEventLoop
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

from trtcolor.errors import OutputExistsError, StoreError, StoreUnreachableError, TrtcolorError
from trtcolor.stores.address import WEB, Address
from trtcolor.stores.secrets import struck

CONNECT, READ = 10, 60
"""Seconds to wait for a server, and for more of what it sends."""
_DISK = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS})
_NOBODY = frozenset(
    {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "RequestTimeTooSkewed"}
    | {"SignatureDoesNotMatch", "TokenRefreshRequired"}
    | {"CredentialRetrievalError", "DefaultCredentialsError", "NoCredentialsError"}
    | {"PartialCredentialsError", "RefreshError"}
)
"""Codes of S3, and classes of botocore and google.auth, that no other object would change."""


def filesystem(address: Address) -> Any:
    """The file system of an address; credentials are those of the environment.

    Raises:
        StoreError: its package is not installed.
    """
    try:
        return _filesystem(address.scheme)
    except ImportError:
        raise StoreError(
            f"{address} needs a package that is not installed; the extra 'stores' was needed; pip "
            'install "trtcolor[stores]"'
        ) from None


@contextmanager
def errors_named(address: Address) -> Iterator[None]:
    """What goes wrong with an address in the block, as one sentence without a credential.

    Raises:
        OutputExistsError: it was to be made, and is there.
        StoreUnreachableError: a store does not answer, or does not know who asks.
        StoreError: anything else.
        OSError: a disk of this machine is full.
    """
    try:
        yield
    except TrtcolorError:
        raise
    except Exception as error:  # of botocore, aiohttp, google, ssl, ...
        raise _named(error, address) from None


@cache
def _filesystem(scheme: str) -> Any:
    import fsspec

    options: dict[str, Any] = {"use_listings_cache": False}
    if scheme == "s3":
        options["config_kwargs"] = {
            "connect_timeout": CONNECT,
            "read_timeout": READ,
            "retries": {"mode": "standard", "max_attempts": 3},
            "max_pool_connections": 64,
        }
    else:
        import aiohttp

        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=READ)
    if scheme == "gs":
        options["requests_timeout"] = timeout
    elif scheme in WEB:
        options["client_kwargs"] = {"timeout": timeout, "trust_env": True}
        options["headers"] = {"Accept-Encoding": "identity"}
        options["encoded"] = True
    found = fsspec.filesystem(scheme, **options)
    if found.loop.get_exception_handler() is None:
        found.loop.set_exception_handler(_told_elsewhere)
    return found


def _told_elsewhere(loop: AbstractEventLoop, context: dict[str, Any]) -> None:
    """Of a connection that breaks off, aiohttp forgets what its writer raised: asyncio would print
    that as a traceback, beside the error of the request itself."""
    if not isinstance(context.get("exception"), OSError):
        loop.default_exception_handler(context)


def _named(error: BaseException, address: Address) -> Exception:
    if isinstance(error, FileNotFoundError) and address.is_web and error.__cause__ is not None:
        error = error.__cause__  # fsspec takes all that a server refuses for missing
    code = _code_of(error)
    if isinstance(error, FileExistsError) or code in ("412", "PreconditionFailed"):
        return OutputExistsError(
            f"{address} is there already; a free name was needed; choose another or allow "
            "overwriting"
        )
    if isinstance(error, OSError) and error.errno in _DISK:
        return error
    if code == "NoSuchBucket" or (isinstance(error, FileNotFoundError) and "bucket" in str(error)):
        return StoreError(
            f"{address} is in no bucket that there is; an existing one was needed; make the "
            "bucket, or check its name"
        )
    if isinstance(error, FileNotFoundError) or code == "404":
        return StoreError(
            f"{address} is not there; something that can be read was needed; check the address"
        )
    if code in ("ParamValidationError", "InvalidBucketName"):
        return StoreError(
            f"{address} is an address that no store has; BUCKET/KEY was needed; check the bucket's "
            "name"
        )
    if code in _NOBODY:
        return StoreUnreachableError(_refusal(address, code))
    if isinstance(error, PermissionError) or code in ("401", "403"):
        return StoreError(_refusal(address, code))
    reason = struck(" ".join(str(error).split()))[:200] or type(error).__name__
    return (StoreError if address.is_web else StoreUnreachableError)(
        f"{address} cannot be reached ({reason}); a server that answers was needed; check the "
        "address and the network, and try again"
    )


def _code_of(error: BaseException) -> str:
    """What a server called it, or the status of its answer, or the error's class."""
    said = getattr(error.__cause__ or error, "response", None)
    if isinstance(said, dict):
        return str(said.get("Error", {}).get("Code", ""))
    if str(error).startswith("Forbidden"):  # gcsfs
        return "403"
    for name in ("status", "code"):
        if isinstance(status := getattr(error, name, None), int | str):
            return str(status)
    return type(error).__name__


def _refusal(address: Address, code: str) -> str:
    where = {
        "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE",
        "gs": "GOOGLE_APPLICATION_CREDENTIALS",
    }.get(address.scheme, "~/.netrc, or sign the address")
    return (
        f"{address} is refused to us ({code}); credentials that may use it were needed; set {where}"
    )
