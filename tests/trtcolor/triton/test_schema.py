"""`check_config` holds a configuration against the schema of tritonclient, where it is there."""

from __future__ import annotations

import subprocess
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
def test_without_tritonclient_nothing_is_checked(lacking: str) -> None:
    program = (
        f"import sys; sys.modules[{lacking!r}] = None\n"
        "from trtcolor.triton.schema import check_config\n"
        "print(check_config('colour: 1'))"
    )
    command = [sys.executable, "-P", "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
