"""Where the providers' campaign keeps its temporary folders: in memory, where the machine has room for them.

Not for what Deno reads by itself: it refuses files below /dev without all permissions.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

MEMORY, ROOM_GB = Path("/dev/shm"), 2


def in_memory() -> Path | None:
    """A folder in memory, unless TMPDIR names a place. On a disk the engine mostly waits for its fsyncs."""
    if "TMPDIR" in os.environ or not (MEMORY.is_dir() and os.access(MEMORY, os.W_OK)):
        return None
    return MEMORY if shutil.disk_usage(MEMORY).free >= ROOM_GB * 1e9 else None
