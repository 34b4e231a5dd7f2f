"""``python -m trtcolor.cli``."""

from trtcolor.cli import main

if __name__ == "__main__":
    main()
