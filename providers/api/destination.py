"""Where requests really go: to the host of their address, or all of them to one port of this machine.

With ``SECTIGO_DYNATRACE_CONNECT_TO=127.0.0.1:PORT`` a stack whose config names a real environment is deployed to a
local one, for previews without production's secrets. Each request keeps its host in the Host header.
"""

from __future__ import annotations

import os
import re
import sys
from functools import lru_cache
from urllib.parse import urlsplit, urlunsplit

from .errors import Refused

VARIABLE = "SECTIGO_DYNATRACE_CONNECT_TO"
ADDRESS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):(\d{1,5})")


def override() -> str:
    """The address that replaces all hosts, or "". Raises Refused for anything but this machine's loopback: a
    mistyped variable must not send a token to somebody else in plaintext."""
    text = os.environ.get(VARIABLE, "").strip()
    if text and not ADDRESS.fullmatch(text):
        raise Refused(f"{VARIABLE} must be a loopback address like 127.0.0.1:8787; unset it to reach Dynatrace")
    return text


def announced() -> str:
    """The override, announced to the user: nothing that is shown then is about the real environment."""
    address = override()
    if address:
        announce(address)
    return address


@lru_cache
def announce(address: str) -> None:
    """Once per process."""
    text = f"warning: {VARIABLE} is set: every request goes to {address}, none to Dynatrace or Sectigo"
    print(text, file=sys.stderr, flush=True)


def redirected(url: str, address: str) -> tuple[str, dict[str, str]]:
    """The URL to ask and the headers that go with it; unchanged without an address."""
    if not address:
        return url, {}
    parts = urlsplit(url)
    return urlunsplit(("http", address, parts.path, parts.query, "")), {"Host": parts.netloc}
