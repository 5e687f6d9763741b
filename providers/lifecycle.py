"""What all providers share: configuration, refusal of moves, comparison, and Pulumi's protocol over four operations.

A provider class has no state of its own, so a stack stores it by name only (module and class), and refresh and destroy
always run the current code. It says which inputs count as a change (``compared``), which may not change on a deployed
object (``fixed``) and which stored values are outputs (``outputs``), and brings four operations: ``create_object``,
``update_object``, ``read_object`` and ``delete_object``. A new kind of Dynatrace object is one module like its
neighbours, with one ``TypedDict`` that its resource and its provider share.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Mapping
from dataclasses import fields
from functools import lru_cache
from typing import Any, ClassVar, Generic, TypeVar, cast

import pulumi
from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    Config,
    ConfigureRequest,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)
from pulumi.output import contains_unknowns

from . import sdk_internals
from .api.environment import Environment
from .api.errors import Refused
from .api.scopes import Need
from .configuration import SECRET_ACCESS, Access, Properties
from .host import hidden, prepare, require_engine, say, warn

T = TypeVar("T")
P = TypeVar("P", bound=Properties)
"""Inputs and outputs of one kind of resource."""
Outputs = Mapping[str, object]
Differences = dict[str, object]
"""Live values that differ from the inputs, under the inputs' names."""

secret_inputs: set[str] = set()
"""Inputs that hold a value which the user marked as secret, whatever they contain (in the program's process)."""
HIDDEN = "hidden"
"""Key of the provider's config: texts that the user marked as secret, as JSON."""

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
    marked: ClassVar[bool] = True
    """Whether the object carries its owner's mark: then a renamed stack updates it."""
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
        for text in json.loads(req.config.get(HIDDEN) or "[]"):
            hidden.add(text)
        prepare()
        # No call and no complaint here: a refresh must be able to start whatever is missing.
        self._access = Access(**{field.name: configured(req.config, field.name) for field in fields(Access)})

    @property
    def environment(self) -> Environment:
        return environment_of(self._access)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        # A failure on a named property would print its value (pulumi#19465): all failures are nameless.
        failures = [
            CheckFailure("", f"{CONFIG_KEYS.get(key, key)} cannot change{shown_change(_olds[key], news[key])}. {why}")
            for key, why in {"environment": MOVED, "connector": MOVED, **self.fixed}.items()
            if key in _olds and key in news and not contains_unknowns(news[key]) and _olds[key] != news[key]
        ]
        if _olds:
            registered.add(self.identity(news))
        return CheckResult(news, failures)

    def identity(self, props: Mapping[str, object]) -> tuple[str, ...]:
        """The object that these inputs are about, whatever its ID and its name in the program."""
        return (type(self).__name__, *(str(props.get(key, "")) for key in ("connector", "name")))

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        # A refresh asks for differences, too, also the one before a destroy, but it checks nothing.
        if self.identity(_news) in registered:
            in_use.add(_id)
        adopt = _news.get("adopt")
        if adopt and adopt not in (_id, _olds.get("adopt")):
            raise Refused(
                f"“{_news['name']}”: {adopt} cannot be taken over, as this stack already has {_id}: remove adopt"
            )
        compared = (*self.compared, "stack") if self.marked else self.compared
        return DiffResult(changes=any(_olds.get(key) != _news.get(key) for key in compared))

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


def shown_change(old: object, new: object) -> str:
    """``from … to …``; nothing of values that the user marked as secret: the old one may not be known any more."""
    text = f" from {old!r} to {new!r}"
    return text if hidden(text) == text else ""


class DynatraceObject(pulumi.dynamic.Resource):
    """Base of the resources. Outputs must be among the properties, as None, to become outputs."""

    def __init__(
        self,
        provider: ObjectProvider[Any],
        resource: str,
        props: Mapping[str, object],
        opts: pulumi.ResourceOptions | None,
    ) -> None:
        guarded = {key: guard(key, value) for key, value in props.items()}
        if any(guarded[key] is not value for key, value in props.items()):
            # Outputs repeat inputs in other words, like the hosts of an address.
            secret_outputs = pulumi.ResourceOptions(additional_secret_outputs=list(provider.outputs))
            opts = pulumi.ResourceOptions.merge(opts, secret_outputs)
        super().__init__(provider, resource, {**guarded, **dict.fromkeys(provider.outputs)}, opts)


def configured(config: Config, name: str) -> str:
    """A value of ``pulumi_provider``'s config. The state of a renamed project has it under the former name."""
    values = sdk_internals.provider_config(config)
    return str(config.get(name) or next((values[key] for key in values if key.endswith(f":{name}")), None) or "")


def owner(provider: pulumi.ProviderResource) -> pulumi.Output[str]:
    """``project/stack#installation``: who owns what this deployment creates, for the marks of its objects.

    The installation is the start of the ID that Pulumi gave this provider: a random UUID, in the state before the first
    object exists, kept when stack or project are renamed, and new in a new state.
    """
    name = f"{pulumi.get_project()}/{pulumi.get_stack()}#"
    return pulumi.Output.concat(name, provider.id.apply(lambda provider_id: provider_id[:8]))


def resolved(value: pulumi.Input[T]) -> T:
    """For the type checker: the provider gets an input's value once the engine has resolved it."""
    return cast(T, value)


def secret(value: pulumi.Input[T]) -> T:
    """An input that is encrypted in the state and never shown."""
    return cast(T, pulumi.Output.secret(value))


def guard(name: str, value: Any) -> Any:
    """An input or output of the program: secret if it holds a value that the user marked as secret."""
    if isinstance(value, pulumi.Output):
        return value
    return secret(value) if name in secret_inputs or hidden.within(value) != value else value


def keep_secret(texts: Collection[str], inputs: Collection[str]) -> None:
    """From now on, treat these texts, and inputs of these names, as secrets. For the program's process."""
    secret_inputs.update(inputs)
    for text in texts:
        hidden.add(text)


def guarded_access(access: Access) -> dict[str, pulumi.Input[str]]:
    """What the provider, and the check of the credentials, get and record."""
    return {key: secret(text) if key in SECRET_ACCESS else guard(key, text) for key, text in access.stored.items()}


def pulumi_provider(name: str, access: Access, texts_to_hide: Collection[str] = ()) -> pulumi.ProviderResource:
    """The provider of all resources: it gets, and the state records, the Dynatrace keys and no others."""
    prefix = pulumi.get_project()
    inputs: dict[str, pulumi.Input[str]] = {f"{prefix}:{key}": value for key, value in guarded_access(access).items()}
    if texts_to_hide:
        inputs[f"{prefix}:{HIDDEN}"] = secret(json.dumps(list(texts_to_hide)))
    return pulumi.ProviderResource("pulumi-python", name, inputs)
