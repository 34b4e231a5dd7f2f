"""What `text_format` writes is read as the same message by protobuf, with Triton's own schema."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format as protobuf_text
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc.model_config_pb2 import ModelConfig

from trtcolor.triton.text_format import Enum, entries, text_format

texts = st.text(st.characters(exclude_categories=["Cs"]))
dims = st.lists(st.integers(-(2**63), 2**63 - 1))
kinds = st.sampled_from(["TYPE_UINT8", "TYPE_FP32", "TYPE_STRING"])
whole = st.integers(-(2**31), 2**31 - 1)


@st.composite
def configs(draw: st.DrawFn) -> tuple[dict[str, Any], ModelConfig]:
    """A message of ours, and the same made by protobuf."""
    expected = ModelConfig(name=draw(texts), max_batch_size=draw(whole))
    ours: dict[str, Any] = {"name": expected.name, "max_batch_size": expected.max_batch_size}
    ours["input"] = []
    for _ in range(draw(st.integers(0, 2))):
        given = expected.input.add(name=draw(texts), data_type=draw(kinds), dims=draw(dims))
        given.optional = draw(st.booleans())
        kind = ModelConfig.DESCRIPTOR.fields_by_name["input"].message_type
        names = kind.fields_by_name["data_type"].enum_type.values_by_number
        ours["input"].append(
            {
                "name": given.name,
                "data_type": Enum(names[given.data_type].name),
                "dims": list(given.dims),
                "optional": given.optional,
            }
        )
    tags = draw(st.dictionaries(texts, texts, max_size=3))
    expected.metric_tags.update(tags)
    ours["metric_tags"] = entries(tags)
    parameters = draw(st.dictionaries(texts, texts, max_size=3))
    for key, value in parameters.items():
        expected.parameters[key].string_value = value
    ours["parameters"] = entries({k: {"string_value": v} for k, v in parameters.items()})
    if draw(st.booleans()):
        expected.dynamic_batching.SetInParent()
        sizes = draw(st.lists(whole))
        expected.dynamic_batching.preferred_batch_size.extend(sizes)
        ours["dynamic_batching"] = {"preferred_batch_size": sizes}
    return ours, expected


@given(configs())
def test_a_message_is_read_back_as_it_was(pair: tuple[dict[str, Any], ModelConfig]) -> None:
    ours, expected = pair
    assert protobuf_text.Parse(text_format(ours), ModelConfig()) == expected


def test_a_message_is_a_field_a_line_and_its_messages_are_indented() -> None:
    message = {
        "name": "a",
        "dims": [1, -1],
        "version_policy": {"latest": {"num_versions": 1}},
        "empty": {},
        "none": [],
        "kind": Enum("KIND_GPU"),
        "on": True,
        "maps": entries({"x": "y"}),
    }
    assert text_format(message).splitlines() == [
        'name: "a"',
        "dims: [1, -1]",
        "version_policy {",
        "  latest {",
        "    num_versions: 1",
        "  }",
        "}",
        "empty {}",
        "kind: KIND_GPU",
        "on: true",
        "maps {",
        '  key: "x"',
        '  value: "y"',
        "}",
    ]


def test_text_that_utf_8_cannot_write_is_refused() -> None:
    with pytest.raises(ValueError, match="UTF-8"):
        text_format({"name": "\ud800"})
