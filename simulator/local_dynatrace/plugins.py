"""The plug-in interface: what another package adds to the local environment.

A plug-in is an importable ``Plugin`` object, named by an entry point of the group ``local_dynatrace.plugins``::

    [project.entry-points."local_dynatrace.plugins"]
    sectors = "my_package.plugin:PLUGIN"

``found`` imports every installed one. Each field has a default, so a plug-in names only what it brings. A plug-in
may import ``local_dynatrace.kernel`` (routes, world, store), the API packages, ``local_dynatrace.control.checks`` and
``local_dynatrace.pages.render``; nothing in ``local_dynatrace`` imports a plug-in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, make_dataclass
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .kernel.options import Options

if TYPE_CHECKING:
    from .kernel.routing import Call, Route
    from .kernel.world import World

GROUP = "local_dynatrace.plugins"


@dataclass(frozen=True)
class Panel:
    """A piece of a page; ``render.part`` makes the HTML from a template."""

    html: str
    alive: bool = False
    """Something in it is running, so the page refreshes soon."""


@dataclass(frozen=True)
class Navigation:
    """An entry of the navigation bar."""

    key: str
    """The page's ``here``."""
    text: str
    href: str
    after: str = "overview"
    """Key of the entry that it follows."""
    group: str = ""
    """The heading that it is under; empty: that of the entry before it."""


@dataclass(frozen=True)
class IdentityKind:
    """A kind of identity that ``POST /_sim/identities`` takes beside users, tokens and OAuth clients."""

    members: tuple[str, ...]
    """All of them are required strings; the first one is the public id."""
    add: Callable[..., None]
    """Called with the world and the members, in their order."""


@dataclass(frozen=True, eq=False)
class Tables:
    """The plug-in's tables in the store, and what generic code must know about them."""

    setup: Callable[[World], None]
    """Create them; idempotent (``world.store.create``)."""
    short_lived: tuple[str, ...] = ()
    """Tables in no dump and no saved state, such as those of access tokens."""
    traces: tuple[str, ...] = ()
    """Tables that use fills; in a dump only with ``all``."""
    cells: Mapping[tuple[str, str], Callable[[dict[str, Any], Any], None]] = field(default_factory=dict)
    """Checks of (table, column) with JSON in it, for a state that is restored: called with the row and the value,
    raise ValueError with the reason."""
    meta_numbers: tuple[str, ...] = ()
    """Keys of ``kernel_meta`` whose value is a whole number."""


@dataclass(frozen=True, eq=False)
class Seed:
    """What the plug-in plants into a fresh environment."""

    file: Path
    """YAML; its top-level keys join those of the environment's own seed.yaml."""
    plant: Callable[[World, Mapping[str, Any]], None]
    """Called in a transaction with the whole seed."""
    digests: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda seed: {}
    """From the whole seed: ``table id`` -> digest of the secret, so that a restored state gets its secrets back."""


@dataclass(frozen=True, eq=False)
class Pages:
    """Additions to the web pages. The pages themselves are routes, made with ``render.route``."""

    templates: Path | None = None
    """A folder of Jinja templates, searched after the environment's own."""
    navigation: Sequence[Navigation] = ()
    panels: Mapping[str, Callable[[Call, Any], Panel | None]] = field(default_factory=dict)
    """By place: ``overview``, ``controls`` (both at the top), ``workflow`` (among its buttons), ``execution.facts``
    (rows of a ``dl``), ``execution`` (below it). Called with what the page is about: None, a workflow, an execution."""
    figures: Callable[[World], Sequence[tuple[str, int, str | None]]] = lambda world: ()
    """Figures of the overview: name, number, link."""
    vault_values: Callable[[World], Mapping[str, str]] = lambda world: {}
    """Id of a vault entry -> its value, for entries whose value is known to be no secret."""
    host_users: Callable[[World], Mapping[str, Sequence[str]]] = lambda world: {}
    """Host of the outbound allowlist -> who added or needs it."""
    log_query: str = ""
    """The DQL query that the log page starts with."""


@dataclass(frozen=True, eq=False)
class Plugin:
    """One plug-in; see the module's docstring."""

    name: str
    title: str
    """What it stands in for: `Sectors of an invented town`."""
    routes: Sequence[Route] = ()
    """Of APIs with names of their own; control routes (``/_sim/…``) and pages too."""
    api_titles: Mapping[str, str] = field(default_factory=dict)
    """Headings of these APIs in COVERAGE.md."""
    tables: Tables | None = None
    options: type[Any] | None = None
    """A dataclass of options, all with defaults; they join ``kernel.options.Options``. Give their names a prefix."""
    quiet: Mapping[str, Any] = field(default_factory=dict)
    """Options that stop background activity, for tests (``testing.Local``)."""
    seed: Seed | None = None
    presets: Path | None = None
    """YAML, as control/presets.yaml."""
    identities: Mapping[str, IdentityKind] = field(default_factory=dict)
    """By the key of the list in ``POST /_sim/identities``."""
    hosts: Mapping[str, str] = field(default_factory=dict)
    """Host names that scripts can reach -> the path prefix of the routes that serve each."""
    domains: tuple[str, ...] = ()
    """Domains (with a leading dot) whose names the listener answers to, for clients that keep the real host name."""
    latency_s: Callable[[World, str], float] = lambda world, api: 0.0
    """Real seconds that each answer of an API takes longer."""
    pages: Pages = field(default_factory=Pages)


@cache
def found() -> tuple[Plugin, ...]:
    """Every installed plug-in, by name."""
    loaded = (point.load() for point in entry_points(group=GROUP))
    return tuple(sorted(loaded, key=lambda plugin: str(plugin.name)))


def options_type(present: Iterable[Plugin]) -> type[Options]:
    """``Options`` with the fields of these plug-ins."""
    bases = tuple(plugin.options for plugin in present if plugin.options)
    return make_dataclass("Options", [], bases=(Options, *bases)) if bases else Options
