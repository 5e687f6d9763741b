"""What all providers share: configuration, refusal of moves, comparison, and Pulumi's protocol over four operations.

A provider class has no state of its own, so a stack stores it by name only (module and class), and refresh and destroy
always run the code of today. It says which inputs count as a change (``compared``), which may not change on a living
object (``fixed``) and which stored values are no inputs (``outputs``), and brings four operations: ``make``,
``change``, ``look`` and ``remove``. A new kind of Dynatrace object is one module like its neighbours.
"""

from __future__ import annotations

import threading
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
from .api.errors import Refused
from .host import leave_with_the_engine, require_engine, say, show_sentences_instead_of_tracebacks, warn

Props = dict[str, Any]
PROVIDER_KEYS = tuple(Access.__dataclass_fields__)
_sharing = threading.Lock()
registered: set[tuple[str, ...]] = set()
"""Objects that the program has registered and the state knows."""
in_use: set[str] = set()
"""Ids that belong to the program's objects: created, taken or compared by this process."""
CONFIG_KEYS = {
    "environment": "dynatraceEnvironmentUrl",
    "connector": "name",
    "ownerAccessOnly": "credentialsOwnerOnly",
}
MOVED = "One stack is one connector in one environment: deploy a new stack there, then destroy this one"


@lru_cache
def shared(access: Access) -> Environment:
    return Environment(access, before_write=require_engine)


def environment_of(access: Access) -> Environment:
    """One environment per process, whatever the number of provider instances and threads."""
    with _sharing:
        return shared(access)


class ObjectProvider(ResourceProvider):
    """The lifecycle of one kind of object; subclasses bring the operations."""

    # Stateless and stored by reference, the pickle holds no secret; encrypting it would only cost time.
    serialize_as_secret_always = False

    compared: ClassVar[tuple[str, ...]] = ()
    """Inputs whose change updates the object."""
    fixed: ClassVar[dict[str, str]] = {}
    """Inputs that may not change on a living object, and why."""
    outputs: ClassVar[tuple[str, ...]] = ()
    """Stored values that are no inputs."""

    # operations of a subclass

    def make(self, environment: Environment, props: Props) -> tuple[str, Props]:
        """Create (or take) the object; returns its id and its outputs."""
        raise NotImplementedError

    def change(self, environment: Environment, id: str, olds: Props, news: Props) -> Props:
        """Update the object; returns the outputs that have changed."""
        raise NotImplementedError

    def look(self, environment: Environment, id: str, props: Props) -> Props | None:
        """Live values that differ, under the inputs' names; None if the object is gone."""
        raise NotImplementedError

    def remove(self, environment: Environment, id: str, props: Props) -> None:
        """Delete the object; one that is gone is a success."""
        raise NotImplementedError

    # Pulumi's protocol

    def configure(self, req: ConfigureRequest) -> None:
        show_sentences_instead_of_tracebacks()
        leave_with_the_engine()
        # No call and no complaint here: a refresh must be able to start whatever is missing.
        self._access = Access(**{key: req.config.get(key) or "" for key in PROVIDER_KEYS})

    @property
    def environment(self) -> Environment:
        return environment_of(self._access)

    def check(self, _olds: Props, news: Props) -> CheckResult:
        # A failure on a named property would print its value (pulumi#19465): all failures are nameless.
        failures = [
            CheckFailure("", f"{CONFIG_KEYS.get(key, key)} cannot change from {_olds[key]!r} to {news[key]!r}. {why}")
            for key, why in {"environment": MOVED, "connector": MOVED, **self.fixed}.items()
            if key in _olds and key in news and not contains_unknowns(news[key]) and _olds[key] != news[key]
        ]
        if _olds:
            registered.add(self.identity(news))
        return CheckResult(news, failures)

    def identity(self, props: Props) -> tuple[str, ...]:
        """The object that these inputs are about, whatever its id and its name in the program."""
        return (type(self).__name__, *(str(props.get(key, "")) for key in ("stack", "connector", "name")))

    def diff(self, _id: str, _olds: Props, _news: Props) -> DiffResult:
        # A refresh asks for differences, too, also the one before a destruction, but it checks nothing.
        if self.identity(_news) in registered:
            in_use.add(_id)
        adopt = _news.get("adopt")
        if adopt and adopt not in (_id, _olds.get("adopt")):
            raise Refused(
                f"“{_news['name']}”: {adopt} cannot be taken over, as this stack has {_id} already: remove adopt"
            )
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in self.compared))

    def create(self, props: Props) -> CreateResult:
        self.get_ready()
        id, more = self.make(self.environment, props)
        in_use.add(id)
        return CreateResult(id, {**props, **more})

    def update(self, _id: str, _olds: Props, _news: Props) -> UpdateResult:
        self.get_ready()
        kept = {key: _olds[key] for key in self.outputs if key in _olds}
        return UpdateResult({**_news, **kept, **self.change(self.environment, _id, _olds, _news)})

    def read(self, id_: str, props: Props) -> ReadResult:
        live = self.look(self.environment, id_, props)
        if live is None:
            return ReadResult(None, {})
        # Live values go into the inputs too, so that the next preview shows which one has drifted.
        inputs = {key: value for key, value in {**props, **live}.items() if key not in self.outputs}
        return ReadResult(id_, {**props, **live}, inputs)

    def delete(self, _id: str, _props: Props) -> None:
        if _id in in_use:
            # A forced replacement (or a new name in the program) has found our own object again, in this process or in
            # an earlier one that ended before it could delete: deleting “the old one” would delete the live one.
            say(f"“{_props.get('name', _id)}” ({_id}) is not deleted: it was found again and stays as it is")
            return
        self.remove(self.environment, _id, _props)

    def get_ready(self) -> None:
        for text in self.environment.ready():
            warn(text)


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
    connector: str
    """First words of every object's name."""
    stack: str
    """``project/stack``, the mark in descriptions."""

    @property
    def props(self) -> Props:
        return {"environment": self.environment, "connector": self.connector, "stack": self.stack}
