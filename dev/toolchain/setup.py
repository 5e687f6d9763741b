"""``python3 -m dev.toolchain.setup``: make this machine able to run the project; does nothing when nothing is to do.

Whatever ``python3`` the machine has reads this file first, so it keeps to what old versions understand; the steps
themselves are in ``steps``.
"""

import os
import shutil
import sys

MINIMUM = (3, 11)
NEWEST_TRIED = 19


def newer_python() -> "str | None":
    """The path of an interpreter that is new enough, the newest first, for machines whose ``python3`` is not."""
    for minor in range(NEWEST_TRIED, MINIMUM[1] - 1, -1):
        path = shutil.which(f"python3.{minor}")
        if path:
            return path
    return None


def main() -> int:
    if sys.version_info[:2] >= MINIMUM:
        from dev.toolchain.steps import set_up

        return set_up()
    path = newer_python()
    if path:
        os.execv(path, [path, "-m", "dev.toolchain.setup"])
    print(f"set-up: Python 3.11 or newer is needed; python3 is {sys.version.split()[0]}", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
