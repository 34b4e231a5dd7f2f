"""Plots of the pages: SVG inside the page, drawn in the ink of its scheme, dark or light."""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

import matplotlib
from matplotlib.figure import Figure
from results import result
from tables_colours import CLIPS

from trtcolor.papers import IIZUKA_TABLE_3

COLOURS = ("#e4572e", "#2e86ab", "#f3a712", "#5b8e55", "#9467bd", "#8c8c8c")
"""Told apart on white and on black; the first is the site's accent."""
_INK = "#012345"
STYLE = {
    "svg.fonttype": "none",  # text, in the page's own font
    "svg.hashsalt": "trtcolor",
    "font.size": 11,
    "axes.prop_cycle": matplotlib.cycler(color=COLOURS),
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.2,
    "legend.frameon": False,
    **dict.fromkeys(
        ("text.color", "axes.edgecolor", "axes.labelcolor", "xtick.color", "ytick.color"), _INK
    ),
    "grid.color": _INK,
}


def svg(draw: Callable[[Any], None], caption: str, *, inches: tuple[float, float] = (8, 4)) -> str:
    """A figure of the page.

    Args:
        draw: is given the axes.
        caption: what it shows, below it and for those who do not see it.
        inches: width and height.
    """
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=inches, layout="constrained")
        draw(figure.add_subplot())
        out = io.StringIO()
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None})
    drawn = out.getvalue()
    drawn = drawn[drawn.index("<svg") :]
    drawn = re.sub(r"<(metadata|style).*?</\1>", "", drawn, flags=re.DOTALL)  # of the whole page
    drawn = re.sub(r'<g id="[^"]*"', "<g", drawn)  # the same in every figure of a page
    drawn = re.sub(r"font(-family)?: ([\d.]+px )?'[^;\"]*", r"font-size: \2", drawn)
    drawn = drawn.replace(_INK, "currentColor").replace("font-size: ;", "")
    drawn = drawn.replace("<svg ", f'<svg role="img" aria-label="{escape(caption)}" ', 1)
    lines = (line for line in drawn.splitlines() if line.strip())  # a blank one ends the HTML
    inside = "\n".join(lines)
    return f'<figure class="plot">\n{inside}\n<figcaption>{escape(caption)}</figcaption>\n</figure>'


def bench_plot() -> str:
    """Time against pixels: processor cores, the GPU, the paper's two."""

    def draw(axes: Any) -> None:
        for name, file, backend, precision in (
            ("ONNX Runtime fp32, 2 cores", "bench-iizuka2016.json", "onnxruntime", "fp32"),
            ("ONNX Runtime int8, 2 cores", "bench-iizuka2016.json", "onnxruntime", "int8"),
            ("OpenVINO int8, 2 cores", "bench-iizuka2016.json", "openvino", "int8"),
            ("H200, fp32", "bench-iizuka2016-h200.json", "onnxruntime-cuda", "fp32"),
        ):
            rows = [
                row
                for row in result(file)["rows"]
                if (row["candidate"]["backend"], row["candidate"]["precision"])
                == (backend, precision)
            ]
            pixels = [row["size"][0] * row["size"][1] for row in rows]
            axes.plot(pixels, [_predict(row) for row in rows], marker="o", label=name)
        printed = IIZUKA_TABLE_3.rows.values()
        pixels = [int(row[0].replace(",", "")) for row in printed]
        for column, name in ((1, "paper: CPU, 8 cores"), (2, "paper: GPU, Titan X")):
            seconds = [float(row[column]) for row in printed]
            axes.plot(pixels, seconds, ":", color=_INK, marker="sx"[column - 1], label=name)
        axes.set(xscale="log", yscale="log", xlabel="pixels", ylabel="seconds of the network")
        axes.legend(fontsize=9)

    return svg(
        draw, "Time of iizuka2016 against pixels, beside Table 3 of the paper", inches=(8, 5)
    )


def _predict(row: dict[str, Any]) -> float:
    (step,) = [step for step in row["steps"] if step["name"] == "predict"]
    return float(step["median"])


def decoder_plot() -> str:
    """Error against colourfulness of each classifier, over temperatures and saturations."""

    def draw(axes: Any) -> None:
        for name, points in result("decoder-curve.json")["curves"].items():
            ways = (
                [p for p in points if p["saturation"] == 1],
                [p for p in points if p["saturation"] != 1],
            )
            (line,) = axes.plot(*_xy(ways[0]), marker="o", label=name)
            axes.plot(*_xy(ways[1]), marker="^", linestyle="--", color=line.get_color())
        axes.axhline(1, color=_INK, linewidth=0.8)
        axes.set(xlabel="colourfulness / originals", ylabel="CIEDE2000 / grey")
        axes.legend(fontsize=9)

    caption = (
        "Error against colourfulness of each classifier: temperatures (circles, solid) and "
        "saturations (triangles, dashed); below 1 is nearer to the truth than grey"
    )
    return svg(draw, caption, inches=(8, 5))


def _xy(points: Sequence[dict[str, Any]]) -> tuple[list[float], list[float]]:
    keys = ("colourfulness_ratio", "ciede2000_ratio")
    x, y = ([point[key] for point in points] for key in keys)
    return x, y


def steady_plot() -> str:
    """Flicker against ``--steady``."""

    def draw(axes: Any) -> None:
        for clip in result("steady.json")["clips"]:
            rows = clip["rows"]
            flicker = [row["flicker"] / rows[0]["flicker"] for row in rows]
            axes.plot(
                [row["steady"] for row in rows], flicker, marker="o", label=CLIPS[clip["clip"]]
            )
        axes.set(xlabel="--steady", ylabel="flicker, of frame by frame", ylim=(0, 1.05))
        axes.legend(fontsize=9)

    return svg(draw, "Flicker where the picture stands still, against --steady", inches=(8, 3.6))


PLOTS: dict[str, Callable[..., str]] = {
    function.__name__: function for function in (bench_plot, decoder_plot, steady_plot)
}
