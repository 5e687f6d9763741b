"""One record on its way in: time, severity and content are taken from their keys, the rest are attributes.

Keys of the three are found by their place in a list, in any case; the key that is taken is used up, the others of its
list stay attributes (facts: dynatrace-api 7; dynatrace-runtime 9). What is changed on the way is told in
``dt.ingest.warnings`` (words of the vendor's semantic dictionary).
"""

from __future__ import annotations

from typing import Any, NamedTuple

from . import severity, structure, timestamps
from .table import LogRow

CONTENT_KEYS = ("content", "message", "payload", "body", "log", "_raw")
MAX_CONTENT = 10 * 1024 * 1024
MAX_KEY = 100
MAX_VALUE = 32 * 1024
MAX_ATTRIBUTES = 500
"""Sizes in bytes of UTF-8 (LL)."""
MAX_AGE_US = 24 * 3600 * 1_000_000
MAX_AHEAD_US = 10 * 60 * 1_000_000

ATTRIBUTE, TIME, LEVEL, CONTENT = range(4)


class Role(NamedTuple):
    kind: int
    rank: int
    """Place in the list of its kind; the smallest is taken."""
    key: str
    """The key as it is stored."""
    trimmed: bool = False


SPECIAL = {
    key.lower(): (kind, rank)
    for kind, keys in ((TIME, timestamps.KEYS), (LEVEL, severity.KEYS), (CONTENT, CONTENT_KEYS))
    for rank, key in enumerate(keys)
}


class Roles(dict[str, Role]):
    """Role by key; a batch has few different keys, each is looked at once."""

    def __missing__(self, key: str) -> Role:
        special = SPECIAL.get(key.lower())
        if special:
            role = Role(*special, key)
        else:
            short = trim(key, MAX_KEY)
            role = Role(ATTRIBUTE, 0, short, trimmed=short is not key)
        self[key] = role
        return role


class Reader:
    """Reads the records of one batch."""

    def __init__(self, now_us: int, visible_us: int, added: dict[str, Any], origin: str | None, form: str) -> None:
        self.now_us, self.visible_us = now_us, visible_us
        self.added = added
        """Attributes of the request that every record gets where it has none of that name (which wins: UNVERIFIED)."""
        self.origin = origin
        self.flattened = form == "flattened"
        self.too_nested = False
        """Whether the record read last had attributes that were removed for that."""
        self.roles = Roles()

    def read(self, record: dict[str, Any]) -> LogRow | None:
        """The row to store; None for a record that is too old. Raises ValueError for one that cannot be stored."""
        whole = record
        if self.added:
            record = {**self.added, **record}
        if self.flattened:
            record, self.too_nested = structure.flatten(record)
        attributes: dict[str, Any] = {}
        warnings: list[str] = []
        taken: list[Role | None] = [None, None, None, None]
        for key, value in record.items():
            role = self.roles[key]
            if role.kind == ATTRIBUTE:
                self.add(attributes, role, value, warnings)
                continue
            best = taken[role.kind]
            if best is None or role.rank < best.rank:
                taken[role.kind], loser = role, best
            else:
                loser = role
            if loser:
                self.add(attributes, loser, record[loser.key], warnings)
        timestamp_us = self.time(record, taken[TIME], attributes, warnings)
        if timestamp_us < self.now_us - MAX_AGE_US:
            return None
        told = taken[LEVEL]
        level = severity.loglevel(record[told.key]) if told else "NONE"
        content = self.content(record, taken[CONTENT], whole, warnings)
        self.finish(attributes, warnings)
        source = attributes.get("log.source")
        return LogRow(
            timestamp_us,
            self.now_us,
            self.visible_us,
            source if isinstance(source, str) else None,
            level,
            severity.STATUS[level],
            content,
            structure.compact(attributes),
        )

    def add(self, attributes: dict[str, Any], role: Role, value: Any, warnings: list[str]) -> None:
        if value is None or (role.kind == LEVEL and role.key.lower() in severity.COMPUTED):
            return
        if role.trimmed:
            warnings.append("attr_key_trimmed")
        if isinstance(value, dict | list):
            value = structure.simple(value)
        if isinstance(value, str):
            value = self.short(value, warnings)
        elif isinstance(value, list):
            if len(value) > structure.MAX_VALUES:
                warnings.append("attr_val_count_trimmed")
                del value[structure.MAX_VALUES :]
            value = [self.short(item, warnings) if isinstance(item, str) else item for item in value]
        attributes[role.key] = value

    def short(self, value: str, warnings: list[str]) -> str:
        if len(value) * 4 <= MAX_VALUE:  # the quick way: it cannot be too long
            return value
        cut = trim(value, MAX_VALUE)
        if cut is not value:
            warnings.append("attr_val_size_trimmed")
        return cut

    def time(self, record: dict[str, Any], role: Role | None, attributes: dict[str, Any], warnings: list[str]) -> int:
        if role is None or record[role.key] is None:
            return self.now_us
        value = record[role.key]
        found = timestamps.parse_us(value, self.now_us)
        if found is None:
            text = value if isinstance(value, str) else structure.compact(value)
            attributes["unparsed_timestamp"] = self.short(text, warnings)
            return self.now_us
        if found > self.now_us + MAX_AHEAD_US:
            warnings.append("timestamp_corrected")
            return self.now_us
        return found

    def content(self, record: dict[str, Any], role: Role | None, whole: dict[str, Any], warnings: list[str]) -> str:
        """Missing: empty in the raw model, the whole record as JSON in the flattened one."""
        value = record[role.key] if role else None
        if isinstance(value, str):
            text = value
        elif self.flattened and (value is None or isinstance(value, dict | list)):
            text = structure.compact(whole)
        else:
            text = "" if value is None else structure.compact(value)
        cut = text if len(text) * 4 <= MAX_CONTENT else trim(text, MAX_CONTENT)
        if cut is not text:
            warnings.append("content_trimmed")
        return cut

    def finish(self, attributes: dict[str, Any], warnings: list[str]) -> None:
        if self.origin:
            attributes["dt.auth.origin"] = self.origin
        if len(attributes) > MAX_ATTRIBUTES:
            warnings.append("attr_count_trimmed")
            for key in list(attributes)[MAX_ATTRIBUTES:]:
                if key != "dt.auth.origin":
                    del attributes[key]
        if warnings:
            attributes["dt.ingest.warnings"] = list(dict.fromkeys(warnings))


def trim(text: str, size: int) -> str:
    """At most ``size`` bytes of UTF-8, cut between characters; the same object if it fits."""
    raw = text.encode("utf-8", "replace")
    return text if len(raw) <= size else raw[:size].decode("utf-8", "ignore")
