"""``engine.json`` comes back as it was written, and what trtcolor would not write is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from engine_folders import IDENTITY, PROFILE, VERIFIED, changed
from hypothesis import given
from hypothesis import strategies as st

from trtcolor.backends.frame_plans import FramePlans
from trtcolor.engines.identity import RECIPE, Gpu, Identity
from trtcolor.engines.sidecar import EngineGraph, Sidecar
from trtcolor.engines.speed import Speed
from trtcolor.errors import EngineError

Entries = dict[str, Any]
FRAMES = {"frames": FramePlans(224, "clip"), "frame_profiles": (PROFILE, PROFILE)}
TEXTS = st.text(st.characters(), min_size=1)
DIGESTS = st.text("0123456789abcdef", min_size=64, max_size=64)
NUMBERS = st.integers(-(1 << 53), 1 << 53) | st.floats(-1e300, 1e300)
FIGURES = st.recursive(
    st.none() | st.booleans() | NUMBERS | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def graphs_of(identity: Identity) -> dict[str, EngineGraph]:
    return {
        name: EngineGraph(
            file=identity.file_name(name),
            sha256="9" * 64,
            bytes=5,
            onnx_sha256="4" * 64,
            inputs=("lightness",),
            outputs=("chroma", "global_features"),
            profiles=(PROFILE,),
            seconds=0.5,
        )
        for name in identity.built_graphs
    }


SIDECAR = Sidecar(
    identity=IDENTITY,
    graphs=graphs_of(IDENTITY),
    verification=VERIFIED,
    created="2026-11-26T17:00:00+00:00",
    trtcolor="0.1.0",
    gate={"mean": 0.2, "worst": [0.3, "kodim01"]},
    flags=("STRONGLY_TYPED",),
    tools={"onnx": "1.21.0"},
    bundle="/models/tiny",
)


def written(change: Callable[[Entries], None] = lambda entries: None) -> str:
    """The text of a sidecar, changed by hand."""
    entries = json.loads(SIDECAR.to_json())
    change(entries)
    return json.dumps(entries, indent=2) + "\n"


def refusal(text: str) -> str:
    with pytest.raises(EngineError) as refused:
        Sidecar.from_json(text, source="engine.json")
    words = str(refused.value)
    assert words.startswith("engine.json ")
    assert words.endswith("; build the engine again")
    assert words.isprintable()
    assert len(words) < 700
    return words


@st.composite
def identities(draw: st.DrawFn) -> Identity:
    gpu = st.builds(Gpu, name=TEXTS, compute_capability=st.just("8.9"), driver=TEXTS)
    targets = draw(st.sampled_from([(), ("sm89",), ("sm89", "sm120")]))
    return changed(
        model=draw(TEXTS),
        files=draw(st.dictionaries(TEXTS, DIGESTS, max_size=3)) | dict(IDENTITY.files),
        builder_version=draw(TEXTS),
        targets=targets,
        gpu=None if targets else draw(st.none() | gpu),
        processor=draw(st.none() | st.text(st.characters())),
        workspace=draw(st.none() | st.integers(1, 1 << 40)),
        precision="int8",
        calibration=draw(DIGESTS),
        **draw(st.sampled_from([{}, FRAMES])),
    )


@st.composite
def speeds(draw: st.DrawFn) -> Speed:
    names = ["engine", "onnxruntime fp32", *draw(st.lists(TEXTS, max_size=2))]
    seconds = st.integers(1, 9) | st.floats(1e-9, 1e9)
    return Speed(
        size=draw(TEXTS),
        processor=draw(TEXTS),
        cores=draw(st.integers(1, 1 << 16)),
        seconds={name: draw(seconds) for name in names},
    )


@given(
    identities(),
    st.none() | st.dictionaries(TEXTS, FIGURES, max_size=3),
    st.lists(TEXTS),
    st.none() | speeds(),
)
def test_what_is_written_comes_back(
    identity: Identity, gate: Entries | None, flags: list[str], speed: Speed | None
) -> None:
    sidecar = replace(
        SIDECAR,
        identity=identity,
        graphs=graphs_of(identity),
        gate=gate,
        flags=tuple(flags),
        speed=speed,
    )
    text = sidecar.to_json()
    assert text.isascii()
    assert Sidecar.from_json(text) == sidecar
    assert Sidecar.from_json(text).identity.key == identity.key


def test_an_engine_that_was_not_timed_has_no_entry_of_it() -> None:
    assert "speed" not in json.loads(SIDECAR.to_json())


@given(st.text(st.characters()) | FIGURES.map(json.dumps))
def test_any_other_text_is_refused_in_a_sentence(text: str) -> None:
    refusal(text)


@given(st.data())
def test_an_entry_that_is_missing_another_or_of_another_kind_is_refused(
    data: st.DataObject,
) -> None:
    entries = json.loads(SIDECAR.to_json())
    table = entries
    for _ in range(data.draw(st.integers(0, 3), "depth")):
        tables = [part for part in table.values() if isinstance(part, dict) and part]
        if not tables:
            break
        table = data.draw(st.sampled_from(tables), "table")
    name = data.draw(st.sampled_from(sorted(table)), "entry")
    if data.draw(st.booleans(), "missing"):
        del table[name]
    else:
        table[data.draw(TEXTS.filter(lambda text: text not in table), "more")] = table[name]
    refusal(json.dumps(entries, indent=2) + "\n")


def graph(**entries: Any) -> Callable[[Entries], None]:
    return lambda whole: whole["graphs"]["local"].update(entries)


def identity(**entries: Any) -> Callable[[Entries], None]:
    return lambda whole: whole["identity"].update(entries)


def top(**entries: Any) -> Callable[[Entries], None]:
    return lambda whole: whole.update(entries)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (graph(file="../../.bashrc"), "file of graph local is '../../.bashrc'"),
        (graph(file="/etc/passwd"), "file of graph local is '/etc/passwd'"),
        (graph(file=IDENTITY.file_name("global")), "file of graph local is 'tiny.global."),
        (graph(file=None), "it: graphs: local: file is None"),
        (graph(bytes=0), "1 byte at least"),
        (graph(bytes=-1), "1 byte at least"),
        (graph(bytes=10**400), "1 byte at least"),
        (graph(bytes=5.0), "bytes is 5.0"),
        (graph(bytes=True), "bytes is True"),
        (graph(seconds=10**400), "seconds is 1000"),
        (graph(seconds=-1), "0 or more"),
        (graph(sha256="9" * 63), "SHA-256 of"),
        (graph(sha256="A" * 64), "SHA-256 of"),
        (graph(inputs=[]), "have no names"),
        (graph(inputs=[""]), "have no names"),
        (graph(inputs="lightness"), "a list of values was needed"),
        (graph(profiles=[]), "profiles of"),
        (graph(profiles=["1:2"]), "profiles: "),
        (graph(profiles=[{"minimum": [1, 1, 1]}]), "a text was needed"),
        (identity(model="other"), "file of graph"),
        (identity(recipe=RECIPE + 1), "was altered"),
        (identity(recipe=1.5), "recipe is 1.5"),
        (identity(processor="avx2"), "was altered"),
        (identity(files=["weights.bin"]), "files is ['weights.bin']"),
        (identity(files={"local.onnx": 5}), "files: local.onnx is 5"),
        (identity(config=None), "config is None"),
        (identity(gpu={"name": "a"}), "lacks an entry"),
        (top(graphs={}), "graphs are none"),
        (top(graphs={"local": None}), "graphs: local is None"),
        (top(format_version=2), "format version 2"),
        (top(format_version=True), "format version True"),
        (top(format_version=None), "format version None"),
        (top(key="0" * 64), "was altered"),
        (top(key=None), "was altered"),
        (top(sha256="0" * 64), "was altered"),
        (top(sha256=None), "was altered"),
        (top(trtcolor="0.2.0"), "was altered"),
        (top(verification={"status": "unverified", "figures": {}}), "was altered"),
        (graph(onnx_sha256="5" * 64), "was altered"),
        (top(created="yesterday"), "an ISO 8601 time"),
        (top(created="2026-11-26T17:00:00"), "a time with its zone"),
        (top(gate=[1]), "gate is [1]"),
        (top(gate={"deep": json.loads("[" * 50 + "]" * 50)}), "nested deeper"),
        (top(gate={"large": 10**30}), "without a finite value"),
        (top(verification={"status": "perfect", "figures": {}}), "verified, unverified"),
        (top(extra=1), "unknown entries extra"),
        (top(**{"\x1b[31m": 1}), "unknown entries"),
        (top(**{"long" * 10000: 1}), "unknown entries"),
        (top(trtcolor="x" * 1000, flags=5), "flags is 5"),
    ],
)
def test_a_crafted_entry_is_refused(change: Callable[[Entries], None], reason: str) -> None:
    assert reason in refusal(written(change))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "is no sidecar"),
        ("[" * 100_000, "is no sidecar"),
        ("[]", "format version None"),
        ('{"format_version": 1, "format_version": 1}', "there twice"),
        (SIDECAR.to_json().replace("0.5", "NaN"), "NaN is no number"),
        (SIDECAR.to_json().replace("0.5", "Infinity"), "Infinity is no number"),
        (SIDECAR.to_json().replace("0.5", "1e999"), "0 or more"),
        (SIDECAR.to_json().replace("0.25", "1e999"), "without a finite value"),
        (SIDECAR.to_json().replace(": 5,", ": " + "9" * 5000 + ","), "is no sidecar"),
        (SIDECAR.to_json()[:-10], "is no sidecar"),
    ],
)
def test_a_text_that_is_no_sidecar_is_refused(text: str, reason: str) -> None:
    assert reason in refusal(text)


def test_the_helper_writes_what_trtcolor_writes() -> None:
    assert Sidecar.from_json(written()) == SIDECAR


@pytest.mark.parametrize(
    "figures", [{"mean": float("nan")}, {"mean": float("inf")}, {"path": Path("a")}, {1: 2}]
)
def test_figures_that_json_cannot_keep_are_refused_when_they_are_made(figures: Entries) -> None:
    with pytest.raises(ValueError, match="gate has"):
        replace(SIDECAR, gate=figures)
