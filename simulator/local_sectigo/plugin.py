"""What SCM and the connector add to the local environment; named by the entry point in pyproject.toml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from local_dynatrace.kernel.identity import digest
from local_dynatrace.kernel.rows import an_object
from local_dynatrace.kernel.world import World
from local_dynatrace.plugins import IdentityKind, Navigation, Pages, Plugin, Seed, Tables

from . import options, scm
from .options import ScmOptions
from .pages import claims, connector, panels, routes, runtime_values
from .scm import clients, control

FOLDER = Path(__file__).parent
INSTANCES = ("enterprise", "hard", "eu", "demo")


def plant(world: World, seed: Mapping[str, Any]) -> None:
    for client in seed["scm_clients"]:
        clients.add_client(world, client["id"], client["secret"])


def digests(seed: Mapping[str, Any]) -> dict[str, str]:
    return {f"scm_clients {client['id']}": digest(client["secret"]) for client in seed["scm_clients"]}


def latency_s(world: World, api: str) -> float:
    return options.of(world).scm_latency_ms / 1000 if api == "scm" else 0.0


PLUGIN = Plugin(
    name="sectigo",
    title="Sectigo Certificate Manager",
    routes=(*scm.ROUTES, *control.ROUTES, *routes.ROUTES),
    api_titles={"scm-sso": "Sectigo SSO", "scm": "SCM audit API"},
    tables=Tables(
        setup=scm.setup,
        short_lived=("scm_tokens",),
        traces=("scm_records",),
        cells={("scm_records", "wire"): an_object},
        meta_numbers=("scm_stream_until_us",),
    ),
    options=ScmOptions,
    quiet={"scm_stream": False},
    seed=Seed(FOLDER / "seed.yaml", plant, digests),
    presets=FOLDER / "presets.yaml",
    identities={"scmClients": IdentityKind(("id", "secret"), clients.add_client)},
    hosts={
        **{f"audit.{instance}.sectigo.com": "/api/v1/" for instance in INSTANCES},
        "auth.sso.sectigo.com": "/auth/",
    },
    domains=(".sectigo.com",),
    latency_s=latency_s,
    pages=Pages(
        templates=FOLDER / "pages" / "templates",
        navigation=(Navigation("connector", "Connector", connector.PATH, after="overview"),),
        panels=panels.PANELS,
        figures=panels.figures,
        vault_values=runtime_values.texts,
        host_users=claims.claims,
        log_query=connector.query_of("sectigo-scm"),
    ),
)
