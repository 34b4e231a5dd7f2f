"""``python -m trtcolor``."""

from trtcolor.cli import main

if __name__ == "__main__":
    main()
