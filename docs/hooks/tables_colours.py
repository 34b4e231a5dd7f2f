"""Tables of colour: the bundled model, render sizes, decoders, film, the papers' tables."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from statistics import fmean
from typing import Any

from results import percent, result, table

VALIDATION = "evaluation-validation.json.gz"


def _figure(name: str, row: str, key: str) -> float:
    """A figure of a file of ``trtcolor evaluate``."""
    (found,) = [entry for entry in result(name)["rows"] if entry["name"] == row]
    return float(found["figures"][key]["value"])


def model_table() -> str:
    """The bundled model beside the first one, one mean colour, grey and the originals."""
    columns = ("trtcolor-base", "lee2016-miniplaces", "mean colour 1", "grey")

    def row(title: str, key: str, digits: int, last: str, columns: Sequence[str] = columns) -> Any:
        return [title, *(f"{_figure(VALIDATION, name, key):.{digits}f}" for name in columns), last]

    rows = [
        row("CIEDE2000 to the original, mean", "ciede2000", 2, "0"),
        row("colourfulness (Hasler and Suesstrunk), mean", "colourfulness", 1, ""),
        row("cosine to the true a\\*b\\*", "chroma_cosine", 3, "1"),
        ["scene among the first 5 of 100"]
        + [percent(_figure(VALIDATION, name, "top5"), 1) for name in columns[:2]]
        + ["", "", ""],
    ]
    rows[1][-1] = f"{_figure(VALIDATION, 'originals', 'colourfulness'):.1f}"
    return table(
        ["", "trtcolor-base", "lee2016-miniplaces", "one mean colour", "left grey", "originals"],
        rows,
    )


def of_grey(name: str, row: str) -> float:
    """A row's CIEDE2000 over that of pictures left grey; below 1 is nearer to the truth."""
    return _figure(name, row, "ciede2000") / _figure(name, "grey", "ciede2000")


def of_originals(name: str, row: str) -> float:
    """A row's colourfulness over the originals'."""
    return _figure(name, row, "colourfulness") / _figure(name, "originals", "colourfulness")


def render_table() -> str:
    """Errors and colourfulness of the bundled model at each render size, on Kodak."""
    measured = result("render-size-kodak.json")
    true = {row["picture"]: row for row in measured["originals"] if row["colourful"]}
    grey = fmean(row["ciede2000_of_grey"] for row in true.values())
    vivid = fmean(row["colourfulness"] for row in true.values())
    rows = []
    for render in (96, 128, 192, 256, 384, "full"):
        of_size = [
            row
            for row in measured["coloured"]
            if row["render"] == render and row["upsampling"] == "bilinear"
        ]
        errors = {
            key: fmean(e for row in of_size if (e := row["ciede2000"].get(key)) is not None)
            for key in ("original", "original_at_borders", "full_at_borders")
        }
        shown = fmean(row["colourfulness"] for row in of_size if row["picture"] in true)
        rows.append(
            [
                "full (512)" if render == "full" else render,
                f"{errors['original'] / grey:.3f}",
                f"{shown / vivid:.3f}",
                f"{errors['original_at_borders']:.2f}",
                f"{errors['full_at_borders']:.2f}",
            ]
        )
    heads = ["render", "CIEDE2000 / grey", "colourfulness / originals", "CIEDE2000 at borders"]
    return table([*heads, "the same to `full`"], rows)


def decoder_table() -> str:
    """The bundled model's decoder at several temperatures and saturations."""
    points = result("decoder-curve.json")["curves"]["trtcolor-base"]
    heads = [
        f"T {point['temperature']:g}"
        + (f", saturation {point['saturation']:g}" if point["saturation"] != 1 else "")
        for point in points
    ]
    rows = [
        [name, *(f"{point[key]:.3f}" for point in points)]
        for name, key in (
            ("CIEDE2000 / grey", "ciede2000_ratio"),
            ("colourfulness / originals", "colourfulness_ratio"),
        )
    ]
    return table(["`trtcolor-base`", *heads], rows)


def decoder_point(model: str, key: str, temperature: float = 0.38, saturation: float = 1) -> float:
    points = result("decoder-curve.json")["curves"][model]
    (point,) = [
        point
        for point in points
        if (point["temperature"], point["saturation"]) == (temperature, saturation)
    ]
    return float(point[key])


def precisions_table() -> str:
    """Other precisions against float32, the worse of two ways."""
    names = {
        "fp16": "fp16",
        "bf16": "bf16",
        "int8 tensorrt": "int8, TensorRT (signed)",
        "int8 cpu": "int8, CPU (u8s8)",
    }
    rows = []
    for key, name in names.items():
        entry = result("precisions.json")["ciede2000"][key]
        mean, worst = (
            max(way[statistic] for way in entry["ways"].values()) for statistic in ("mean", "worst")
        )
        limits = entry["limits"]
        rows.append([name, f"{mean:.3f} / {worst:.3f}", f"{limits['mean']} / {limits['worst']}"])
    return table(["`trtcolor-base`", "CIEDE2000 to float32, mean / worst", "limits"], rows)


CLIPS = {
    "vintage_bw": "newsreel",
    "big_buck_bunny": "cartoon",
    "synthetic": "synthetic cuts and pans, light grain",
    "synthetic, worn": "the same, worn",
}


def steady_table(steady: float) -> str:
    """What the temporal filter takes off, against frame by frame."""
    rows = []
    for clip in result("steady.json")["clips"]:
        first, row = (
            next(row for row in clip["rows"] if row["steady"] == value) for value in (0.0, steady)
        )
        cdc = "cdc_of_coloured_shots"
        changes = (f"{row[key] / first[key] - 1:+.0%}" for key in (cdc, "flicker"))
        share = f"{clip['grey'][cdc] / first[cdc]:.0%}"
        vivid = f"{row['colourfulness'] / first['colourfulness'] - 1:+.1%}"
        change, flicker = changes
        rows.append(
            [f"{CLIPS[clip['clip']]}, {clip['frames']:,} frames", change, share, flicker, vivid]
        )
    return table(
        [
            f"at {steady:g}, against frame by frame",
            "change of colours from frame to frame (CDC)",
            "of it the lightness's own",
            "flicker where the picture stands still",
            "colourfulness",
        ],
        rows,
    )


def upsampling_gain(factor: int) -> float:
    """Share of the error at borders that joint-bilateral upsampling takes off, of true colours."""
    from trtcolor.upsampling import RANGE_SIGMA

    rows = result("upsampling-kodak.json")["rows"]

    def at_borders(sigma: float | None) -> float:
        (row,) = [r for r in rows if (r["factor"], r["range_sigma"]) == (factor, sigma)]
        return fmean(pair[1] for pair in row["ciede2000"])

    return 1 - at_borders(RANGE_SIGMA) / at_borders(None)


def paper_table(paper: str, title: str, group: int | None = None) -> str:
    """A table of ``trtcolor evaluate --paper``: the paper's rows, ours below each.

    ``group`` takes the columns of one group, named in the first heading, and the rows that have
    any of them.
    """
    tables = result(f"papers/{paper}.json.gz")["tables"]
    (found,) = [entry for entry in tables if title in entry["title"]]
    first, kept = "", slice(None)
    if group is not None:
        start = sum(count for _, count in found["groups"][:group])
        name, count = found["groups"][group]
        first, kept = name.replace("\n", ", "), slice(start, start + count)
    rows = [(name, cells[kept]) for name, cells in found["rows"]]
    filled = [
        [_own(name), *("" if cell == "-" else cell for cell in cells)]
        for name, cells in rows
        if group is None or any(cell != "-" for cell in cells)
    ]
    return table([first, *(head.replace("|", r"\|") for head in found["columns"][kept])], filled)


def _own(name: str) -> str:
    """``  ours [2] NAME`` of the text as a row that is ours; emphasis of stars is none."""
    found = re.fullmatch(r"\s+(?:ours )?(\[\d+\] )?(.*)", name)
    text = f"&emsp;ours: `{found[2]}`" if found and found[1] else name.strip()
    return text.replace("L*a*b*", r"L\*a\*b\*")


def systems_table() -> str:
    """Every network, trained for minutes on a CPU."""
    rows = []
    for row in result("systems.json")["rows"]:
        figures, command = row["figures"], row["commands"][0]
        narrowed = set(re.findall(r"network\.dimensions\.(\w+)=", command)) - {"training_size"}
        rows.append(
            [
                f"`{row['system']}`",
                "half" if narrowed else "full",
                f"{_trained_on(command):,}",
                row["decoder"],
                f"{figures['ciede2000_ratio']:.3f}",
                f"{figures['colourfulness_ratio']:.2f}",
            ]
        )
    heads = ["configuration", "widths", "pictures", "colours by", "CIEDE2000 / grey"]
    return table([*heads, "colourfulness / originals"], rows)


def _trained_on(command: str) -> int:
    """Pictures of a ``trtcolor train``, which a resumed one tells of its last part alone."""
    steps, batch = (
        int(re.search(rf"training.{entry}=(\d+)", command)[1]) for entry in ("steps", "batch_size")
    )
    return steps * batch


def planes_difference(key: str) -> float:
    """CIEDE2000 between the video path and the RGB path: 4:2:0, 8 bits, full range."""
    (row,) = [
        row
        for row in result("planes-kodak.json")["rows"]
        if (row["subsampling"], row["depth"], row["range"]) == (420, 8, "full")
    ]
    return float(row[key]["mean"])


_FUNCTIONS: Sequence[Callable[..., Any]] = (
    decoder_point,
    decoder_table,
    model_table,
    of_grey,
    of_originals,
    paper_table,
    planes_difference,
    precisions_table,
    render_table,
    steady_table,
    systems_table,
    upsampling_gain,
)
TABLES = {function.__name__: function for function in _FUNCTIONS}
