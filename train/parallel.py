"""Data parallel training: one process a GPU (or, for want of one, a share of the cores).

Started by ``torchrun``, every process takes its slice of each batch; gradients, losses and the
statistics of batch norm are those of the whole batch, so that the curve is the one of a single
process with the same total batch, to rounding.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.nn.parallel import DistributedDataParallel

from trtcolor.errors import TrainingError

T = TypeVar("T")

# The first process validates and saves while the others wait for its next step.
PATIENCE = timedelta(hours=2)


@dataclass(frozen=True)
class Processes:
    """This process among those of a training.

    Attributes:
        rank: its number, from 0; the first one logs, validates and saves.
        world: how many there are.
        device: where it computes.
    """

    rank: int
    world: int
    device: torch.device

    @property
    def first(self) -> bool:
        return self.rank == 0

    def mean(self, values: Tensor) -> Tensor:
        """The mean over all processes of a detached tensor of the same shape in each."""
        if self.world == 1:
            return values
        return _all_reduced(values) / self.world

    def gathered(self, value: T) -> list[T]:
        """What each process has in the place of a value, in the order of their ranks."""
        if self.world == 1:
            return [value]
        values: list[Any] = [None] * self.world
        distributed.all_gather_object(values, value)
        return values

    def first_ones(self, value: int) -> int:
        """What the first process has in the place of a number."""
        if self.world == 1:
            return value
        own = torch.tensor(value if self.first else 0, device=self.device)
        return int(_all_reduced(own))

    def share(self, network: nn.Module) -> nn.Module:
        """The network to train: with batch norm over all processes and gradients averaged.

        Args:
            network: changed in place; every weight of it takes part in the loss.
        """
        if self.world == 1:
            return network
        if self.device.type == "cuda":
            synchronised = nn.SyncBatchNorm.convert_sync_batchnorm(network)  # type: ignore[no-untyped-call]
        else:
            synchronised = _synchronise_batch_norm(network)
        return DistributedDataParallel(
            synchronised,
            device_ids=[self.device] if self.device.type == "cuda" else None,
            forward_sync_buffers=False,  # the statistics are the same everywhere already
        )


def own_rank() -> int:
    """The number of this process among those that ``torchrun`` started; 0 without it."""
    return int(os.environ.get("RANK", "0"))


@contextmanager
def joined() -> Iterator[Processes]:
    """Join the processes that ``torchrun`` started; alone without it.

    Raises:
        TrainingError: there are fewer GPUs than processes, the others could not be reached, or one
            of them has stopped.
    """
    rank, world = own_rank(), int(os.environ.get("WORLD_SIZE", "1"))
    gpu = _own_gpu()
    processes = Processes(rank, world, gpu or torch.device("cpu"))
    if world == 1:
        yield processes
        return
    try:
        distributed.init_process_group("nccl" if gpu else "gloo", timeout=PATIENCE, device_id=gpu)
    except (RuntimeError, ValueError) as error:
        raise TrainingError(
            f"process {rank} of {world} could not reach the others ({error}); all processes of one "
            "torchrun were needed; check the network and start them together"
        ) from None
    try:
        yield processes
    except RuntimeError as error:
        if not (isinstance(error, distributed.DistError) or "gloo" in str(error)):
            raise
        reason = str(error).partition(". ")[0]
        raise TrainingError(
            f"process {rank} of {world} has lost another one ({reason}); all of them were needed; "
            "see what that one said and go on with --resume"
        ) from None
    finally:
        distributed.destroy_process_group()


def _own_gpu() -> torch.device | None:
    """The GPU of this process alone, made its current one; None where there is none at all."""
    if not torch.cuda.is_available():
        return None
    here, gpus = int(os.environ.get("LOCAL_WORLD_SIZE", "1")), torch.cuda.device_count()
    if here > gpus:
        raise TrainingError(
            f"{here} processes came on a machine with {gpus} GPU{'s' * (gpus > 1)}; one GPU for "
            "each was needed; start no more processes than that with --nproc-per-node"
        )
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))
    torch.cuda.set_device(device)
    return device


class SynchronisedBatchNorm(_BatchNorm):
    """Batch norm over the pictures of all processes, for the CPU, where torch has none.

    Its state is that of torch's own BatchNorm1d and BatchNorm2d.
    """

    def _check_input_dim(self, input: Tensor) -> None:
        pass  # any (N, C, ...) is summed alike

    def forward(self, input: Tensor) -> Tensor:
        if not self.training:
            return super().forward(input)
        x = input.float()
        axes = [axis for axis in range(x.ndim) if axis != 1]
        shape = [1, -1, *[1] * (x.ndim - 2)]
        world = distributed.get_world_size()
        count = x.numel() // x.shape[1] * world
        mean = _summed(x.mean(dim=axes)) / world
        centred = x - mean.reshape(shape)
        variance = _summed(centred.square().mean(dim=axes)) / world
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            assert self.num_batches_tracked is not None
            assert self.momentum is not None
            self.num_batches_tracked += 1
            self.running_mean.lerp_(mean.detach(), self.momentum)
            unbiased = variance.detach() * (count / max(count - 1, 1))
            self.running_var.lerp_(unbiased, self.momentum)
        factor = self.weight * torch.rsqrt(variance + self.eps)
        y: Tensor = centred * factor.reshape(shape) + self.bias.reshape(shape)
        return y.to(input.dtype)


class _Sum(torch.autograd.Function):
    """The sum over all processes; every process's loss depends on it, so gradients are summed."""

    @staticmethod
    def forward(context: Any, values: Tensor) -> Tensor:
        return _all_reduced(values)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        return _all_reduced(gradient)


def _summed(values: Tensor) -> Tensor:
    total: Tensor = _Sum.apply(values)  # type: ignore[no-untyped-call]
    return total


def _all_reduced(values: Tensor) -> Tensor:
    total = values.clone(memory_format=torch.contiguous_format)
    distributed.all_reduce(total)
    return total


def _synchronise_batch_norm(network: nn.Module) -> nn.Module:
    """Replace every batch norm in place by a synchronised one over the same tensors."""
    for module in network.modules():
        for name, child in list(module.named_children()):
            if isinstance(child, _BatchNorm):
                norm = SynchronisedBatchNorm(child.num_features, child.eps, child.momentum)
                norm.weight, norm.bias = child.weight, child.bias
                for buffer, values in child.named_buffers():
                    setattr(norm, buffer, values)
                setattr(module, name, norm)
    return network
