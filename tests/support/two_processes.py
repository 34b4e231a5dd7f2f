"""What test_parallel.py runs in each of two processes: torchrun ... two_processes.py DATA FOLDER.

Trains by every FOLDER/*.toml into a run folder of the same name, and puts the halves of a batch
through batch norm; writes what each process saw into FOLDER.
"""

from __future__ import annotations

import sys
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import nn

from trtcolor.errors import TrtcolorError
from trtcolor_train import loop
from trtcolor_train.config import read_config
from trtcolor_train.parallel import Processes, joined

SHAPES = {"places": (6, 3, 4, 5), "vectors": (6, 3)}


def batch(kind: str) -> tuple[torch.Tensor, torch.Tensor]:
    """A batch and the gradient of some loss behind the norm, the same in every process."""
    generator = torch.Generator().manual_seed(len(kind))
    return (
        torch.randn(SHAPES[kind], generator=generator) * 3 + 50,
        torch.randn(SHAPES[kind], generator=generator),
    )


def batch_norm(kind: str) -> nn.Module:
    """With a scale and a shift that are not those of a fresh one."""
    norm = nn.BatchNorm2d(3) if kind == "places" else nn.BatchNorm1d(3)
    with torch.no_grad():
        norm.weight.copy_(torch.tensor([0.5, 1.0, -2.0]))
        norm.bias.copy_(torch.tensor([0.0, 3.0, 1.0]))
    return norm


def normalised(processes: Processes, kind: str) -> dict[str, torch.Tensor]:
    """This process's half through synchronised batch norm, forward and backward."""
    x, gradient = (part.chunk(processes.world)[processes.rank].clone() for part in batch(kind))
    x.requires_grad_()
    norm = nn.Sequential(batch_norm(kind))
    shared = processes.share(norm)
    y = shared(x)
    (y * gradient).sum().backward()
    assert x.grad is not None
    found = {"y": y.detach(), "x.grad": x.grad}
    found |= {f"{name}.grad": p.grad for name, p in norm.named_parameters() if p.grad is not None}
    norm.eval()
    return found | norm.state_dict() | {"evaluated": norm(x).detach()}


def main(data: Path, folder: Path) -> None:
    with joined() as processes:
        rank = processes.rank
        found = {kind: normalised(processes, kind) for kind in SHAPES}
        torch.save(found, folder / f"norm-{rank}.pt")
        loop.joined = lambda: nullcontext(processes)  # type: ignore[assignment]  # once is enough
        for config in sorted(folder.glob("*.toml")):
            try:
                loop.train(read_config(config), folder / f"two-{config.stem}", data_root=data)
            except TrtcolorError as error:
                (folder / f"{config.stem}-{rank}.txt").write_text(str(error))


if __name__ == "__main__":
    torch.set_num_threads(1)
    main(Path(sys.argv[1]), Path(sys.argv[2]))
