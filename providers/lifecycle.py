"""What all providers share: configuration, refusal of moves, comparison, and Pulumi's protocol over four operations.

A provider class has no state of its own, so a stack stores it by name only (module and class), and refresh and destroy
always run the current code. It says which inputs count as a change (``compared``), which may not change on a deployed
object (``fixed``) and which stored values are outputs (``outputs``), and brings four operations: ``create_object``,
``update_object``, ``read_object`` and ``delete_object``. A new kind of Dynatrace object is one module like its
neighbours, with one ``TypedDict`` that its resource and its provider share.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import asdict, fields
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar, cast

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

from .api.environment import Environment
from .api.errors import Refused
from .api.scopes import Need
from .configuration import SECRET_ACCESS, Access, Properties
from .host import prepare, require_engine, say, warn

T = TypeVar("T")
P = TypeVar("P", bound=Properties)
"""Inputs and outputs of one kind of resource."""
Outputs = Mapping[str, object]
Differences = dict[str, object]
"""Live values that differ from the inputs, under the inputs' names."""

_sharing = threading.Lock()
registered: set[tuple[str, ...]] = set()
"""Objects that the program has registered and the state knows."""
in_use: set[str] = set()
"""IDs that belong to the program's objects: created, adopted or compared by this process."""
CONFIG_KEYS = {
    "environment": "dynatraceEnvironmentUrl",
    "connector": "name",
    "ownerAccessOnly": "credentialsOwnerOnly",
}
"""Config key of each input that may be fixed."""
MOVED = "One stack is one connector in one environment: deploy a new stack there, then destroy this one"


@lru_cache
def shared(access: Access) -> Environment:
    return Environment(access, before_write=require_engine)


def environment_of(access: Access) -> Environment:
    """One environment per process, whatever the number of provider instances and threads."""
    with _sharing:
        return shared(access)


class ObjectProvider(ResourceProvider, Generic[P]):
    """The lifecycle of one kind of object; subclasses bring the operations."""

    # Stateless and stored by reference, the pickle holds no secret; encrypting it would only cost time.
    serialize_as_secret_always = False

    compared: ClassVar[tuple[str, ...]] = ()
    """Inputs whose change updates the object."""
    fixed: ClassVar[dict[str, str]] = {}
    """Inputs that may not change on a deployed object, and why."""
    outputs: ClassVar[tuple[str, ...]] = ()
    """Stored values that are no inputs."""
    needs: ClassVar[tuple[Need, ...]] = ()
    """Scopes without which the operations fail; the preflight checks those of all resources."""

    # operations of a subclass

    def create_object(self, environment: Environment, props: P) -> tuple[str, Outputs]:
        """Create the object, or use an existing one; returns its ID and its outputs."""
        raise NotImplementedError

    def update_object(self, environment: Environment, id: str, olds: P, news: P) -> Outputs:
        """Update the object; returns the outputs that have changed."""
        raise NotImplementedError

    def read_object(self, environment: Environment, id: str, props: P) -> Differences | None:
        """Live values that differ; None if the object is gone."""
        raise NotImplementedError

    def delete_object(self, environment: Environment, id: str, props: P) -> None:
        """Delete the object; one that is gone is a success."""
        raise NotImplementedError

    # Pulumi's protocol

    def configure(self, req: ConfigureRequest) -> None:
        prepare()
        # No call and no complaint here: a refresh must be able to start whatever is missing.
        self._access = Access(**{field.name: req.config.get(field.name) or "" for field in fields(Access)})

    @property
    def environment(self) -> Environment:
        return environment_of(self._access)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        # A failure on a named property would print its value (pulumi#19465): all failures are nameless.
        failures = [
            CheckFailure("", f"{CONFIG_KEYS.get(key, key)} cannot change from {_olds[key]!r} to {news[key]!r}. {why}")
            for key, why in {"environment": MOVED, "connector": MOVED, **self.fixed}.items()
            if key in _olds and key in news and not contains_unknowns(news[key]) and _olds[key] != news[key]
        ]
        if _olds:
            registered.add(self.identity(news))
        return CheckResult(news, failures)

    def identity(self, props: Mapping[str, object]) -> tuple[str, ...]:
        """The object that these inputs are about, whatever its ID and its name in the program."""
        return (type(self).__name__, *(str(props.get(key, "")) for key in ("stack", "connector", "name")))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # A refresh asks for differences, too, also the one before a destroy, but it checks nothing.
        if self.identity(_news) in registered:
            in_use.add(_id)
        adopt = _news.get("adopt")
        if adopt and adopt not in (_id, _olds.get("adopt")):
            raise Refused(
                f"“{_news['name']}”: {adopt} cannot be taken over, as this stack already has {_id}: remove adopt"
            )
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in self.compared))

    def create(self, props: dict[str, Any]) -> CreateResult:
        self.get_ready()
        id, outputs = self.create_object(self.environment, cast(P, props))
        in_use.add(id)
        return CreateResult(id, {**props, **outputs})

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        self.get_ready()
        kept = {key: _olds[key] for key in self.outputs if key in _olds}
        outputs = self.update_object(self.environment, _id, cast(P, _olds), cast(P, _news))
        return UpdateResult({**_news, **kept, **outputs})

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        live = self.read_object(self.environment, id_, cast(P, props))
        if live is None:
            return ReadResult(None, {})
        # Live values go into the inputs too, so that the next preview shows which one has drifted.
        inputs = {key: value for key, value in {**props, **live}.items() if key not in self.outputs}
        return ReadResult(id_, {**props, **live}, inputs)

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        if _id in in_use:
            # A forced replacement (or a new name in the program) has found our own object again, in this process or in
            # an earlier one that ended before it could delete: deleting “the old one” would delete the live one.
            say(f"“{_props.get('name', _id)}” ({_id}) is not deleted: it was found again and is still in use")
            return
        self.delete_object(self.environment, _id, cast(P, _props))

    def get_ready(self) -> None:
        for text in self.environment.ready():
            warn(text)


class DynatraceObject(pulumi.dynamic.Resource):
    """Base of the resources. Outputs must be among the properties, as None, to become outputs."""

    def __init__(
        self,
        provider: ObjectProvider[Any],
        resource: str,
        props: Mapping[str, object],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        super().__init__(provider, resource, {**props, **dict.fromkeys(provider.outputs)}, opts)


def resolved(value: pulumi.Input[T]) -> T:
    """For the type checker: the provider gets an input's value once the engine has resolved it."""
    return cast(T, value)


def secret(value: pulumi.Input[T]) -> T:
    """An input that is encrypted in the state and never shown."""
    return cast(T, pulumi.Output.secret(value))


def pulumi_provider(name: str, access: Access) -> pulumi.ProviderResource:
    """The provider of all resources: it gets, and the state records, the Dynatrace keys and no others."""
    prefix = pulumi.get_project()
    inputs = {
        f"{prefix}:{key}": pulumi.Output.secret(value) if key in SECRET_ACCESS else value
        for key, value in asdict(access).items()
        if value or key != "features"  # a stack that uses none keeps the provider that an earlier release stored
    }
    return pulumi.ProviderResource("pulumi-python", name, inputs)
