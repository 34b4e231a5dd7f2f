"""Tables of time: networks, kernels, tiles, the command line's start."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median
from typing import Any

from results import megabytes, number, result, table

from trtcolor.papers import IIZUKA_TABLE_3

SIZES = (224, 512, 1024, 2048)


def _only(rows: Iterable[Any], **wanted: Any) -> Any:
    """The one row that has these entries."""
    found = [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]
    if len(found) != 1:
        raise LookupError(f"{len(found)} rows have {wanted}, not one")
    return found[0]


def _size_name(side: int) -> str:
    return f"{side}x{side}" + (" †" if side == SIZES[0] else "")


def _paper(side: int) -> list[str]:
    """CPU seconds, GPU seconds and speed-up of 004, Table 3."""
    return list(IIZUKA_TABLE_3.rows[f"{side}x{side}"][1:])


def _network(name: str, side: int, backend: str, precision: str, form: str = "") -> float:
    """Median seconds of the network, of a file of ``trtcolor bench``."""
    candidate = {"backend": backend, "precision": precision, "form": form}
    row = _only(result(name)["rows"], candidate=candidate, size=[side, side])
    return float(_only(row["steps"], name="predict")["median"])


def bench_table() -> str:
    """004, Table 3 on processor cores: float32 and int8 of both backends."""
    heads = ["image size", "ONNX Runtime fp32", "OpenVINO fp32", "ONNX Runtime int8"]
    rows = []
    for side in SIZES:
        times = {
            (backend, precision): _network("bench-iizuka2016.json", side, backend, precision)
            for precision in ("fp32", "int8")
            for backend in ("onnxruntime", "openvino")
        }
        reference = times["onnxruntime", "fp32"]
        cells = [
            f"{seconds:.3f}" + (f" ({reference / seconds:.1f}x)" if precision == "int8" else "")
            for (_, precision), seconds in times.items()
        ]
        rows.append([_size_name(side), *cells, *_paper(side)[:2]])
    return table([*heads, "OpenVINO int8", "paper: CPU", "paper: GPU"], rows)


def of_torch(form: str) -> str:
    """ONNX Runtime's time over PyTorch's at the four sizes."""
    name = "bench-iizuka2016-torch.json"
    ratios = (
        _network(name, side, "onnxruntime", "fp32") / _network(name, side, "torch", "fp32", form)
        for side in SIZES
    )
    return " / ".join(f"{ratio:.2f}" for ratio in ratios)


def h200_table() -> str:
    """004, Table 3 on a machine with a GPU."""
    rows = []
    for side in SIZES:
        cpu, gpu = (
            _network("bench-iizuka2016-h200.json", side, backend, "fp32")
            for backend in ("onnxruntime", "onnxruntime-cuda")
        )
        cells = [f"{cpu:.3f}", f"{gpu:.4f}", f"{cpu / gpu:.1f}x"]
        rows.append([_size_name(side), *cells, *_paper(side)])
    return table(
        ["image size", "CPU", "GPU", "speed-up", "paper: CPU", "paper: GPU", "speed-up"], rows
    )


GPU_ENGINES = {
    "torch fp32": "torch fp32",
    "onnxruntime fp32": "ONNX Runtime fp32",
    "torch tf32 channels-last": "torch TF32, channels last",
    "onnxruntime tf32 nhwc": "ONNX Runtime TF32, NHWC",
    "torch fp16 channels-last": "torch fp16, channels last",
    "torch fp16 channels-last, CUDA graph": "the same in a CUDA graph",
    "onnxruntime fp16": "ONNX Runtime fp16",
}


def gpu_table() -> str:
    """The local graph alone on the GPU: milliseconds, and the share of the matrix product."""
    measured = result("gpu-h200.json")["rows"]
    rows = []
    for engine, name in GPU_ENGINES.items():
        at_sizes = [_only(measured, engine=engine, size=side, batch=1) for side in SIZES]
        rows.append(
            [name, *(f"{1e3 * r['median']:#.3g} ({r['share_of_peak']:.0%})" for r in at_sizes)]
        )
    return table(["", *map(str, SIZES)], rows)


def gpu_peak(precision: str) -> str:
    """TFLOP/s of the matrix product in the same run."""
    return number(result("gpu-h200.json")["floor"][precision]["rate"] / 1e12)


def gpu_share(engine: str, side: int) -> float:
    """Of the matrix product's rate."""
    row = _only(result("gpu-h200.json")["rows"], engine=engine, size=side, batch=1)
    return float(row["share_of_peak"])


def gpu_ratio(engine: str, other: str) -> str:
    """How many times as fast one is as another, at the four sizes."""
    rows = result("gpu-h200.json")["rows"]
    ratios = (
        _only(rows, engine=other, size=side, batch=1)["median"]
        / _only(rows, engine=engine, size=side, batch=1)["median"]
        for side in SIZES
    )
    return _listed(f"{ratio:#.2g}" for ratio in ratios)


def tiles_table() -> str:
    """Tiled and whole, in turns."""
    rows: list[list[object]] = []
    for row in result("tiles.json")["rows"]:
        tiled, whole = row["tiled"], row.get("whole")
        size, tiles = f"{row['side']}x{row['side']}", row["tiles"]
        work = f"{row['work']:.2f}"
        peak = megabytes(max(tiled["peak"]))
        if tiles == 1:
            rows.append([size, "none needed", work, None, peak, None])
        elif whole:
            pairs = [a / b for a, b in zip(tiled["seconds"], whole["seconds"], strict=True)]
            took = median(tiled["seconds"]) / median(whole["seconds"])
            took = f"{took:.2f} ({len(pairs)} pairs, {min(pairs):.2f} to {max(pairs):.2f})"
            peaks = f"{peak} / {megabytes(max(whole['peak']))}"
            rows.append([size, tiles, work, took, peaks, f"{row['largest_difference']:g}"])
        else:
            own = megabytes(max(tiled["peak"]) - tiled["picture"][0])
            peak = f"{peak}, of it {own} beyond the picture itself"
            took = f"{median(tiled['seconds']):.0f} s"
            rows.append([size, tiles, work, took, peak, "not compared"])
    heads = ["size", "tiles", "pixels computed", "time, tiled / whole"]
    return table([*heads, "peak MB, tiled / whole", r"largest a\*b\* difference"], rows)


STARTS = {
    "nothing": "Python itself",
    "import trtcolor": "`import trtcolor`",
    "trtcolor --help": "`trtcolor --help`",
    "first picture, JPEG to JPEG": "a {0}x{1} JPEG coloured by `trtcolor colorize`",
    "first picture, in Python": "the same from Python",
}


def startup_table() -> str:
    measured = result("startup.json")
    rows = [
        [
            text.format(*measured["size"]),
            f"{median(_only(measured['rows'], name=name)['wall']):.3f}",
        ]
        for name, text in STARTS.items()
    ]
    return table(["cold start of", "seconds"], rows)


def startup_runs() -> int:
    return min(len(row["wall"]) for row in result("startup.json")["rows"])


def two_colorizers(backend: str) -> float:
    """Time of two at once over that of one after the other, medians of pairs, all threads each."""
    row = _only(result("two-colorizers.json")["rows"], backend=backend, threads=None)
    return median(a / b for a, b in zip(row["at_once"], row["after"], strict=True))


def end_to_end_ratios() -> str:
    """How many times as fast the Colorizer is as its graph, in words."""
    rows = [row for row in result("end-to-end.json")["rows"] if row["name"] == "graph"]
    ratios = (f"{row['share']:#.2g}".rstrip(".") for row in rows)
    return f"{_listed(ratios)} times at {_listed(str(row['side']) for row in rows)}"


def film_rate() -> float:
    """Frames a second, the median of the runs."""
    return median(run["frames_per_second"] for run in result("film-speed.json")["runs"])


def evaluation_rate() -> float:
    """Pictures a second that are coloured and measured."""
    measured = result("evaluation-speed.json")
    seconds = _only(measured["measurements"], name="evaluation")["median"]
    return float(measured["pictures"]["kept"] / seconds)


def loader_rate(kind: str, count: int) -> float:
    """Pictures a second."""
    row = _only(result("loader-miniplaces.json")["rows"], kind=kind, count=count)
    return float(row["pictures_per_second"])


KERNELS = {
    "merge f32 L -> rgb24 x2, clip": "merge L\\* + half-size a\\*b\\* -> rgb24, clip",
    "merge grey u8 -> rgb24 x2, clip": "the same from grey uint8",
    "merge reduce, pictures with chroma x1.3": "the same, reduce, chroma x1.3 ({})",
    "merge reduce, every pixel out": "the same, reduce, every pixel out",
    "merge f32 L -> rgb48 x2, clip": "-> rgb48",
    "chroma planes 420, 8 bit, coinciding": "chroma planes 4:2:0 for an 8-bit Y'",
    "RGB u8 -> Lab f32": "RGB uint8 -> Lab",
    "RGB f32 -> Lab f32": "RGB float -> Lab",
    "Lab f32 -> RGB u8": "Lab -> RGB uint8",
    "Lab f32 -> RGB f32": "Lab -> RGB float",
    "grey u8 -> lightness": "grey uint8 -> L\\*",
    "RGB u8 -> Luv f32": "RGB uint8 -> Luv",
}


def kernels_table(side: int = 1024) -> str:
    """Nanoseconds a pixel; the merge's first row is of its own, longer file."""
    rows = []
    for operation, name in KERNELS.items():
        merge = operation == "merge f32 L -> rgb24 x2, clip"
        file = "kernels-merge.json" if merge else "kernels-kodak.json"
        one, two, variants = (
            _only(result(file)["rows"], operation=operation, size=side, threads=threads)
            for file, threads in ((file, 1), (file, 2), ("kernels-variants.json", 1))
        )
        cells = [_nanoseconds(one, side, "trtcolor"), _nanoseconds(two, side, "trtcolor")]
        cells.append(_nanoseconds(variants, side, "trtcolor avx2"))
        others = ("opencv", "scikit-image", "kornia", "copy")
        cells += [_nanoseconds(one, side, other) for other in others]
        rows.append([name.format(one["remark"].replace("% of the pixels are", " %")), *cells])
    heads = ["Kodak pictures", "AVX-512, 1 thread", "2 threads", "AVX2"]
    return table([*heads, "OpenCV 5", "scikit-image", "kornia", "copy"], rows)


def _nanoseconds(row: dict[str, Any], side: int, name: str) -> str | None:
    """Of one candidate; None where the operation was not timed with it."""
    times = {entry["name"]: entry["median"] for entry in row["times"]}
    name = "fill" if name == "copy" and "fill" in times else name  # of what reads next to nothing
    if name not in times:
        return None
    value = 1e9 * times[name] / side**2
    return f"{value:.2f}" if value < 10 else f"{value:.0f}"


def _listed(words: Iterable[str]) -> str:
    *first, last = words
    return f"{', '.join(first)} and {last}"


_FUNCTIONS: Sequence[Callable[..., Any]] = (
    bench_table,
    end_to_end_ratios,
    evaluation_rate,
    film_rate,
    gpu_peak,
    gpu_ratio,
    gpu_share,
    gpu_table,
    h200_table,
    kernels_table,
    loader_rate,
    of_torch,
    startup_runs,
    startup_table,
    tiles_table,
    two_colorizers,
)
TABLES = {function.__name__: function for function in _FUNCTIONS}
