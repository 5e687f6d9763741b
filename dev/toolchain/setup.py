"""``python3 -m dev.toolchain.setup [deploy|up|test]``: install what is missing; does nothing if nothing is missing.

``setup.sh`` chooses the interpreter. Only the standard library is there when this runs for the first time.
"""

from __future__ import annotations

import sys

from .packages import LOCKS
from .steps import set_up


def main(arguments: list[str] | None = None) -> int:
    wanted = (sys.argv[1:] if arguments is None else arguments) or ["test"]
    if len(wanted) != 1 or wanted[0] not in LOCKS:
        print(f"setup: expected one of {', '.join(LOCKS)}", file=sys.stderr)
        return 2
    return set_up(wanted[0])


if __name__ == "__main__":
    sys.exit(main())
