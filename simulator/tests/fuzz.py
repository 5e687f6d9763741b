"""Requests from the route table with everything in them that a client may get wrong, and what must hold for each.

Used in short form by ``test_fuzz`` and at length by ``soak/simulator.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode

import requests
from hypothesis import strategies as st

from local_dynatrace import app
from local_dynatrace.kernel.routing import Route
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY, DEPLOY_TOKEN, SEED, SERVICE_USER, Headers, bearer, new_token
from local_dynatrace.testing.flows import NOTHING, body, create, start

CANARY = "canary-7d1f3a52-of-the-vault"
SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections"
SECRETS = (CANARY, DEPLOY_TOKEN, CLIENT["secret"], SEED["scm_clients"][0]["secret"], SEED["api_tokens"][1]["token"])
STEERING = (
    "reset", "idle", "state", "options", "faults", "faults/{id}", "clock", "presets/{name}", "identities",
    "api-tokens/{id}",
)  # fmt: skip
"""Of the control API: what changes the rules of the game under the others' feet (a clock that jumps ends all tokens),
as do the pages' buttons. ``steering.py`` plays these, with a reset after each example."""
QUERY = (
    "adminAccess", "all", "fields", "filter", "from", "to", "token", "ids", "id", "limit", "offset", "ordering", "name",
    "nextPageKey", "owner", "pageSize", "query", "request-token", "schemaIds", "scope", "scopes", "search", "sort",
    "startedAt__gte", "state", "structure", "triggerType", "type", "updateToken", "user", "validateOnly", "workflow",
    "timeout_s", "since", "status",
)  # fmt: skip
WORDS = (
    "", "0", "-1", "1", "true", "null", "ERROR", "title", "-startedAt", "environment", "TOKEN", "2026-01-29T10:00:00Z",
    "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "2026-01-29T09:00:00+99:99", "99999999999999999999", "%00", "../..",
    "\u0000", "\ud83d\ude00", "é", "{{x}}", "'; DROP TABLE logs; --", "a" * 3000, "fetch logs", "fetch logs | limit -1",
    "١٢٣", "1e400", "NaN", "eyJzaXplIjoxfQ==", '"', SCHEMA,
)  # fmt: skip
NAMES = (
    "title", "name", "type", "token", "scopes", "scope", "user", "password", "description", "allowedEntities", "tasks",
    "trigger", "schedule", "isActive", "timezone", "filterParameters", "rule", "isDeployed", "owner", "ownerType",
    "actor", "input", "params", "uniqueQualifier", "throttle", "schemaId", "schemaVersion", "value", "externalId",
    "objectId", "updateToken", "allowedOutboundConnections", "enforced", "hostList", "query", "maxResultRecords",
    "requestTimeoutMilliseconds", "defaultTimeframeStart", "requestToken", "content", "timestamp", "loglevel", "status",
    "log.source", "records", "visibleAfterS", "before", "after", "id", "intervalMinutes", "cron", "at", "time",
)  # fmt: skip


@dataclass
class Known:
    """Things that are there, so that requests get past the first 404, and who may ask."""

    ids: dict[str, str]
    """By the part of a path that they follow."""
    headers: dict[str, Headers]
    bodies: dict[str, Any] = field(default_factory=dict)
    """By the end of a path that takes them."""

    def part(self, before: str) -> str:
        """What fits behind the beginning of a path."""
        return next((self.ids[name] for name in self.ids if before.endswith(f"/{name}/")), "1")

    def body(self, path: str) -> Any:
        return next((self.bodies[end] for end in self.bodies if path.endswith(end)), {})


def every_route() -> list[Route]:
    return list(app.route_table().routes)


def steers(route: Route) -> bool:
    button = route.api == "pages" and route.method == "POST"
    return button or (route.api == "control" and route.path.removeprefix("/_sim/") in STEERING)


def routes() -> list[Route]:
    return [route for route in every_route() if not steers(route)]


def prepare(local: Local) -> Known:
    """A furnished environment."""
    scopes = sorted({scope for route in routes() if route.auth == "platform" for scope in scopes_of(route)})
    permissions = [*scopes, "environment:roles:viewer", "storage:buckets:read", "storage:logs:read"]
    user = {**SERVICE_USER, "permissions": [*SERVICE_USER["permissions"], *permissions]}
    local.sim("POST", "identities", {"users": [user]})
    platform = bearer(local, *scopes, "storage:buckets:read", "storage:logs:read", "automation:workflows:admin")
    everything = new_token(
        local, "credentialVault.read", "credentialVault.write", "settings.read", "settings.write", "logs.ingest"
    )
    entry = {"name": "Canary", "type": "TOKEN", "token": CANARY, "scopes": ["APP_ENGINE"]}
    made = local.call("POST", "/api/v2/credentials", headers=DEPLOY, json=entry).json()["id"]
    flow = create(local, platform)["id"]
    execution = start(local, platform, flow)
    scm = SEED["scm_clients"][0]
    form = {"grant_type": "client_credentials", "client_id": scm["id"], "client_secret": scm["secret"]}
    answer = local.call("POST", "/auth/realms/apiclients/protocol/openid-connect/token", data=form).json()
    value = {"allowedOutboundConnections": {"enforced": True, "hostList": ["*.sectigo.com"]}}
    setting = {"schemaId": SCHEMA, "scope": "environment", "value": value}
    listing = {"schemaIds": SCHEMA, "fields": "objectId"}
    found = local.call("GET", "/api/v2/settings/objects", headers=DEPLOY, params=listing).json()["items"][0]
    record = {"content": "fuzz", "loglevel": "INFO", "log.source": "fuzz", "timestamp": "2026-01-29T09:59:00Z"}
    interval = {"trigger": {"type": "interval", "intervalMinutes": 10}, "isActive": True, "timezone": "UTC"}
    return Known(
        ids={
            "credentials": made, "workflows": flow, "executions": execution, "action-executions": execution,
            "tasks": "main", "objects": found["objectId"], "schemas": SCHEMA, "history": "1",
        },
        headers={
            "classic": {"Authorization": f"Api-Token {everything}"},
            "platform": platform,
            "own": {"Authorization": f"Bearer {answer['access_token']}"},
        },
        bodies={
            "/credentials": entry, "/credentials/{id}": entry, "/workflows": body(NOTHING),
            "/workflows/{id}": body(NOTHING, trigger={"schedule": interval}), "/run": {"uniqueQualifier": "fuzz"},
            "/duplicate": {"title": "Copy"}, "/schedules/preview": {"schedule": interval}, "/objects": [setting],
            "/objects/{object_id}": {"value": value}, "/ingest": [record, record], "/lookup": {"token": DEPLOY_TOKEN},
            "query:execute": {"query": "fetch logs | limit 5", "requestTimeoutMilliseconds": 0},
            "query:verify": {"query": "fetch logs"}, "/token": form, "/scm/records": {"records": [record]},
            "/diff": {"before": {"workflows": [{"id": flow}]}, "after": {}},
        },
    )  # fmt: skip


def scopes_of(route: Route) -> tuple[str, ...]:
    return (route.scope,) if isinstance(route.scope, str) else (route.scope or ())


words = st.one_of(st.sampled_from(WORDS), st.text(max_size=30))
numbers = st.one_of(st.integers(-5, 5), st.integers(), st.floats(), st.sampled_from([2**31, 2**63, 2**64, 10**400]))
values = st.recursive(
    st.one_of(st.none(), st.booleans(), numbers, words),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.one_of(st.sampled_from(NAMES), words), inner, max_size=5)
    ),
    max_leaves=12,
)


@st.composite
def mutated(draw: st.DrawFn, sound: Any) -> Any:
    """A sound body with up to two of its members, at any depth, replaced, removed or added."""
    found = json.loads(json.dumps(sound))
    for _ in range(draw(st.integers(0, 2))):
        place = found[0] if isinstance(found, list) else found
        while draw(st.booleans()):
            if inner := [each for value in place.values() for each in within(value)]:
                place = draw(st.sampled_from(inner))
        name = draw(st.sampled_from([*sorted(place), *NAMES]))
        if draw(st.booleans()):
            place.pop(name, None)
        else:
            place[name] = draw(values)
    return found


def within(value: Any) -> list[dict[str, Any]]:
    """The objects that a member is, or is a list of."""
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, dict) and each]


def filled(draw: st.DrawFn, known: Known, route: Route) -> str:
    """A route's path, mostly with names of things that are there."""
    path = route.path
    while "{" in path:
        fitting = known.part(path[: path.index("{")])
        # Not all of them is deleted at once: the others would find nothing any more.
        known_part = route.method != "DELETE" and draw(st.integers(0, 3)) > 0
        part = fitting if known_part else draw(words)
        path = path[: path.index("{")] + quote(part.encode("utf-8", "replace"), safe="") + path[path.index("}") + 1 :]
    return path


@st.composite
def call(draw: st.DrawFn, known: Known) -> dict[str, Any]:
    """Arguments of ``requests.request``, and the route they are for."""
    route = draw(st.sampled_from(routes()))
    path = filled(draw, known, route)
    headers = dict(known.headers[route.auth])
    if draw(st.integers(0, 9)) == 0:
        headers["Authorization"] = draw(
            st.sampled_from(("", "Api-Token", "Bearer x", "Basic Og==", "Api-Token dt0c01.x.y"))
        )
    as_form = route.path.endswith("/token") and draw(st.booleans())
    kind = "form" if as_form else draw(st.sampled_from(("json", "json", "json", "json", "form", "raw")))
    content, media = b"", "application/json; charset=utf-8"
    if route.method in ("POST", "PUT", "PATCH"):
        if kind == "raw":
            content = draw(
                st.one_of(st.binary(max_size=60), st.sampled_from([b"", b"[" * 100_000, b'"\\ud800"', b"nul"]))
            )
        else:
            given = draw(st.one_of(mutated(known.body(route.path)), mutated(known.body(route.path)), values))
            content = json.dumps(given).encode()
            if kind == "form" and isinstance(given, dict):
                content = form_of({name: str(value) for name, value in given.items() if name}).encode()
                media = "application/x-www-form-urlencoded"
    query = draw(st.dictionaries(st.sampled_from(QUERY), words, max_size=3))
    return {
        "route": route,
        "method": route.method,
        "path": f"{path}?{form_of(query)}" if query else path,
        "headers": {**headers, "Content-Type": media},
        "data": content,
    }


def form_of(values: dict[str, str]) -> str:
    return urlencode({n.encode("utf-8", "replace"): v.encode("utf-8", "replace") for n, v in values.items()})


def check(local: Local, made: dict[str, Any]) -> requests.Response:
    """Send one and look at what must hold for every answer."""
    sent = {name: value for name, value in made.items() if name != "route"}
    answer = local.session.request(
        sent.pop("method"), local.url + sent.pop("path"), timeout=10, allow_redirects=False, **sent
    )
    told = f"{made['method']} {made['path']} {made['data'][:300]!r}: {answer.status_code} {answer.text[:300]}"
    assert answer.status_code != 500, told
    assert 200 <= answer.status_code < 600, told
    if answer.headers.get("content-type", "").startswith("application/json") and answer.content:
        json.loads(answer.content)
    if not made["route"].path.endswith("/details"):
        leaked = [secret[:12] for secret in SECRETS if secret in answer.text]
        assert not leaked, f"{told} leaks {leaked}"
    return answer
