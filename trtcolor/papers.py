"""What the papers print: their tables' figures, as texts, with the place of each.

A cell is quoted as it stands there; "-" is the paper's own dash. Nothing here was measured by us.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Printed:
    """A table as a paper prints it.

    Attributes:
        source: paper, table and section.
        title: what the paper says of it.
        columns: its headings.
        rows: cells by the name of the row, as printed.
        remarks: how we read it.
    """

    source: str
    title: str
    columns: tuple[str, ...]
    rows: dict[str, tuple[str, ...]]
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Protocol:
    """How a paper's pictures are prepared; for `trtcolor.evaluation.result.Settings`."""

    size: int | None = None
    only_class: str | None = None


PROTOCOLS = {
    "001": Protocol(size=224, only_class="opencountry"),  # 001, section 4
    "003": Protocol(size=64),  # 003, section 4.3
    "004": Protocol(),
}

HWANG_TABLE_2 = Printed(
    source="001 (Hwang and Zhou), Table 2, section 5.3, metrics of section 5.1",
    title="Performances on the MIT CVCL Open Country test set (50 pictures, Table 1)",
    columns=("Acc. (U)", "Acc. (V)", "Sat. diff."),
    rows={
        "Classification": ("34.64%", "24.14%", "6.5%"),
        "Regression": ("12.92%", "19.02%", "85.8%"),
    },
    remarks=(
        "The paper's text beside the table prints the accuracies as 0.3464%, 0.2414%, 0.1292% and "
        "0.1902%; these are shares, and we read 34.64 % and so on, as in the table.",
    ),
)

OLAH_COLUMNS = ("L2", "L1", "Cross Entropy", "Accuracy")
OLAH_SAME = Printed(
    source="003 (Olah and Yang), Table 1, upper half",
    title="Evaluated on the data set that the model was trained on",
    columns=OLAH_COLUMNS * 2,
    rows={
        "Baseline Regression": ("0.013", "0.076", "-", "-", "0.011", "0.067", "-", "-"),
        "CNN": ("0.016", "0.081", "3.239", "0.280", "0.011", "0.066", "2.917", "0.333"),
        "CNN with Weights": (
            *("0.018", "0.089", "12.019", "0.237"),
            *("0.011", "0.067", "14.414", "0.328"),
        ),
        "Unet": ("0.015", "0.080", "3.647", "0.252", "0.013", "0.075", "2.949", "0.318"),
        "Unet with Weights": (
            *("0.015", "0.080", "17.019", "0.277"),
            *("0.014", "0.075", "9.086", "0.301"),
        ),
    },
)
OLAH_CROSS = Printed(
    source="003 (Olah and Yang), Table 1, lower half",
    title="Robustness: evaluated on the other data set",
    columns=OLAH_COLUMNS * 2,
    rows={
        "Baseline Regression": ("0.011", "0.074", "-", "-", "0.011", "0.074", "-", "-"),
        "CNN": ("0.013", "0.072", "3.195", "0.299", "0.017", "0.085", "3.669", "0.281"),
        "CNN with Weights": (
            *("0.020", "0.096", "8.892", "0.219"),
            *("0.017", "0.085", "25.243", "0.281"),
        ),
        "Unet": ("0.013", "0.076", "3.559", "0.249", "0.017", "0.085", "3.415", "0.280"),
        "Unet with Weights": (
            *("0.013", "0.076", "12.681", "0.253"),
            *("0.017", "0.085", "15.383", "0.277"),
        ),
    },
)

IIZUKA_TABLE_2 = Printed(
    source="004 (Iizuka, Simo-Serra, Ishikawa), Table 2, section 4.7",
    title="Classification on the Places validation split converted to greyscale, 205 scenes",
    columns=("Top-1 Acc.", "Top-5 Acc."),
    rows={
        "Iizuka et al. (there: Ours)": ("50.6%", "80.6%"),
        "VGG16 [Wang et al. 2015a]": ("52.8%", "82.3%"),
        "CNDS [Wang et al. 2015b]": ("45.0%", "75.6%"),
        "AlexNet [Zhou et al. 2014]": ("37.4%", "68.5%"),
    },
)
IIZUKA_FIGURE_5 = Printed(
    source="004 (Iizuka, Simo-Serra, Ishikawa), Figure 5, section 4.3",
    title='User study: share of pictures that 10 users called "natural"',
    columns=("Naturalness (median)",),
    rows={"Ground Truth": ("97.7%",), "Proposed": ("92.6%",), "Baseline": ("69.8%",)},
    remarks=('The text says "roughly 70%" of the baseline.',),
)

IIZUKA_TABLE_3 = Printed(
    source="004 (Iizuka, Simo-Serra, Ishikawa), Table 3, section 4.9",
    title="Mean of 100 run times: Intel Core i7-5960X (8 cores), NVIDIA GeForce GTX TITAN X",
    columns=("Pixels", "CPU (s)", "GPU (s)", "Speedup"),
    rows={
        "224x224": ("50,176", "0.399", "0.080", "5.0x"),
        "512x512": ("262,144", "1.676", "0.339", "4.9x"),
        "1024x1024": ("1,048,576", "5.629", "1.084", "5.2x"),
        "2048x2048": ("4,194,304", "20.116", "4.218", "4.8x"),
    },
    remarks=("\u2020 low-level features are computed once for both networks, as in training.",),
)
