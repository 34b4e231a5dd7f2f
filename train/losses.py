"""The joint loss: colour + alpha x classification (004, Eq. 6)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from trtcolor_train.config import Loss

# The networks speak a*b* in real units; the papers' losses are stated on (v + 110) / 220.
CHROMA_RANGE = 220.0


class LossTerms(NamedTuple):
    """The two terms and what is minimised, each a scalar; ``classification`` before alpha."""

    total: Tensor
    color: Tensor
    classification: Tensor | None


def color_loss(chroma: Tensor, target: Tensor, settings: Loss) -> Tensor:
    """Distance of predicted from true a*b*.

    Args:
        chroma: (N, 2, h, w), a*b* in real units.
        target: the same shape: the true a*b*, area-averaged to the output grid (004, 3.2.5).
        settings: which distance and which reduction.
    """
    predicted, true = chroma / CHROMA_RANGE, target / CHROMA_RANGE
    if settings.color == "mse":
        return F.mse_loss(predicted, true, reduction=settings.reduction)
    return F.smooth_l1_loss(predicted, true, beta=settings.beta, reduction=settings.reduction)


def joint_loss(
    chroma: Tensor,
    target: Tensor,
    class_logits: Tensor | None,
    labels: Tensor | None,
    settings: Loss,
) -> LossTerms:
    """Colour loss + alpha x cross entropy.

    Args:
        chroma, target: as for `color_loss`.
        class_logits: (N, C), or None without a classifier.
        labels: (N,) int64, or None without labels.
        settings: alpha and reduction; with alpha 0 or without logits only the colours count.
    """
    color = color_loss(chroma, target, settings)
    if class_logits is None or labels is None or settings.alpha == 0:
        return LossTerms(color, color, None)
    classification = F.cross_entropy(class_logits.float(), labels, reduction=settings.reduction)
    return LossTerms(color + settings.alpha * classification, color, classification)
