"""Ways to run a model on a CPU: the fastest first of those that are exact enough."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_folders import PROFILE, VERIFIED, keep

from trtcolor.backends.available import Precision
from trtcolor.bundle import Bundle, open_bundle
from trtcolor.engines.config import EngineConfig
from trtcolor.engines.entry import Entry
from trtcolor.engines.here import identity_here
from trtcolor.engines.ranking import Way, ranked
from trtcolor.engines.sidecar import Verification
from trtcolor.engines.speed import Speed
from trtcolor.engines.store import Store
from trtcolor.measure import processor
from trtcolor.threads import usable_cores

MakeBundle = Callable[..., Path]
Keep = Callable[..., Entry]
GATE = {"passed": True, "ways": {"joint": {"mean": 0.2}, "local": {"mean": 0.3}}}


@pytest.fixture
def bundle(make_bundle: MakeBundle) -> Bundle:
    return open_bundle(make_bundle())


def speed(engine: float, openvino: float = 0.9, **entries: Any) -> Speed:
    """Of an engine that took so much of ONNX Runtime's time, on this machine."""
    seconds = {"engine": engine, "onnxruntime fp32": 1.0, "openvino fp32": openvino}
    known = {"processor": processor(), "cores": usable_cores(), "size": "32x32"}
    return Speed(seconds=seconds, **known | entries)


@pytest.fixture
def built(bundle: Bundle, store: Store) -> Keep:
    """A function that puts an engine of the bundle into the store."""

    def build(
        backend: str = "onnxruntime",
        precision: Precision = "int8",
        calibration: str = "a",
        **entries: Any,
    ) -> Entry:
        config = EngineConfig(
            backend=backend,
            precision=precision,
            profiles=(PROFILE,),
            calibration=calibration * 64 if precision == "int8" else None,
        )
        known = {"verification": VERIFIED, "gate": GATE, "speed": speed(0.5)}
        identity = entries.pop("identity", identity_here(bundle, config, "1.0"))
        return keep(store, identity, **known | entries)

    return build


def names(ways: list[Way]) -> list[str]:
    return [f"{way.name}{' engine' if way.engine else ''}" for way in ways]


FLOAT = ["openvino fp32", "onnxruntime fp32"]


def test_without_engines_the_backends_stand_as_they_measured_elsewhere(
    bundle: Bundle, store: Store
) -> None:
    ways = ranked(bundle)
    assert names(ways) == names(ranked(bundle, "fp32")) == FLOAT
    assert [way.measured for way in ways] == [False, False]
    assert [str(way) for way in ways] == [
        "openvino fp32 (0.90 of the time of onnxruntime fp32, as measured elsewhere)",
        "onnxruntime fp32",
    ]


def test_an_engine_stands_where_its_measured_speed_puts_it(bundle: Bundle, built: Keep) -> None:
    built("onnxruntime", speed=speed(0.5))
    fast = built("openvino", speed=speed(0.25))
    built("onnxruntime", calibration="b", speed=speed(1.5))
    ways = ranked(bundle)
    assert names(ways) == [
        "openvino int8 engine",
        "onnxruntime int8 engine",
        *FLOAT,
        "onnxruntime int8 engine",
    ]
    assert ways[0] == Way("openvino", "int8", fast.path, 0.25, True, 0.3)
    assert str(ways[0]) == (
        "openvino int8 (0.25 of the time of onnxruntime fp32, measured here, CIEDE2000 to float32 "
        "0.300)"
    )


def test_an_engine_that_is_hardly_faster_than_float_comes_after_it(
    bundle: Bundle, built: Keep
) -> None:
    built(speed=speed(0.85, openvino=0.9))
    assert names(ranked(bundle)) == [FLOAT[0], "onnxruntime int8 engine", FLOAT[1]]
    built("openvino", "fp32", speed=speed(0.85, openvino=0.9))
    assert names(ranked(bundle))[0] == "openvino fp32 engine"


def test_the_backends_stand_as_they_measured_beside_the_newest_engine(
    bundle: Bundle, built: Keep
) -> None:
    built(speed=speed(2, openvino=0.8), created="2026-11-26T17:00:00+00:00")
    assert names(ranked(bundle))[0] == "openvino fp32"
    built(calibration="b", speed=speed(3, openvino=1.2), created="2026-11-26T18:00:00+00:00")
    assert names(ranked(bundle))[:2] == ["onnxruntime fp32", "openvino fp32"]
    assert ranked(bundle)[1].time == 1.2


@pytest.mark.parametrize(
    "entries",
    [
        {"gate": GATE | {"passed": False}},  # built with --accept-error
        {"gate": None},
        {"verification": Verification(status="unverified")},
    ],
    ids=str,
)
def test_an_engine_that_is_not_exact_enough_is_taken_by_its_precision_only(
    entries: dict[str, Any], bundle: Bundle, built: Keep
) -> None:
    built(**entries)
    assert names(ranked(bundle)) == FLOAT
    assert names(ranked(bundle, "int8"))[0] == "onnxruntime int8 engine"


def test_an_engine_that_was_not_measured_on_this_machine_comes_after_those_that_were(
    bundle: Bundle, built: Keep
) -> None:
    built("openvino", speed=speed(0.1, processor="an abacus"))
    built("openvino", calibration="b", speed=None)
    assert names(ranked(bundle)) == FLOAT
    ways = ranked(bundle, "int8")
    assert names(ways) == ["openvino int8", "onnxruntime int8"]
    assert all(math.isinf(way.time) for way in ways)
    built("onnxruntime", speed=speed(0.5))
    assert names(ranked(bundle, "int8")) == ["onnxruntime int8 engine", *names(ways)]


def test_engines_of_other_weights_and_for_gpus_are_not_looked_at(
    bundle: Bundle, built: Keep, make_bundle: MakeBundle
) -> None:
    other = open_bundle(make_bundle("other", seed=1))
    config = EngineConfig(backend="openvino", precision="fp32", profiles=(PROFILE,))
    identity = identity_here(other, config, "1.0")
    built(identity=identity)
    built(identity=replace(identity, model=bundle.spec.name))
    assert names(ranked(bundle)) == FLOAT
    assert names(ranked(other))[0] == "openvino fp32 engine"
    plan = replace(config, backend="tensorrt-rtx", targets=("sm89",))
    built(identity=identity_here(bundle, plan, "1.0"), speed=None)
    assert names(ranked(bundle)) == FLOAT


def test_a_precision_that_no_cpu_computes_in_has_ways_that_will_say_so(
    bundle: Bundle, store: Store
) -> None:
    assert names(ranked(bundle, "bf16")) == ["openvino bf16", "onnxruntime bf16"]
