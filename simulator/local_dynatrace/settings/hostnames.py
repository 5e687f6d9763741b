"""Entries of the allowlist: which are valid (facts: dynatrace-api 4, OB) and which hosts one covers."""

from __future__ import annotations

import ipaddress
import re
from typing import Literal

LABEL = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
MAX_LENGTH = 255


def problem(entry: str) -> str | None:
    """Why the server's ``allowed-hostname`` validator refuses an entry; None if it takes it. Texts UNVERIFIED."""
    if not 1 <= len(entry) <= MAX_LENGTH:
        return f"Length must be between 1 and {MAX_LENGTH}"
    if is_address(entry):
        return None
    labels = entry.split(".")
    if "*" in entry:
        if labels[0] != "*" or "*" in entry[1:]:
            return "A wildcard is allowed only as the whole first segment"
        if len(labels) < 3:
            return "A wildcard needs at least three segments"
        labels = labels[1:]
    if not all(LABEL.fullmatch(label) for label in labels):
        return "Must be a domain name or an IP address, without scheme, port and path"
    return None


def is_address(entry: str) -> bool:
    try:
        ipaddress.ip_address(entry)
    except ValueError:
        return False
    return True


def covers(entry: str, host: str, depth: Literal["one", "any"]) -> bool:
    """Whether an entry lets a host pass. A wildcard never covers its own apex [D]; case is ignored, UNVERIFIED."""
    entry, host = entry.casefold(), host.casefold()
    if not entry.startswith("*."):
        return entry == host
    front, dot, rest = host.partition(".")
    if depth == "one":
        return bool(front and dot) and rest == entry[2:]
    return host.endswith(entry[1:]) and len(host) > len(entry[1:])
