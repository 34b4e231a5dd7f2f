"""``python -m trtcolor_train CONFIG.toml``: the same as ``trtcolor train``."""

import sys

from trtcolor.cli import main

if __name__ == "__main__":
    main(["train", *sys.argv[1:]], prog_name="trtcolor")
