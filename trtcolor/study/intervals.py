"""Intervals of a share and of a median over users."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

LEVEL = 0.95
Z = 1.959963984540054
"""Of the normal distribution, at `LEVEL` two-sided."""

SEED = 0
RESAMPLES = 10_000


def wilson(yes: int, total: int) -> tuple[float, float]:
    """The interval of a share at 95 %.

    Args:
        yes, total: how many of how many.

    Returns:
        Ends in 0..1, around ``yes / total``.

    Raises:
        ValueError: there are none, or more than all.

    Source: E. B. Wilson, Probable inference, the law of succession, and statistical inference,
    Journal of the American Statistical Association 22, 1927; recommended for small numbers by
    Brown, Cai and DasGupta, Interval estimation for a binomial proportion, Statistical Science 16,
    2001.
    """
    if not 0 <= yes <= total or total == 0:
        raise ValueError(f"{yes} of {total} came; a share of at least one was needed")
    share, spread = yes / total, Z * Z / total
    middle = share + spread / 2
    reach = Z * math.sqrt(share * (1 - share) / total + spread / (4 * total))
    low, high = (middle - reach) / (1 + spread), (middle + reach) / (1 + spread)
    return max(0.0, min(low, share)), min(1.0, max(high, share))


def bootstrap_median(values: Sequence[float]) -> tuple[float, float]:
    """The interval of the median over users at 95 %, the same for the same values.

    Users are drawn with replacement, as many as there are, 10,000 times by a fixed seed; the ends
    are the 2.5th and 97.5th percentiles of the medians. Of few users it is too narrow: the median
    of a draw can be little else than one of their values.

    Args:
        values: one a user, at least two.

    Raises:
        ValueError: fewer than two.

    Source: B. Efron and R. J. Tibshirani, An Introduction to the Bootstrap, 1993, chapter 13 (the
    percentile interval).
    """
    if len(values) < 2:
        raise ValueError(f"{len(values)} values came; at least two were needed")
    drawn = np.random.default_rng(SEED).integers(0, len(values), (RESAMPLES, len(values)))
    medians = np.median(np.sort(np.asarray(values, np.float64))[drawn], axis=1)
    ends = np.quantile(medians, [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(ends[0]), float(ends[1])
