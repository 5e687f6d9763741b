"""Secrets that can be recognised in any form, and the search for them in everything that a deployment leaves."""

from __future__ import annotations

import base64
import json
import re
import string
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, SERVICE_USER
from tests.engine.deployment import Deployment, Done

SCOPES = ["logs.ingest", "credentialVault.read", "credentialVault.write", "settings.read", "settings.write"]
OTHER_CLIENT = "7d1f3a52-9c0b-4e0e-8a44-5ec719000009"
SCM_CLIENT = "7d1f3a52-9c0b-4e0e-8a44-5ec719000001"
CANARIES = {
    "dynatraceApiToken": f"dt0c01.{'DEPLOYCANARY' * 2}.{'DeployCanary+/0' * 4}9999",
    "logIngestToken": f"dt0c01.{'INGESTCANARY' * 2}.{'IngestCanary+/0' * 4}9999",
    "oauthClientSecret": f"dt0s02.LOCALCLI.{'OauthCanary&%=1' * 4}9999",
    "sectigoClientSecret": f"ScmCanary {string.printable}\u00fc\u20ac\U0001f600\u2028 end",
}
"""By config key; SCM's holds every printable character and all kinds of line breaks."""


def plant(stack: Deployment) -> None:
    """Make the canaries the valid secrets of the local environment and the stack's config."""
    tokens = [
        {"token": CANARIES["dynatraceApiToken"], "name": "Deploy", "owner": SERVICE_USER["email"], "scopes": SCOPES},
        {"token": CANARIES["logIngestToken"], "name": "Ingest", "owner": SERVICE_USER["email"], "scopes": SCOPES[:1]},
    ]
    client = {**CLIENT, "secret": CANARIES["oauthClientSecret"]}
    scm = [{"id": id, "secret": CANARIES["sectigoClientSecret"]} for id in (SCM_CLIENT, OTHER_CLIENT)]
    stack.local.sim("POST", "identities", {"apiTokens": tokens, "oauthClients": [client], "scmClients": scm})
    for key, secret in CANARIES.items():
        stack.configure_secret(key, secret)


def secret_part(secret: str) -> str:
    """What must not be shown: of a token its last part (prefix and public part may be)."""
    return secret.rsplit(".", 1)[-1] if secret.startswith("dt0") else secret


def forms(secret: str) -> dict[str, str]:
    """The forms a secret may turn up in, written here without a look at the code that hides them."""
    raw = secret.encode()
    found = {
        "plain": secret,
        "hex": raw.hex(),
        "HEX": raw.hex().upper(),
        "URL": quote(secret, safe=""),
        "form": quote_plus(secret),
        "JSON": json.dumps(secret)[1:-1],
        "JSON, not ASCII": json.dumps(secret, ensure_ascii=False)[1:-1],
        "JSON in JSON": json.dumps(json.dumps(secret))[3:-3],
    }
    for shift in range(3):
        text = base64.b64encode(b"x" * shift + raw).decode()
        found |= {f"base64+{shift}": text, f"base64url+{shift}": text.replace("+", "-").replace("/", "_")}
    return found


def core(name: str, form: str) -> str:
    """What to search for: inside other text, the ends of base64 depend on what is next to it."""
    return form[4:-4] if name.startswith("base64") else form


def piece(secret: str) -> str:
    """Its longest run of letters and digits: the same however the rest is escaped, and where the end is cut off.

    Go, for one, escapes < > & and rare line breaks otherwise than Python, and the engine writes the state.
    """
    runs: list[str] = re.findall(r"[A-Za-z0-9]+", secret)
    return max(runs, key=len)


def search(places: Iterable[tuple[str, bytes]]) -> tuple[int, list[str]]:
    """(searches made, what was found where)"""
    wanted = [
        (f"{key} ({name})", core(name, form).encode())
        for key, secret in CANARIES.items()
        for name, form in {"a piece": piece(secret_part(secret)), **forms(secret_part(secret))}.items()
    ]
    searched, found = 0, []
    for place, content in places:
        for name, form in wanted:
            searched += 1
            if form in content:
                found.append(f"{name} in {place}")
    return searched, found


def left_by(stack: Deployment, printed: dict[str, Done]) -> Iterable[tuple[str, bytes]]:
    """Everything to search: what commands printed, all files of the backend, and all that the environment shows."""
    for command, done in printed.items():
        yield f"output of {command}", without_rpc_records(done.text).encode()
    for file in [*stack.state.rglob("*"), *stack.folder.glob("*.json"), stack.file]:
        if file.is_file():
            yield str(file.relative_to(stack.folder)), file.read_bytes()
    yield from shown_by(stack.local)


def shown_by(local: Local) -> Iterable[tuple[str, bytes]]:
    dump = local.sim("GET", "dump", all="true")
    yield "all state of the environment", readable(dump)
    yield "request log", readable(local.sim("GET", "requests", all="true"))
    pages = ["/", "/ui/apps/dynatrace.automations", "/ui/apps/dynatrace.logs", "/ui/apps/dynatrace.classic.tokens"]
    pages += [f"/ui/apps/dynatrace.automations/workflows/{row['id']}" for row in dump["workflows"]]
    pages += [f"/ui/apps/dynatrace.automations/executions/{row['id']}" for row in dump["executions"]]
    for page in pages:
        yield f"page {page}", local.call("GET", page).content
    for file in Path(local.folder).glob("local-dynatrace.*"):
        if file.suffix != ".key":
            yield file.name, file.read_bytes()


def readable(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


def without_rpc_records(text: str) -> str:
    """At ``-v=9`` the engine logs each value it exchanges with program and provider, secrets in clear, which nobody can
    prevent (`docs/measurements/providers.md` says so). All other records are ours to answer for."""
    return RPC_RECORD.sub("", text)


RPC_RECORD = re.compile(r'^\{"time":"[^"]*","level":"\w+","msg":"(?:Unm|M)arshaling property for RPC\[.*$', re.M)


class Call(NamedTuple):
    """Calls that are made to fail."""

    api: str
    method: str = "*"
    path: str = "*"

    def __str__(self) -> str:
        return f"{self.method} {self.api} {self.path}"


CREATING = (
    Call("vault", "POST"),
    Call("settings", "PUT"),
    Call("automation", "POST", "*/workflows"),
    Call("automation", "POST", "*/run"),
)
LIVING = (Call("vault", "PUT"), *(Call(api) for api in ("tokens", "sso", "vault", "settings", "automation")))
DELETING = (Call("automation", "DELETE"), Call("vault", "DELETE"))
Effect = dict[str, Any]
LOST: Effect = {"cut": "after"}
ECHOES: tuple[Effect, ...] = ({"status": 400}, {"status": 500})
"""Answers that throw back what was sent."""


@dataclass(frozen=True)
class Failures:
    """What is made to fail."""

    creating: Sequence[Call] = CREATING
    """The writes of a first `up`, in their order: each fails in every way before it succeeds."""
    living: Sequence[Call] = LIVING
    deleting: Sequence[Call] = DELETING
    lost: Sequence[Call] = CREATING
    """Of a second deployment: they succeed, and their answers are lost."""
    effects: Sequence[Effect] = (*ECHOES, {"cut": "before"})


ALL = Failures()
QUICK = Failures(CREATING[:1], LIVING[:1], (), (), ECHOES[:1])


def echo(call: Call) -> dict[str, Any]:
    """An error that throws back all that such a call may have sent, in every form."""
    has_scm = call.api == "vault" and call.method in ("POST", "PUT")
    sent = [secret for key, secret in CANARIES.items() if key != "sectigoClientSecret" or has_scm]
    text = " ".join(form for secret in sent for form in forms(secret_part(secret)).values())
    return {"error": {"message": f"You sent {text}", "details": {"errorRef": text}}}


def provoke(stack: Deployment, call: Call, effect: Effect, *commands: Callable[..., Done]) -> dict[str, Done]:
    """What the commands print while all such calls fail."""
    body = {"body": echo(call)} if "status" in effect else {}
    rule = {**call._asdict(), "caller": "outside", "times": None, **effect, **body}
    stack.local.sim("POST", "faults", rule)
    told = {f"{run.__name__} while {call} has {effect}": run(check=False) for run in commands}
    stack.local.sim("DELETE", "faults")
    if effect != LOST:  # which the program may overcome by itself
        assert any(done.code for done in told.values()), f"{call} has not failed with {effect}"
    if "status" in effect:
        assert any("[secret]" in done.text for done in told.values()), f"no error of {call} was shown"
    return told


def campaign(stack: Deployment, failures: Failures = ALL) -> tuple[int, list[str]]:
    """Deploy with canaries, provoke failures, and search everything; returns (searches, what was found)."""
    plant(stack)
    printed: dict[str, Done] = {
        "preview --json": stack.preview("--json"),
        "preview --diff --save-plan": stack.preview("--diff", "--save-plan", str(stack.folder / "plan.json")),
    }
    for call in failures.creating:
        for effect in failures.effects:
            printed |= provoke(stack, call, effect, stack.up)
    printed |= {
        "up -v=9": stack.up("-v=9", "--logtostderr"),
        "up --refresh --diff": stack.up("--refresh", "--diff"),
        "refresh": stack.refresh("--diff"),
        "stack export": stack.pulumi("stack", "export", "--stack", stack.stack),
        "stack output --json": stack.pulumi("stack", "output", "--json", "--stack", stack.stack),
        "config": stack.pulumi("config", "--stack", stack.stack),
    }
    changes = {"triggerIntervalMinutes": 7, "maxRetries": 7, "workflowPrivate": "true", "sectigoClientId": OTHER_CLIENT}
    stack.configure(**changes)
    for call in failures.living:
        for effect in failures.effects:
            printed |= provoke(stack, call, effect, stack.up, stack.refresh)
    stack.configure(oauthClientId="dt0s02.UNKNOWN", initHistoryDuration="0h")
    printed["up with a wrong config"] = stack.up(check=False)
    stack.configure(**dict.fromkeys(changes))
    stack.configure(oauthClientId=CLIENT["id"], initHistoryDuration="1h", sectigoClientId=SCM_CLIENT)
    searched, found = search(left_by(stack, printed))
    printed = {}
    for call in failures.deleting:
        for effect in failures.effects:
            printed |= provoke(stack, call, effect, stack.destroy)
    printed["destroy"] = stack.destroy()
    for call in failures.lost:
        printed |= provoke(stack, call, LOST, stack.up)
    if failures.lost:
        printed |= {"up again": stack.up(), "destroy again": stack.destroy()}
    more, also = search(left_by(stack, printed))
    return searched + more, [*found, *also]
