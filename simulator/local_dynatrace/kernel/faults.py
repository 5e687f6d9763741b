"""Faults by rule: which calls they match, how often, and what goes wrong.

A rule is JSON, as `POST /_sim/faults` takes it; a call is hit by the first rule that matches and is not used up::

    {"api": "vault", "method": "PUT", "path": "/api/v2/credentials/*", "nth": 2, "times": 1,
     "status": 503, "headers": {"Retry-After": "7"}}            answer instead of the API
    {"api": "vault", "method": "POST", "status": 500, "when": "after"}   commit, then answer that it failed
    {"api": "sso", "cut": "after"}                              commit, then drop the connection without an answer
    {"api": "automation", "cut": "before"}                      drop the connection, nothing happened
    {"api": "logs", "delay_s": 30}                              answer late (simulated time)
    {"api": "logs", "truncate": 40}                             cut the answer's body after 40 bytes
    {"api": "logs", "strip_headers": ["date"], "headers": {"X-A": "..."}}   the API's answer with other headers
    {"api": "grail", "gzip": true}                              the API's answer, compressed
    {"api": "vault", "method": "GET", "stale": true}            answer as last time, whatever was written since
    {"api": "vault", "script": "kill", "when": "after"}         kill the script that made the call (before/after commit)
    {"api": "vault", "script": "freeze", "when": "before"}      stop that script's process until it is thawed
    {"tick": "drop", "path": "/workflows/*"}                    a schedule's moment passes, and nothing is started
"""

from __future__ import annotations

import fnmatch
import itertools
import random
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from .routing import OWN_APIS


@dataclass
class Rule:
    """One fault rule; see the module's examples."""

    api: str = "*"
    """``*``: all but ``control`` and ``pages``, which are needed to remove the rule."""
    method: str = "*"
    path: str = "*"
    """Shell pattern over the request's path; ``*`` crosses slashes."""
    caller: Literal["any", "script", "outside"] = "any"
    """``script``: only calls a workflow script makes; ``outside``: only calls of clients."""
    nth: int = 1
    """The first matching call that is hit, counted from 1."""
    times: int | None = 1
    """How many matching calls are hit from there on; null: all."""
    probability: float = 1.0
    seed: int = 0
    status: int | None = None
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    cut: Literal["before", "after"] | None = None
    truncate: int | None = None
    strip_headers: list[str] = field(default_factory=list)
    """Headers to remove from the answer, as a proxy might; ``headers`` without ``status`` are added."""
    gzip: bool = False
    stale: bool = False
    """A read (of vault, settings, automation) gets the previous answer to the same read."""
    tick: Literal["drop"] | None = None
    """The rule matches scheduled runs instead of calls; their path is ``/workflows/ID``."""
    script: Literal["kill", "freeze"] | None = None
    when: Literal["before", "after"] = "before"
    note: str = ""

    def __post_init__(self) -> None:
        self.id = 0
        self.seen = 0
        self.hit = 0
        self._random = random.Random(self.seed)

    def matches(self, api: str, method: str, path: str, from_script: bool) -> bool:
        return (
            self.tick is None
            and (self.api == api or (self.api == "*" and api not in OWN_APIS))
            and self.method.upper() in ("*", method)
            and fnmatch.fnmatchcase(path, self.path)
            and (self.caller == "any" or (self.caller == "script") == from_script)
        )

    def fires(self, taken: bool = False) -> bool:
        """Count a matching call. Returns whether the rule hits it; no if another rule has already."""
        self.seen += 1
        if taken or self.seen < self.nth or (self.times is not None and self.hit >= self.times):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.hit += 1
        return True

    def effect(self) -> str:
        """What it does to a request, in words: ``answered 503``, ``killed the script``."""
        did = {
            "delayed it by {:g} s": self.delay_s,
            "killed the script": self.script == "kill",
            "froze the script": self.script == "freeze",
            "cut the connection {} it was handled": self.cut,
            "answered {}": self.status,
            "cut the answer after {} bytes": self.truncate,
            "gave an earlier answer": self.stale,
            "compressed the answer": self.gzip,
            "removed the headers {}": ", ".join(self.strip_headers),
            "changed the headers {}": "" if self.status else ", ".join(self.headers),
        }
        return " and ".join(words.format(value) for words, value in did.items() if value) or "did nothing"

    def shown(self) -> dict[str, Any]:
        members = {each.name: getattr(self, each.name) for each in fields(self)}
        return {"id": self.id, **members, "seen": self.seen, "hit": self.hit}


class Faults:
    """The list of rules; in memory only, so a restart removes them."""

    def __init__(self) -> None:
        self.rules: list[Rule] = []
        self._ids = itertools.count(1)

    def add(self, values: dict[str, Any]) -> Rule:
        """Add a rule from JSON. Raises TypeError for unknown members."""
        rule = Rule(**values)
        rule.id = next(self._ids)
        self.rules.append(rule)
        return rule

    def remove(self, id: int) -> bool:
        before = len(self.rules)
        self.rules = [rule for rule in self.rules if rule.id != id]
        return len(self.rules) < before

    def clear(self) -> None:
        self.rules.clear()

    def drops_tick(self, workflow: str) -> bool:
        """Count a scheduled run that is due. Returns whether a rule drops it."""
        hit = False
        for rule in self.rules:
            if rule.tick and fnmatch.fnmatchcase(f"/workflows/{workflow}", rule.path):
                hit = rule.fires(taken=hit) or hit
        return hit

    def match(self, api: str, method: str, path: str, from_script: bool) -> Rule | None:
        hit = None
        for rule in self.rules:
            if rule.matches(api, method, path, from_script) and rule.fires(taken=hit is not None):
                hit = rule
        return hit
