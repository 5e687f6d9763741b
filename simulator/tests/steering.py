"""The control API and the pages' buttons, a few calls in a row with everything wrong in them; what must hold then.

Used in short form by ``test_fuzz`` and at length by ``soak/simulator.py``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from local_dynatrace.control import presets
from local_dynatrace.kernel.routing import Route
from local_dynatrace.pages.render import navigation
from local_dynatrace.plugins import found as plugins
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY, SEED

from .fuzz import SCHEMA, Known, check, every_route, filled, form_of, mutated, steers, values, within

LOOKED_AT = (
    "/_sim/health", "/_sim/state", "/_sim/dump?all=true", "/_sim/requests?all=true",
    "/ui/apps/dynatrace.automations/settings", *(entry.href for entry in navigation(plugins())),
)  # fmt: skip
"""What has to answer after anything."""
ASKED = (
    "/api/v2/credentials", f"/api/v2/settings/objects?schemaIds={SCHEMA}", "/platform/automation/v1/workflows",
    "/platform/automation/v1/executions",
)  # fmt: skip
"""What clients read first: refused perhaps, as a token is gone, but never broken."""
TIMEOUTS = ("", "0", "0.02", "-1", "x", "nan", "1e-9", "٣", "0" * 5000)
"""Of ``idle``: whatever waits, waits shortly."""
TAKING = ("/state", "/options", "/clock", "/faults", "/identities")
TIMES = ("1999-12-31T23:59:59Z", "2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
STEPS = (-1e9, 60, 86_400, 3e9, 1e12)
UPLOADS = ("/controls/state", "/controls/diff")
LINE = "fuzz-7d1f3a52"
CLIENT_FORM = {"grant_type": "client_credentials", "client_id": CLIENT["id"], "client_secret": CLIENT["secret"]}


@dataclass(frozen=True)
class Steered:
    """A local environment, as it is after a reset, and what its controls take."""

    local: Local
    known: Known
    fresh: dict[str, Any]


def routes() -> list[Route]:
    """Those that take a body more often."""
    found = [route for route in every_route() if steers(route)]
    return found + [route for route in found if route.method != "GET" and route.path.endswith(TAKING)] * 5


def prepare(local: Local) -> Steered:
    """What is there after each reset, ids included, as they are seeded."""
    local.sim("POST", "reset")
    workflow = local.sim("GET", "dump")["workflows"][0]["id"]
    local.call("POST", f"/ui/apps/dynatrace.automations/workflows/{workflow}/run")
    execution = local.sim("GET", "dump", all="true")["executions"][0]["id"]
    local.sim("POST", "reset")
    state, dump, token = local.sim("GET", "state"), local.sim("GET", "dump"), SEED["api_tokens"][0]
    rule = {
        "api": "vault", "method": "GET", "status": 503, "headers": {"Retry-After": "7"}, "body": {"error": {}},
        "nth": 1, "times": 2, "probability": 1.0, "gzip": False, "strip_headers": ["date"], "truncate": None,
    }  # fmt: skip
    people = {"id": "5ec71900-0000-4000-8000-0000000000fe", "email": "fuzz@nordhav.example", "permissions": ["a:b"]}
    public = ".".join(token["token"].split(".")[:2])
    known = Known(
        ids={
            "workflows": workflow, "executions": execution, "presets": "script-killed", "api-tokens": public,
            "faults": "1",
        },
        headers={"own": {}},
        bodies={
            "/_sim/state": state, "/_sim/options": local.sim("GET", "options"), "/_sim/faults": rule,
            "/_sim/clock": {"mode": "auto", "step": 60.5},
            "/_sim/identities": {
                "users": [people],
                "apiTokens": [{"token": "dt0c01.FUZZ.SECRET", "owner": people["email"], "scopes": ["logs.ingest"]}],
                "oauthClients": [{"id": "dt0s02.FUZZ", "secret": "s", "subject": people["id"], "scopes": ["a:b"]}],
                "scmClients": [{"id": "fuzz", "secret": "s"}],
            },
            "/api-tokens/{id}": {"enabled": False, "expirationDate": "2026-02-01T00:00:00Z"},
            "/controls/clock": {"mode": "frozen", "step": "60", "at": "2026-02-01T00:00:00Z", "to": "next run"},
            "/controls/faults": rule, "/controls/state": state, "/controls/diff": dump,
        },
    )  # fmt: skip
    return Steered(local, known, local.sim("GET", "dump"))


odd = st.one_of(values, st.sampled_from([0, -1, 1e300, 10**30, 2**62, "", [], {}, *TIMES]))


@st.composite
def edited(draw: st.DrawFn, sound: Any) -> Any:
    """A sound body with some of its own members changed; of a state, some cells: as by a hand that knows little."""
    found = json.loads(json.dumps(sound))
    tables = [rows for rows in found.get("tables", {}).values() if rows]
    for _ in range(draw(st.integers(1, 3))):
        in_a_row = bool(tables) and draw(st.integers(0, 4)) > 0
        place = draw(st.sampled_from(draw(st.sampled_from(tables)))) if in_a_row else found
        for _ in range(draw(st.integers(0, 3))):
            place = draw(st.sampled_from([each for value in place.values() for each in within(value)] or [place]))
        place[draw(st.sampled_from(sorted(place)))] = draw(odd)
    return found


@st.composite
def moved(draw: st.DrawFn) -> Any:
    """A clock that is told one thing, not all at once."""
    name = draw(st.sampled_from(["jump", "step", "at", "to", "mode"]))
    return {name: draw(st.one_of(odd, st.sampled_from([*TIMES, *STEPS])))}


@st.composite
def calls(draw: st.DrawFn, known: Known) -> list[dict[str, Any]]:
    """Some calls, one after another."""
    return [draw(call(known)) for _ in range(draw(st.integers(1, 4)))]


@st.composite
def call(draw: st.DrawFn, known: Known) -> dict[str, Any]:
    """Arguments of ``requests.request``, and the route they are for."""
    route = draw(st.sampled_from(routes()))
    if "{name}" in route.path:
        known.ids["presets"] = draw(st.sampled_from(sorted(presets.known())))
    path = filled(draw, known, route)
    if route.path == "/_sim/idle":
        path += "?" + form_of({"timeout_s": draw(st.sampled_from(TIMEOUTS))})
    media, data = "application/json", b""
    if route.method != "GET":
        sound = known.body(route.path)
        likely = moved() if route.path.endswith("/clock") else edited(sound) if sound else st.just(sound)
        body = draw(st.one_of(likely, likely, mutated(sound), values))
        media, data = as_form(route, body) if route.api == "pages" else (media, json.dumps(body).encode())
        if draw(st.integers(0, 19)) == 0:
            data = draw(st.one_of(st.binary(max_size=60), st.sampled_from([b"[" * 100_000, b"[" * 400 + b"]" * 400])))
    return {"route": route, "method": route.method, "path": path, "headers": {"Content-Type": media}, "data": data}


def as_form(route: Route, body: Any) -> tuple[str, bytes]:
    """As a browser sends it: a file, a rule as text, fields."""
    text = json.dumps(body)
    if route.path.endswith(UPLOADS):
        head = f'--{LINE}\r\nContent-Disposition: form-data; name="file"; filename="any.json"\r\n\r\n'
        return f"multipart/form-data; boundary={LINE}", f"{head}{text}\r\n--{LINE}--\r\n".encode()
    fields = {"rule": text} if route.path.endswith("/faults") else body if isinstance(body, dict) else {}
    plain = {name: value if isinstance(value, str) else json.dumps(value) for name, value in fields.items()}
    return "application/x-www-form-urlencoded", form_of(plain).encode()


def play(steered: Steered, made: list[dict[str, Any]]) -> list[int]:
    """Make the calls, look at everything, reset; returns the statuses of the calls."""
    local = steered.local
    statuses = [check(local, each).status_code for each in made]
    told = "; ".join(f"{each['method']} {each['path'][:80]} {each['data'][:400]!r}" for each in made)
    for path in LOOKED_AT:
        answer = local.session.get(local.url + path, timeout=10)
        assert answer.status_code == 200, f"after {told}: GET {path}: {answer.status_code} {answer.text[:300]}"
    rules = local.sim("GET", "faults")["faults"]
    if not any(rule["delay_s"] or rule["cut"] or rule["truncate"] is not None for rule in rules):
        local.session.get(local.url + ASKED[0], headers=DEPLOY, timeout=10)  # whatever a rule makes of it, it is HTTP
    local.sim("DELETE", "faults")
    token = local.session.post(local.url + "/sso/oauth2/token", data=CLIENT_FORM, timeout=10)
    bearer = {"Authorization": f"Bearer {token.json().get('access_token')}"}
    for path in ASKED:
        answer = local.session.get(local.url + path, headers=DEPLOY if "/api/v2/" in path else bearer, timeout=10)
        assert answer.status_code in (200, 401, 403), f"after {told}: GET {path}: {answer.status_code}"
    local.sim("POST", "clock", {"mode": "frozen"})
    local.sim("POST", "reset")
    assert local.sim("GET", "dump") == steered.fresh, f"after {told}: a reset leaves something"
    return statuses
