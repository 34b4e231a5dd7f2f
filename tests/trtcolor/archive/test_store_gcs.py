"""Pictures in Google's store: the same commands, the same outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from archives import Archive, make_archive
from command_line import refused, run
from gcs_server import GcsServer, gcs_server


@pytest.fixture
def gcs() -> Iterator[GcsServer]:
    with gcs_server() as server:
        server.buckets.add("scans")
        yield server


@pytest.fixture
def archive(tmp_path: Path, gcs: GcsServer) -> Archive:
    archive = make_archive(tmp_path / "in", 10)
    for path in (tmp_path / "in").rglob("*.*"):
        key = f"in/{path.relative_to(tmp_path / 'in').as_posix()}"
        gcs.put("scans", key, path.read_bytes())
    return archive


def test_a_prefix_is_coloured_into_another_and_gone_on_with(
    gcs: GcsServer, archive: Archive, make_bundle: Callable[..., Path], tmp_path: Path
) -> None:
    model = make_bundle("network", global_size=16, render_size=32)
    environment = {"STORAGE_EMULATOR_HOST": gcs.address}
    arguments = ["colorize", "gs://scans/in", "-o", "gs://scans/out", "--model", model]
    run("colorize", tmp_path / "in", "-o", tmp_path / "out", "--model", model)
    done = run(*arguments, **environment)
    assert done.returncode == 1, done.stderr
    assert "gs://scans/out: 8 coloured, 0 skipped, 2 failed" in done.stdout
    made = {key.removeprefix("out/") for key in gcs.keys("scans") if key.startswith("out/")}
    assert made == archive.whole | {".trtcolor/results.jsonl"}
    for name in archive.whole:
        assert gcs.objects["scans", f"out/{name}"][0] == (tmp_path / "out" / name).read_bytes()
    assert "8 of 10 outputs are there already" in refused(*arguments, **environment)
    gone = sorted(archive.whole)[0]
    del gcs.objects["scans", f"out/{gone}"]
    done = run(*arguments, "--skip-existing", **environment)
    assert "gs://scans/out: 1 coloured, 7 skipped, 2 failed" in done.stdout
    assert ("scans", f"out/{gone}") in gcs.objects
    one = ["colorize", f"gs://scans/in/{gone}", "-o", "gs://scans/one.png", "--model", model]
    assert run(*one, **environment).returncode == 0
    assert "gs://scans/one.png is there already" in refused(*one, **environment)
    missing = refused("colorize", "gs://none/in", "-o", tmp_path / "no", **environment)
    assert "gs://none/in" in missing


def test_a_large_object_goes_up_in_chunks_and_replaces_nothing(
    gcs: GcsServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from trtcolor.errors import OutputExistsError
    from trtcolor.stores.address import Address
    from trtcolor.stores.filesystem import _filesystem
    from trtcolor.stores.objects import upload

    monkeypatch.setenv("STORAGE_EMULATOR_HOST", gcs.address)
    _filesystem.cache_clear()
    path = tmp_path / "large.tif"
    path.write_bytes(bytes(51 << 20) + b"end")
    upload(path, Address("gs", "scans/large.tif"))
    assert gcs.objects["scans", "large.tif"][0] == path.read_bytes()
    path.write_bytes(bytes(6 << 20))
    with pytest.raises(OutputExistsError, match=r"^gs://scans/large\.tif is there already"):
        upload(path, Address("gs", "scans/large.tif"))
    assert len(gcs.objects["scans", "large.tif"][0]) == (51 << 20) + 3
    _filesystem.cache_clear()
