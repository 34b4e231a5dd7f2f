"""`check_config` holds a configuration against the schema of tritonclient, where it is there."""

from __future__ import annotations

import sys

import pytest

from trtcolor.errors import ExportError
from trtcolor.triton.schema import check_config


def test_what_the_schema_knows_is_accepted() -> None:
    assert check_config('name: "a"\nmax_batch_size: 4\n')


@pytest.mark.parametrize("text", ["colour: 1", 'max_batch_size: "4"', 'name: "a'])
def test_what_it_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(ExportError, match="is refused by the schema of tritonclient"):
        check_config(text)


@pytest.mark.parametrize("lacking", ["tritonclient", "grpc", "google.protobuf"])
def test_without_tritonclient_nothing_is_checked(
    lacking: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [*sys.modules]:
        if name.split(".")[0] in ("tritonclient", "grpc") or name == "google.protobuf":
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, lacking, None)
    assert not check_config("colour: 1")
