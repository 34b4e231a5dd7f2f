"""Triton's own clients ask a repository for colours, over HTTP and over gRPC."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tritonclient.grpc
import tritonclient.http
from kserve import grpc_server, http_server
from PIL import Image
from served_models import Repository
from tritonclient.utils import InferenceServerException

from trtcolor.colorizer import Colorizer
from trtcolor.demo import photographs
from trtcolor.triton.repository import export_triton
from trtcolor.triton.serving import Serving

PROTOCOLS = {"http": (http_server, tritonclient.http), "grpc": (grpc_server, tritonclient.grpc)}


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The bundled model, loaded and warmed up."""
    folder = tmp_path_factory.mktemp("models")
    export_triton("default", folder, serving=Serving(max_batch=2, warm_up=((48, 64),)))
    return Repository(folder)


@pytest.fixture(scope="module", params=PROTOCOLS)
def served(request: pytest.FixtureRequest, repository: Repository) -> Iterator[tuple[Any, Any]]:
    """A client and the module that it is of."""
    serve, module = PROTOCOLS[request.param]
    running: AbstractContextManager[str] = serve(repository)
    with running as address, module.InferenceServerClient(address) as client:
        yield client, module


def photograph() -> np.ndarray:
    return np.asarray(Image.open(photographs()[1]).convert("RGB"))


def given(module: Any, name: str, array: np.ndarray) -> Any:
    tensor = module.InferInput(name, list(array.shape), "UINT8")
    tensor.set_data_from_numpy(np.ascontiguousarray(array))
    return tensor


def test_the_models_are_ready(served: tuple[Any, Any]) -> None:
    client, _ = served
    assert client.is_server_ready()
    for name in ("trtcolor-base", "trtcolor-base_features", "trtcolor-base_paint"):
        assert client.is_model_ready(name)


def test_a_picture_is_coloured(served: tuple[Any, Any]) -> None:
    client, module = served
    picture = photograph()
    answer = client.infer("trtcolor-base", [given(module, "frames", picture[None])])
    with Colorizer("default") as colorizer:
        expected = colorizer.colorize(picture)
    assert np.abs(answer.as_numpy("rgb")[0].astype(int) - expected).max() <= 1


def test_frames_of_a_batch_are_coloured_apart(served: tuple[Any, Any]) -> None:
    client, module = served
    left, right = photograph()[:, :200], photograph()[:, -200:]
    both = client.infer("trtcolor-base", [given(module, "frames", np.stack([left, right]))])
    for one, found in zip((left, right), both.as_numpy("rgb"), strict=True):
        alone = client.infer("trtcolor-base", [given(module, "frames", one[None])])
        assert np.abs(found.astype(int) - alone.as_numpy("rgb")[0]).max() <= 1


def test_scenes_are_given_out_by_their_names(served: tuple[Any, Any]) -> None:
    client, module = served
    picture = photograph()
    wanted = module.InferRequestedOutput("class_logits", class_count=2)
    tensors = [given(module, "frames", picture[None])]
    answer = client.infer("trtcolor-base_features", tensors, outputs=[wanted])
    found = [text.decode().split(":")[2] for text in answer.as_numpy("class_logits")[0]]
    with Colorizer("default") as colorizer:
        assert found == [name for name, _ in colorizer.classify(picture)[:2]]


def test_a_batch_that_is_too_large_is_refused_in_words(served: tuple[Any, Any]) -> None:
    client, module = served
    frames = np.zeros((3, 8, 8, 3), np.uint8)
    with pytest.raises(InferenceServerException, match="batch-size must be <= 2"):
        client.infer("trtcolor-base", [given(module, "frames", frames)])


def test_the_example_of_the_guide_colours_a_file(repository: Repository, tmp_path: Path) -> None:
    page = (Path(__file__).parents[3] / "docs/guide/serving.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python[^\n]*\n([^`]*import tritonclient[^`]*)```", page)
    Image.fromarray(photograph()).save(tmp_path / "old.png")
    with http_server(repository) as address:
        assert "localhost:8000" in example
        done = subprocess.run(
            [sys.executable, "-P", "-c", example.replace("localhost:8000", address)],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    with Colorizer("default") as colorizer:
        expected = colorizer.colorize(photograph())
    found = np.asarray(Image.open(tmp_path / "coloured.png"))
    assert np.abs(found.astype(int) - expected).max() <= 1
