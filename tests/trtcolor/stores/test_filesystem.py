"""What the libraries below a store forget is told by the request that failed, and by it alone."""

from __future__ import annotations

import asyncio
import time

import pytest
from object_stores import Bucket

from trtcolor.stores.address import Address
from trtcolor.stores.filesystem import filesystem


def _forgotten(bucket: Bucket, error: Exception, caplog: pytest.LogCaptureFixture) -> list[str]:
    """What asyncio logs where a task of the store's loop ends so and nobody asks for its result."""
    loop = filesystem(Address("s3", bucket.name)).loop

    async def broken() -> None:
        raise error

    async def begin() -> None:
        asyncio.create_task(broken())  # noqa: RUF006
        await asyncio.sleep(0.05)

    asyncio.run_coroutine_threadsafe(begin(), loop).result(10)
    end = time.monotonic() + 1
    while not caplog.records and time.monotonic() < end:
        time.sleep(0.02)
    return [record.getMessage() for record in caplog.records]


def test_a_connection_that_breaks_off_leaves_no_traceback_behind(
    bucket: Bucket, caplog: pytest.LogCaptureFixture
) -> None:
    assert _forgotten(bucket, ConnectionResetError("closing"), caplog) == []


def test_a_mistake_is_still_told(bucket: Bucket, caplog: pytest.LogCaptureFixture) -> None:
    (told,) = _forgotten(bucket, ValueError("a mistake"), caplog)
    assert "never retrieved" in told
