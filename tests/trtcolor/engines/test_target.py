"""Targets are what a builder knows and no more."""

from __future__ import annotations

import pytest

from trtcolor.backends._tensorrt import import_tensorrt
from trtcolor.engines.target import known_targets, resolve_targets
from trtcolor.errors import BackendError

RTX = ("sm75", "sm80", "sm86", "sm89", "sm120", "sm121")


def resolved(text: str, present: str | None = None) -> tuple[str, ...]:
    return resolve_targets(text, backend="tensorrt-rtx", known=RTX, present=present)


def test_the_targets_of_the_installed_module_rise_and_lack_hopper() -> None:
    pytest.importorskip("tensorrt_rtx", reason="tensorrt-rtx is not installed")
    known = known_targets(import_tensorrt("tensorrt-rtx"))
    assert {"sm86", "sm89", "sm120"} < set(known)
    assert "sm90" not in known
    assert list(known) == sorted(known, key=lambda name: int(name[2:]))


def test_targets_are_sorted_by_number_and_unique() -> None:
    assert resolved("sm120, SM89,sm89") == ("sm89", "sm120")


def test_this_is_the_gpu_in_the_machine() -> None:
    assert resolved("this", "sm89") == ("sm89",)
    assert resolved("sm120,this", "sm89") == ("sm89", "sm120")


def test_this_without_a_gpu_is_refused_with_the_known_targets() -> None:
    with pytest.raises(BackendError, match=r"no GPU works.*sm75, sm80, sm86, sm89, sm120, sm121"):
        resolved("this")


@pytest.mark.parametrize(("text", "present"), [("sm89,sm90", None), ("this", "sm90")])
def test_an_unknown_capability_is_refused_with_the_known_ones(
    text: str, present: str | None
) -> None:
    with pytest.raises(BackendError, match=r"'tensorrt-rtx' does not build for sm90; .*sm89"):
        resolved(text, present)


@pytest.mark.parametrize("text", ["", "89", "8.9", "sm", "ada", "sm89;sm120", "sm89,"])
def test_another_form_is_a_value_error(text: str) -> None:
    with pytest.raises(ValueError, match="sm89,sm120"):
        resolved(text)


def test_tensorrt_itself_builds_only_for_the_gpu_present() -> None:
    def with_tensorrt(text: str, present: str | None) -> tuple[str, ...]:
        return resolve_targets(text, backend="tensorrt", known=(), present=present)

    assert with_tensorrt("this", "sm90") == ()
    with pytest.raises(BackendError, match="only for the GPU that it runs on"):
        with_tensorrt("sm89", "sm89")
    with pytest.raises(BackendError, match="no GPU works"):
        with_tensorrt("this", None)
