"""What all providers share: configuration, refusal of moves, comparison, look-up before create, and messages.

A provider class has no state of its own, so a stack stores it by name only (module and class), and refresh and destroy
always run the code of today. It says which inputs count as a change (``compared``) and which may not change on a
living object (``fixed``), and brings four operations: ``make``, ``change``, ``look`` and ``remove``.
"""

from __future__ import annotations

import re
import socket
import sys
import traceback
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import contains_unknowns

from .api.environment import Access, Environment
from .api.errors import DynatraceError, Refused, TransportError

Props = dict[str, Any]
PROVIDER_KEYS = tuple(Access.__dataclass_fields__)
MOVED = "One stack is one connector in one environment: deploy a new stack there, then destroy this one"


# --- messages --------------------------------------------------------------------------------------------------------


def say(text: str) -> None:
    """Tell the user something while the engine works; shown with the stack."""
    print(text, flush=True)


def warn(text: str) -> None:
    print(f"warning: {text}", flush=True)


# --- the process this runs in ----------------------------------------------------------------------------------------


def require_engine() -> None:
    """Refuse to write when the engine is gone: a provider process outlives a killed engine, and what it would
    still create could not be recorded. The engine's address is the host's only argument."""
    address = sys.argv[1] if len(sys.argv) == 2 else ""
    host, _, port = address.rpartition(":")
    if not port.isdigit():
        return
    try:
        socket.create_connection((host, int(port)), timeout=5).close()
    except OSError:
        raise TransportError("the Pulumi engine is gone; nothing more is written") from None


def show_sentences_instead_of_tracebacks() -> None:
    """Pulumi's host answers every exception with ``traceback.format_exc()``. Ours are written for the user; a
    traceback above them hides the sentence. Errors that are not ours keep theirs."""
    original = traceback.format_exc

    def format_exc(*args: Any, **kwargs: Any) -> str:
        error = sys.exc_info()[1]
        return str(error) if isinstance(error, DynatraceError) else original(*args, **kwargs)

    if traceback.format_exc.__module__ == "traceback":
        traceback.format_exc = format_exc


@lru_cache
def environment_of(access: Access) -> Environment:
    """One environment per process, whatever the number of provider instances."""
    return Environment(access, may_write=require_engine)


# --- whose object is it ----------------------------------------------------------------------------------------------

MARK = re.compile(r"\[Pulumi (?P<stack>[^\s\]]+)(?: hosts=(?P<hosts>[^\s\]]*))?\]")


def marked(purpose: str, stack: str, hosts: Iterable[str] = ()) -> str:
    """A description that tells people what the object is and us whose it is: ``… [Pulumi project/stack]``.

    ``hosts`` are the allowlist entries that this stack has added; another connector's destroy leaves them.
    """
    listed = ",".join(hosts)
    return f"{purpose} [Pulumi {stack}{f' hosts={listed}' if listed else ''}]"


def mark_of(description: str) -> tuple[str, tuple[str, ...]]:
    """(stack, added hosts) of a marked description; ("", ()) if it bears no mark."""
    found = MARK.search(description)
    if not found:
        return "", ()
    return found["stack"], tuple((found["hosts"] or "").split(",")) if found["hosts"] else ()


@dataclass(frozen=True)
class Found:
    """An existing object that may be the one to take."""

    id: str
    name: str
    description: str


def choose(noun: str, name: str, stack: str, adopt: str, adopt_key: str, candidates: list[Found]) -> Found | None:
    """The existing object to take, or None to create one. Raises Refused where taking would be wrong.

    Ours (by mark) is taken again; a foreign one only if its id stands under ``adopt``; another stack's never.
    """
    if adopt:
        named = [one for one in candidates if one.id == adopt]
        if not named:
            raise Refused(f"adopt.{adopt_key}: there is no {noun} {adopt} in this environment")
        owner, _ = mark_of(named[0].description)
        if owner not in ("", stack):
            raise Refused(
                f"adopt.{adopt_key}: {noun} {adopt} belongs to Pulumi stack {owner}; it is not taken from there"
            )
        return named[0]
    same = [one for one in candidates if one.name == name]
    mine = [one for one in same if mark_of(one.description)[0] == stack]
    if len(mine) == 1:
        return mine[0]
    if not same:
        return None
    ids = ", ".join(one.id for one in mine or same)
    if len(mine) > 1:
        raise Refused(
            f"{len(mine)} {noun}s are named “{name}” and marked as ours: {ids}. Delete all but the one in use"
        )
    owners = {mark_of(one.description)[0] for one in same} - {""}
    if owners:
        raise Refused(
            f"{noun} “{name}” ({ids}) belongs to Pulumi stack {', '.join(sorted(owners))}. Two connectors in one "
            "environment need two names: pulumi config set name “…”"
        )
    if len(same) > 1:
        raise Refused(
            f"{len(same)} {noun}s are named “{name}”: {ids}. Choose one: pulumi config set --path adopt.{adopt_key} ID"
        )
    raise Refused(
        f"{noun} “{name}” ({ids}) exists already and is not ours. To take it over: "
        f"pulumi config set --path adopt.{adopt_key} {ids}"
    )


# --- the lifecycle ---------------------------------------------------------------------------------------------------


class ObjectProvider(ResourceProvider):
    """The lifecycle of one kind of object; subclasses bring the operations."""

    # Stateless and stored by reference, the pickle holds no secret; encrypting it would only cost time.
    serialize_as_secret_always = False

    compared: ClassVar[tuple[str, ...]] = ()
    """Inputs whose change updates the object."""
    fixed: ClassVar[dict[str, str]] = {}
    """Inputs that may not change on a living object, and why."""

    # operations of a subclass

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        """Create (or take) the object; returns its id and what is worth storing besides the inputs."""
        raise NotImplementedError

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        """Update the object; returns what is worth storing besides the inputs."""
        raise NotImplementedError

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        """Live values under the inputs' names; None if the object is gone."""
        raise NotImplementedError

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        """Delete the object; one that is gone is a success."""
        raise NotImplementedError

    # Pulumi's protocol

    def configure(self, req: ConfigureRequest) -> None:
        show_sentences_instead_of_tracebacks()
        # No call and no complaint here: a refresh must be able to start whatever is missing.
        self._access = Access(**{key: req.config.get(key) or "" for key in PROVIDER_KEYS})

    @property
    def environment(self) -> Environment:
        return environment_of(self._access)

    def check(self, _olds: Props, news: Props) -> CheckResult:
        reasons = {"environment": MOVED, "name": MOVED, **self.fixed}
        # A failure on a named property would print its value (pulumi#19465): all failures are nameless.
        failures = [
            CheckFailure("", f"{key} cannot change from {_olds[key]!r} to {news[key]!r}. {why}")
            for key, why in reasons.items()
            if key in _olds and not contains_unknowns(news.get(key)) and _olds[key] != news.get(key)
        ]
        return CheckResult(news, failures)

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in self.compared))

    def create(self, props: Props) -> CreateResult:
        for text in self.environment.ready():
            warn(text)
        id, more = self.make(self.environment, props)
        return CreateResult(id, {**props, **more})

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        for text in self.environment.ready():
            warn(text)
        return UpdateResult({**_olds, **_news, **self.change(self.environment, _id, _olds, _news)})

    def read(self, id_: str, props: Props) -> ReadResult:
        live = self.look(self.environment, id_, props)
        if live is None:
            return ReadResult(None, {})
        # Live values go into the inputs too, so that the next preview shows which one has drifted.
        inputs = {key: value for key, value in {**props, **live}.items() if key in self.inputs_of(props)}
        return ReadResult(id_, {**props, **live}, inputs)

    def inputs_of(self, props: Props) -> set[str]:
        """Names of the inputs among the stored values."""
        return set(props) - set(self.outputs)

    outputs: ClassVar[tuple[str, ...]] = ()
    """Stored values that are no inputs."""

    def delete(self, _id: str, _props: Props) -> None:
        self.remove(self.environment, _id, _props)


class DynatraceObject(pulumi.dynamic.Resource):
    """Base of the resources; declared outputs must stand in the properties as None to become outputs."""

    def __init__(
        self, provider: ObjectProvider, resource: str, props: Props, opts: pulumi.ResourceOptions | None
    ) -> None:
        super().__init__(provider, resource, {**props, **dict.fromkeys(provider.outputs)}, opts)


@dataclass(frozen=True)
class Place:
    """Where an object lives and whose it is; the same for all resources of a stack."""

    environment: str
    """The environment's URL."""
    stack: str
    """``project/stack``, the mark in descriptions."""

    @property
    def props(self) -> Props:
        return {"environment": self.environment, "stack": self.stack}
