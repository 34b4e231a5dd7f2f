"""The plans around an engine's network: frames in GPU memory go in and come out.

`prepare` (of RGB frames, `prepare_grey` of grey ones) gives the lightness and what the network
takes, `merge` lays the network's chroma under the lightness (`trtcolor.end_to_end.steps`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from trtcolor.backends.frame_plans import MERGE, PREPARE, FramePlans
from trtcolor.engines.profile import FRAMES, GraphProfile, Shape, ShapeProfile, shape_text
from trtcolor.geometry import Render, chroma_size, plan_render
from trtcolor.spec import SizeRule

if TYPE_CHECKING:
    import onnx

    from trtcolor.spec import ModelSpec

SMALLEST, USUAL, LARGEST = (1, 1), (1080, 1920), (4096, 4096)
"""(height, width) of frames, where none is asked for and the network sees them reduced."""


def frame_graphs(spec: ModelSpec, frames: FramePlans) -> dict[str, onnx.ModelProto]:
    """The ONNX graphs around a model's network, by name."""
    from trtcolor.end_to_end.steps import merge_graph, prepare_graph

    return {
        PREPARE[3]: prepare_graph(spec, render=frames.render, channels=3),
        PREPARE[1]: prepare_graph(spec, render=frames.render, channels=1),
        MERGE: merge_graph(spec, render=frames.render, gamut=frames.gamut),
    }


def default_frame_profiles(
    rule: SizeRule, render: Render, profiles: Sequence[ShapeProfile]
) -> tuple[ShapeProfile, ...]:
    """Sizes of frames for which the network's own profiles are enough, where none are asked for.

    Args:
        rule: of the model.
        render: how large the network sees frames.
        profiles: of the network.
    """
    if render == "full" or (render == "auto" and rule.render_size is None):
        return tuple(ShapeProfile((p.minimum[0], 1, 1), p.optimum, p.maximum) for p in profiles)
    first = profiles[0]
    return (
        ShapeProfile(
            (first.minimum[0], *SMALLEST), (first.optimum[0], *USUAL), (first.maximum[0], *LARGEST)
        ),
    )


def check_frame_profiles(
    frame_profiles: Iterable[ShapeProfile],
    rule: SizeRule,
    render: Render,
    profiles: Sequence[ShapeProfile],
) -> None:
    """Refuse frames that the network's profiles do not admit once they are reduced and padded.

    Args:
        frame_profiles: of the frames; the minimum, the optimum and the maximum of each is looked
            at, though frames of another aspect between these may be too long for the network.
        rule, render, profiles: as for `default_frame_profiles`.

    Raises:
        ValueError: one is not admitted; it is named with what the network would get.
    """
    for profile in frame_profiles:
        for shape in (profile.minimum, profile.optimum, profile.maximum):
            seen = network_shape(shape, rule, render)
            if not any(taken.admits(seen) for taken in profiles):
                raise ValueError(
                    f"frames of {shape_text(shape)} came, which the network sees as "
                    f"{shape_text(seen)}; a size within its profiles "
                    f"({', '.join(map(str, profiles))}) was needed; give other frames, or a "
                    "--profile for these too"
                )


def network_shape(shape: Shape, rule: SizeRule, render: Render) -> Shape:
    """(batch, height, width) of what the network sees of frames of that shape, padded."""
    batch, height, width = shape
    return batch, *plan_render((height, width), rule, render).padded


def graph_profiles(
    name: str,
    frame_profiles: Sequence[ShapeProfile],
    rule: SizeRule,
    render: Render,
    profiles: Sequence[ShapeProfile],
) -> list[GraphProfile]:
    """What a graph of `frame_graphs` is built for.

    Args:
        name: of the graph.
        frame_profiles: of the frames.
        rule, render, profiles: as for `default_frame_profiles`.
    """
    if name != MERGE:
        return [{FRAMES: profile} for profile in frame_profiles]
    return [_merge_profile(profile, rule, render, profiles) for profile in frame_profiles]


def _merge_profile(
    profile: ShapeProfile, rule: SizeRule, render: Render, profiles: Sequence[ShapeProfile]
) -> Mapping[str, ShapeProfile]:
    """Lightness of the frames' size, and chroma of every size that the network may give for it.

    A larger frame may have the smaller chroma, since the shorter side decides. So the chroma goes
    down to one sample, and with it the lightness to one pixel: sizes at a profile's ends have to
    fit each other.
    """
    batch = profile.minimum[0], profile.optimum[0], profile.maximum[0]

    def chroma(shape: Shape) -> tuple[int, int]:
        return chroma_size(shape[1:], rule.chroma_scale)

    best = chroma(network_shape(profile.optimum, rule, render))
    ends = [chroma(taken.maximum) for taken in profiles]
    largest = max(height for height, _ in ends), max(width for _, width in ends)
    return {
        "lightness": ShapeProfile((batch[0], 1, 1), profile.optimum, profile.maximum),
        "chroma": ShapeProfile((batch[0], 1, 1), (batch[1], *best), (batch[2], *largest)),
    }
