"""``python -m jc3d`` is the ``jc3d`` command (``torchrun -m jc3d train ...`` needs a module)."""

import sys

from jc3d.cli import main

if __name__ == "__main__":  # spawned data workers import this module too
    sys.exit(main())
