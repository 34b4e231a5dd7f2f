"""A prefix is one run's at a time, whoever dies and whoever comes at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from object_stores import Bucket

from trtcolor.errors import StoreError, StoreUnreachableError
from trtcolor.stores import lease
from trtcolor.stores.address import Address
from trtcolor.stores.lease import Lease

HOLDER = """
import sys, time
from trtcolor.stores.address import Address
from trtcolor.stores.lease import Lease
with Lease(Address("s3", sys.argv[1] + "/locks"), Address("s3", sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def take(bucket: Bucket) -> Lease:
    return Lease(Address("s3", f"{bucket.name}/locks"), Address("s3", bucket.name))


@pytest.fixture
def holder(bucket: Bucket) -> Iterator[subprocess.Popen[str]]:
    """Another process that holds it."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", HOLDER, bucket.name], stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.communicate()


def test_who_comes_second_is_told_who_is_first(
    bucket: Bucket, holder: subprocess.Popen[str]
) -> None:
    with pytest.raises(StoreError, match=f"^process {holder.pid} on .* is at work on s3://"):
        take(bucket)
    assert len(bucket.content("locks")) == 1


def test_a_dead_process_of_this_machine_holds_nothing(
    bucket: Bucket, holder: subprocess.Popen[str]
) -> None:
    holder.kill()
    holder.wait()
    with take(bucket) as held:
        held.check()
        assert len(bucket.content("locks")) == 1
    assert bucket.content("locks") == {}


def test_one_that_was_not_heard_of_for_long_is_dead(
    bucket: Bucket, holder: subprocess.Popen[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    holder.send_signal(signal.SIGSTOP)  # as a machine that is gone: its process cannot be asked
    monkeypatch.setattr(lease, "_is_gone", lambda lock: False)
    with pytest.raises(StoreError, match="is at work"):
        take(bucket)
    monkeypatch.setattr(lease, "LIFE", -1.0)
    take(bucket).close()


def test_a_holder_whose_object_another_took_says_so(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.05)
    with take(bucket) as held:
        held.check()
        for _ in range(200):
            if not held._thread.is_alive():
                break
            for name in bucket.content("locks"):
                bucket.remove(f"locks/{name}")  # again, where it was just being written anew
            held._thread.join(0.05)
        with pytest.raises(StoreUnreachableError, match="another run took it"):
            held.check()


def test_a_holder_whose_store_is_silent_does_nothing_more(
    bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    with take(bucket) as held:
        held._beaten -= lease.LIFE
        with pytest.raises(StoreUnreachableError, match="did not answer"):
            held.check()


def test_a_holder_writes_its_object_anew(bucket: Bucket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease, "BEAT", 0.05)
    with take(bucket) as held:
        before = held._beaten
        for _ in range(200):
            if held._beaten > before:
                break
            held._end.wait(0.05)
        assert held._beaten > before
        (content,) = bucket.content("locks").values()
        assert b'"held": "yes"' in content
        assert str(os.getpid()).encode() in content


def test_of_many_that_come_at_once_one_holds_it_at_a_time(bucket: Bucket) -> None:
    holding, most, had = [0], [0], []

    def contend() -> None:
        for _ in range(4):
            try:
                with take(bucket) as held:
                    holding[0] += 1
                    most[0] = max(most[0], holding[0])
                    held.check()
                    had.append(1)
                    holding[0] -= 1
            except StoreError:
                continue

    threads = [threading.Thread(target=contend) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert most == [1]
    assert had
    assert bucket.content("locks") == {}
