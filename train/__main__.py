"""``python -m trtcolor_train CONFIG.toml``: the same as ``trtcolor train``."""

from trtcolor_train.cli import train

if __name__ == "__main__":
    train(prog_name="python -m trtcolor_train")
