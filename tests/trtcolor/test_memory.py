"""Tiles fit into the memory that was allowed, and by default into what the machine has."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trtcolor import memory
from trtcolor.memory import available_memory, checked_memory, choose_tiles, parse_bytes
from trtcolor.spec import SizeRule

LIGHT = SizeRule(8, 2, 224, halo=64, map_bytes=206)  # iizuka2016
HEAVY = SizeRule(32, 2, 128, halo=192, map_bytes=1178)  # trtcolor-base
MIB, GIB = 2**20, 2**30


def maps_of(tiles: Any, rule: SizeRule) -> int:
    return int(tiles.tile[0] * tiles.tile[1] * (rule.map_bytes or 0))


@given(
    st.integers(1, 1024).map(lambda cells: 8 * cells),
    st.integers(1, 1024).map(lambda cells: 8 * cells),
    st.integers(4_000_000, 10**10),
)
def test_tiles_fit_into_the_memory_that_was_given(height: int, width: int, given: int) -> None:
    assert maps_of(choose_tiles((height, width), LIGHT, given), LIGHT) <= given


def test_memory_for_less_than_a_tile_is_refused() -> None:
    with pytest.raises(ValueError, match=r"memory for 3 MB .* takes 4 MB; allow that") as caught:
        choose_tiles((2048, 2048), LIGHT, 3_000_000)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("side", [1024, 2048, 4096, 8192, 16384])
@pytest.mark.parametrize("rule", [LIGHT, HEAVY])
@pytest.mark.parametrize("available", [GIB // 4, 4 * GIB, 64 * GIB])
def test_the_default_takes_no_more_than_half_of_what_is_available(
    side: int, rule: SizeRule, available: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: available)
    tiles = choose_tiles((side, side), rule)
    smallest = (2 * (rule.halo or 0) + rule.multiple) ** 2 * (rule.map_bytes or 0)
    assert maps_of(tiles, rule) <= max(available // 2, smallest)


def test_the_default_begins_small_and_grows_where_tiles_would_be_mostly_context(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 64 * GIB)
    light = choose_tiles((2048, 2048), LIGHT)
    assert len(light) == 4
    assert maps_of(light, LIGHT) <= memory.LEAST
    assert light.work <= 1.15
    heavy = choose_tiles((4096, 4096), HEAVY)
    assert heavy.work <= memory.MOST_WORK
    assert maps_of(heavy, HEAVY) > memory.LEAST
    assert choose_tiles((4096, 4096), HEAVY, memory.LEAST).work > 4


def test_a_machine_with_nothing_left_gets_the_smallest_tiles_and_no_refusal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: 0)
    assert choose_tiles((2048, 512), LIGHT).tile == (136, 136)


def test_a_small_plane_is_seen_whole_without_asking_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(memory, "available_memory", lambda: pytest.fail("asked"))
    assert len(choose_tiles((256, 256), LIGHT)) == 1


def test_a_model_without_a_halo_sees_every_plane_whole() -> None:
    rule = SizeRule(8, 2, 224, map_bytes=206)
    assert len(choose_tiles((8192, 8192), rule, 1)) == 1


def test_a_model_that_was_not_measured_is_taken_for_a_heavy_one() -> None:
    rule = SizeRule(8, 2, 224, halo=64)
    tiles = choose_tiles((2048, 2048), rule, 300_000_000)
    assert tiles.tile[0] * tiles.tile[1] * memory.UNMEASURED <= 300_000_000


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1", 1),
        ("600MB", 600_000_000),
        ("600m", 600_000_000),
        (" 1.5 GiB ", 3 * 2**29),
        ("2k", 2000),
        ("512Mi", 512 * MIB),
        ("1TB", 10**12),
        ("1e", None),
        ("0", None),
        ("0.0001KB", None),
        ("-1GB", None),
        ("nan", None),
        ("much", None),
        ("", None),
        ("1 000 000", None),
        ("1iB", None),
    ],
)
def test_amounts_of_memory_are_read(text: str, amount: int | None) -> None:
    if amount is not None:
        assert parse_bytes(text) == amount
        return
    with pytest.raises(ValueError, match=r"is no amount of memory.*as in 600MB or 1.5GiB"):
        parse_bytes(text)


@pytest.mark.parametrize("value", [0, -1, True, 1.5, "1GB"])
def test_a_memory_that_is_no_number_of_bytes_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"^memory is "):
        checked_memory(value)


# ---- what the machine has ------------------------------------------------------------------------


def write(root: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


MEMINFO = {"proc/meminfo": "MemTotal: 9000000 kB\nMemFree: 1000 kB\nMemAvailable: 8000000 kB\n"}
NO_LIMIT = {"memory.max": "max\n", "memory.current": "5\n"}


def test_without_groups_it_is_what_linux_calls_available(tmp_path: Path) -> None:
    assert available_memory(write(tmp_path, MEMINFO)) == 8_000_000 * 1024


def test_a_group_of_version_2_and_those_above_it_bound_it(tmp_path: Path) -> None:
    base = "sys/fs/cgroup"
    files = MEMINFO | {"proc/self/cgroup": "0::/user/job\n"}
    files |= {f"{base}/user/job/{name}": text for name, text in NO_LIMIT.items()}
    write(tmp_path, files)
    assert available_memory(tmp_path) == 8_000_000 * 1024
    write(
        tmp_path,
        {
            f"{base}/user/memory.max": f"{GIB}\n",
            f"{base}/user/memory.current": f"{700 * MIB}\n",
            f"{base}/user/memory.stat": f"anon 5\ninactive_file {100 * MIB}\n",
        },
    )
    assert available_memory(tmp_path) == (1024 - 700 + 100) * MIB


def test_inside_a_container_the_group_lies_at_the_root(tmp_path: Path) -> None:
    base = "sys/fs/cgroup"
    files = {
        "proc/self/cgroup": "0::/docker/4711\n",
        f"{base}/memory.max": f"{512 * MIB}\n",
        f"{base}/memory.current": f"{612 * MIB}\n",
    }
    assert available_memory(write(tmp_path, MEMINFO | files)) == 0


def test_a_group_of_version_1_bounds_it(tmp_path: Path) -> None:
    base = "sys/fs/cgroup/memory/job"
    files = {
        "proc/self/cgroup": "7:cpu,cpuacct:/other\n4:memory:/job\n1:name=systemd:/job\n",
        f"{base}/memory.limit_in_bytes": f"{GIB}\n",
        f"{base}/memory.usage_in_bytes": f"{GIB // 2}\n",
        f"{base}/memory.stat": f"total_inactive_file {GIB // 4}\n",
    }
    assert available_memory(write(tmp_path, MEMINFO | files)) == 3 * GIB // 4


def test_elsewhere_it_is_half_of_the_physical_memory(tmp_path: Path) -> None:
    import os

    physical = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    assert available_memory(tmp_path) == physical // 2


def test_this_machine_has_some() -> None:
    assert available_memory() > 64 * MIB
