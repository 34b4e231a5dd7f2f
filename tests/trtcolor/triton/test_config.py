"""Configurations, read back with the server's schema."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf import text_format as protobuf_text
from onnx import ModelProto, TensorProto, helper
from tritonclient.grpc.model_config_pb2 import ModelConfig, ModelInstanceGroup

from trtcolor.triton.config import ONNX, PLAN, Model, ensemble_config, model_config, onnx_model
from trtcolor.triton.serving import Serving
from trtcolor.triton.signature import Signature, Step, Tensor, joined, signature_of
from trtcolor.triton.text_format import Message, text_format

FRAMES = Tensor("frames", "TYPE_UINT8", (-1, -1, 3))
FEATURES = Tensor("global_features", "TYPE_FP32", (256,))
RGB = Tensor("rgb", "TYPE_UINT8", (-1, -1, 3))
PAINT = Signature((FRAMES, FEATURES), (RGB,))


def parsed(message: Message) -> ModelConfig:
    return protobuf_text.Parse(text_format(message), ModelConfig())


def painting(**settings: Any) -> ModelConfig:
    """Of the graph below, as ONNX Runtime runs it."""
    model = onnx_model(graph("N"), Serving(**settings))
    return parsed(model_config("paint", model, {"trtcolor_model": "tiny 1"}))


def served(signature: Signature, **settings: Any) -> Model:
    return Model(ONNX, b"", signature, Serving(**settings), ())


def graph(first: int | str) -> ModelProto:
    """Frames and features in, frames out, and a weight that older graphs list as an input."""
    inputs = [
        helper.make_tensor_value_info("frames", TensorProto.UINT8, [first, "H", "W", 3]),
        helper.make_tensor_value_info("global_features", TensorProto.FLOAT, ["N", 256]),
        helper.make_tensor_value_info("weight", TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info("rgb", TensorProto.UINT8, ["N", "H", "W", 3])]
    weight = helper.make_tensor("weight", TensorProto.FLOAT, [1], [0.0])
    node = helper.make_node("Identity", ["frames"], ["rgb"])
    return helper.make_model(helper.make_graph([node], "paint", inputs, outputs, [weight]))


def test_a_signature_is_the_graphs_without_the_batch() -> None:
    assert signature_of(graph("N")) == PAINT


def test_a_graph_of_one_batch_size_is_served_without_batches() -> None:
    model = onnx_model(graph(1), Serving(max_batch=8, preferred=(4,)))
    assert not model.signature.batched
    assert model.signature.inputs[0].dims == (1, -1, -1, 3)
    config = parsed(model_config("one", model, {}))
    assert config.max_batch_size == 0
    assert not config.HasField("dynamic_batching")
    (request,) = config.model_warmup
    assert request.batch_size == 1
    assert list(request.inputs["frames"].dims) == [1, 480, 640, 3]


def test_what_takes_grey_and_rgb_is_warmed_up_with_rgb() -> None:
    model = graph("N")
    model.graph.input[0].type.tensor_type.shape.dim[3].dim_param = "C"
    config = parsed(model_config("either", onnx_model(model, Serving()), {}))
    assert list(config.input[0].dims) == [-1, -1, -1]
    assert list(config.model_warmup[0].inputs["frames"].dims) == [480, 640, 3]


def test_a_plan_is_run_with_all_its_profiles() -> None:
    signature = Signature((FRAMES,), (RGB,))
    model = Model(PLAN, b"", signature, Serving(kind="gpu"), ({"frames": (8, 9, 3)},), profiles=2)
    config = parsed(model_config("plan", model, {}))
    assert (config.backend, config.platform) == ("tensorrt", "tensorrt_plan")
    assert config.default_model_filename == "model.plan"
    assert list(config.instance_group[0].profile) == ["0", "1"]
    assert list(config.model_warmup[0].inputs["frames"].dims) == [8, 9, 3]
    assert "cudnn_conv_algo_search" not in config.parameters


def test_an_ensembles_tensors_are_what_its_steps_lack_and_what_is_asked_for() -> None:
    steps = [Step("describe", Signature((FRAMES,), (FEATURES,))), Step("paint", PAINT)]
    assert joined(steps, ("rgb", "class_logits")) == Signature((FRAMES,), (RGB,))


def test_where_one_step_has_no_batches_the_ensemble_has_none_and_shows_all_axes() -> None:
    chroma = Tensor("chroma", "TYPE_FP32", (2, -1, -1))
    network = Step("network", Signature((FRAMES,), (chroma,)))
    factor = Tensor("saturation", "TYPE_FP32", (1,))
    taken = Tensor("chroma", "TYPE_FP32", (-1, 2, -1, -1))
    given = Tensor("rgb", "TYPE_UINT8", (-1, -1, -1, 3))
    merge = Step("merge", Signature((taken, factor), (given,), batched=False))
    whole = joined([network, merge], ("rgb",))
    assert not whole.batched
    assert [(t.name, t.dims) for t in whole.inputs] == [
        ("frames", (-1, -1, -1, 3)),
        ("saturation", (1,)),
    ]
    assert whole.outputs == (given,)
    assert parsed(ensemble_config("e", [network, merge], whole, 8, {})).max_batch_size == 0


def test_tensors_of_one_name_are_told_apart_in_the_ensemble() -> None:
    square = Tensor("lightness", "TYPE_FP32", (1, 224, 224))
    describe = Signature((square,), (FEATURES,))
    step = Step("describe", describe, {"lightness": "global_lightness"})
    config = parsed(ensemble_config("e", [step], joined([step], ("global_features",)), 8, {}))
    assert dict(config.ensemble_scheduling.step[0].input_map) == {"lightness": "global_lightness"}
    assert [tensor.name for tensor in config.input] == ["global_lightness"]


def test_tensors_are_described_as_the_server_compares_them() -> None:
    config = painting()
    assert (config.name, config.backend, config.platform) == (
        "paint",
        "onnxruntime",
        "onnxruntime_onnx",
    )
    assert [(t.name, list(t.dims)) for t in config.input] == [
        ("frames", [-1, -1, 3]),
        ("global_features", [256]),
    ]
    assert [(t.name, list(t.dims)) for t in config.output] == [("rgb", [-1, -1, 3])]
    assert config.default_model_filename == "model.onnx"
    assert config.version_policy.latest.num_versions == 1
    assert not config.response_cache.enable
    assert config.parameters["trtcolor_model"].string_value == "tiny 1"


def test_batches_and_instances_are_as_asked() -> None:
    config = painting(max_batch=16, preferred=(4, 16), queue_delay=500, instances=3, kind="gpu")
    assert config.max_batch_size == 16
    assert list(config.dynamic_batching.preferred_batch_size) == [4, 16]
    assert config.dynamic_batching.max_queue_delay_microseconds == 500
    (group,) = config.instance_group
    assert (group.count, group.kind) == (3, ModelInstanceGroup.KIND_GPU)


def test_single_frames_are_batched_unless_told_otherwise() -> None:
    assert painting().HasField("dynamic_batching")
    assert painting(max_batch=1).max_batch_size == 1


def test_every_size_is_warmed_up_alone_and_at_the_largest_batch() -> None:
    config = painting(max_batch=4, warm_up=((480, 640), (1, 7)))
    found = [(w.batch_size, list(w.inputs["frames"].dims)) for w in config.model_warmup]
    assert found == [
        (1, [480, 640, 3]),
        (4, [480, 640, 3]),
        (1, [1, 7, 3]),
        (4, [1, 7, 3]),
    ]
    for request in config.model_warmup:
        assert set(request.inputs) == {"frames", "global_features"}
        assert list(request.inputs["global_features"].dims) == [256]
        assert all(entry.zero_data for entry in request.inputs.values())
    assert len({request.name for request in config.model_warmup}) == 4


def test_no_size_is_no_warm_up() -> None:
    assert not painting(warm_up=()).model_warmup


def test_only_models_that_may_run_on_a_gpu_say_how_convolutions_are_chosen() -> None:
    assert painting().parameters["cudnn_conv_algo_search"].string_value == "1"
    assert "cudnn_conv_algo_search" not in painting(kind="cpu").parameters


def test_an_ensemble_hands_tensors_on_by_name() -> None:
    describe = Step("describe", Signature((FRAMES,), (FEATURES,)))
    steps = [describe, Step("paint", PAINT)]
    config = parsed(ensemble_config("both", steps, Signature((FRAMES,), (RGB,)), 8, {}))
    first, second = config.ensemble_scheduling.step
    assert (first.model_name, first.model_version) == ("describe", -1)
    assert dict(first.input_map) == {"frames": "frames"}
    assert dict(first.output_map) == {"global_features": "global_features"}
    assert dict(second.input_map) == {"frames": "frames", "global_features": "global_features"}
    assert dict(second.output_map) == {"rgb": "rgb"}
    assert config.platform == "ensemble"
    assert config.max_batch_size == 8


def test_an_ensemble_has_what_the_server_allows_it() -> None:
    signature = Signature((FRAMES,), (RGB,))
    config = parsed(ensemble_config("both", [Step("paint", signature)], signature, 8, {}))
    assert not config.backend
    assert not config.instance_group
    assert not config.model_warmup
    assert config.WhichOneof("scheduling_choice") == "ensemble_scheduling"


def test_labels_are_named_where_there_are_any() -> None:
    scenes = Tensor("class_logits", "TYPE_FP32", (205,), labels="labels.txt")
    config = parsed(model_config("see", served(Signature((FRAMES,), (scenes,))), {}))
    assert [output.label_filename for output in config.output] == ["labels.txt"]


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("max_batch", 0),
        ("max_batch", True),
        ("preferred", (9,)),
        ("preferred", (0,)),
        ("queue_delay", -1),
        ("instances", 0),
        ("kind", "tpu"),
        ("warm_up", ((0, 640),)),
    ],
)
def test_settings_that_the_server_would_refuse_are_refused(setting: str, value: Any) -> None:
    with pytest.raises(ValueError, match=rf"^{setting} is .* needed; pass "):
        Serving(**{setting: value})
