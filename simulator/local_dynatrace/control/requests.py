"""The request log, filtered; without bodies, headers and secrets."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..kernel.clock import iso
from ..kernel.routing import OWN_APIS, RouteTable
from ..kernel.world import LoggedRequest, World
from . import hints
from .checks import number, refused

FILTERS = ("api", "method", "path", "caller", "status", "since", "before", "limit", "all")


@dataclass(frozen=True)
class Filter:
    """Which lines; ``path`` is a shell pattern, ``since`` the number of the last line already seen, ``before`` that of
    the first one that is too new."""

    api: str = ""
    method: str = ""
    path: str = "*"
    caller: str = ""
    status: tuple[int, int] | None = None
    """The lowest and the highest."""
    since: int = 0
    before: int | None = None
    limit: int = 1000
    everything: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filter:
        """From query parameters. Raises a 400 that names what is wrong."""
        if unknown := sorted(set(query) - set(FILTERS)):
            raise refused(400, f"Unknown filter: {', '.join(unknown)}. Known: {', '.join(FILTERS)}.")
        if query.get("caller", "") not in ("", "script", "outside"):
            raise refused(400, "caller: expected script or outside.")
        before = query.get("before")
        return cls(
            api=query.get("api", ""),
            method=query.get("method", "").upper(),
            path=query.get("path") or "*",
            caller=query.get("caller", ""),
            status=statuses(query.get("status", "")),
            since=int(number(query.get("since"), "since", default=0)),
            before=int(number(before, "before")) if before else None,
            limit=int(number(query.get("limit"), "limit", least=1, default=1000)),
            everything=query.get("all", "").lower() in ("1", "true", "yes"),
        )

    def lets(self, line: LoggedRequest) -> bool:
        # Readers of the log, by page or API, would mostly see their own requests.
        if line.api in OWN_APIS and not self.everything and line.api != self.api:
            return False
        if self.caller and (self.caller == "script") != (line.execution is not None):
            return False
        return (
            line.number > self.since
            and (self.before is None or line.number < self.before)
            and self.api in ("", line.api)
            and self.method in ("", line.method)
            and (self.status is None or self.status[0] <= line.status <= self.status[1])
            and fnmatch.fnmatchcase(line.path, self.path)
        )


def statuses(text: str) -> tuple[int, int] | None:
    """Of ``404``, or of a class such as ``4xx``. Raises a 400."""
    if not text:
        return None
    if re.fullmatch(r"[1-5]xx", text.lower()):
        return int(text[0]) * 100, int(text[0]) * 100 + 99
    status = int(number(text, "status"))
    return status, status


def lines(world: World, wanted: Filter) -> list[LoggedRequest]:
    """The newest ``limit`` lines that match, oldest first."""
    found = [line for line in world.requests if wanted.lets(line)]
    return found[-wanted.limit :]


def shown(line: LoggedRequest, table: RouteTable) -> dict[str, Any]:
    return {
        "number": line.number,
        "at": iso(line.at_us),
        "api": line.api,
        "method": line.method,
        "path": line.path,
        "query": line.query,
        "status": line.status,
        "milliseconds": round(line.milliseconds, 1),
        "caller": line.caller,
        "execution": line.execution,
        "fault": line.fault,
        "hint": hints.of(line, table),
    }
