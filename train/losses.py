"""The losses: distances of the regressions, and colour + alpha x classification (004, Eq. 6)."""

from __future__ import annotations

from typing import NamedTuple

from torch import Tensor
from torch.nn import functional as F

from trtcolor_train.config import Loss


class LossTerms(NamedTuple):
    """The two terms and what is minimised, each a scalar; ``classification`` before alpha."""

    total: Tensor
    color: Tensor
    classification: Tensor | None


def distance(predicted: Tensor, true: Tensor, settings: Loss) -> Tensor:
    """Distance of predicted from true colour coordinates, a scalar.

    Of a difference u, ``mse`` is u^2, ``smooth_l1`` u^2 / (2 beta) up to beta and u - beta / 2
    above, ``huber`` u^2 up to M = beta and M (2 u - M) above (001, 3.5).

    Args:
        predicted, true: (N, K, h, w), in the coding's unit.
        settings: which distance and which reduction.
    """
    if settings.color == "mse":
        return F.mse_loss(predicted, true, reduction=settings.reduction)
    if settings.color == "smooth_l1":
        return F.smooth_l1_loss(predicted, true, beta=settings.beta, reduction=settings.reduction)
    return 2.0 * F.huber_loss(predicted, true, delta=settings.beta, reduction=settings.reduction)


def joint_loss(
    color: Tensor, class_logits: Tensor | None, labels: Tensor | None, settings: Loss
) -> LossTerms:
    """Colour loss + alpha x cross entropy.

    Args:
        color: the colour loss, from `trtcolor_train.coding.Coding.loss`.
        class_logits: (N, C), or None without a classifier.
        labels: (N,) int64, or None without labels.
        settings: alpha and reduction; with alpha 0 or without logits only the colours count.
    """
    if class_logits is None or labels is None or settings.alpha == 0:
        return LossTerms(color, color, None)
    classification = F.cross_entropy(class_logits.float(), labels, reduction=settings.reduction)
    return LossTerms(color + settings.alpha * classification, color, classification)
