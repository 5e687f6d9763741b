"""What the sync script says when it stops, fails or warns: the fixed words of each message, found by Deno's parser."""

from __future__ import annotations

import json
import re
import subprocess
import tempfile
from pathlib import Path

from dev.toolchain.packages import DENO

COLLECTOR = Path(__file__).with_name("script_messages.js")


def messages(*sources: str) -> list[str]:
    """Texts with ``…`` for what differs; those without any words of their own are left out."""
    with tempfile.TemporaryDirectory() as folder:
        given, found = Path(folder, "sources.json"), Path(folder, "messages.json")
        given.write_text(json.dumps(sources), encoding="utf-8")
        command = [DENO, "test", "--quiet", "--no-config", "--no-check", "--allow-read", "--allow-write", COLLECTOR]
        finished = subprocess.run(
            [*command, "--", given, found], cwd=folder, capture_output=True, text=True, check=False
        )
        assert finished.returncode == 0, finished.stdout + finished.stderr
        texts: list[str] = json.loads(found.read_text(encoding="utf-8"))
    return [text for text in texts if re.search(r"[A-Za-z]{4}", text)]
