"""Secrets that can be recognised in any form, and the search for them in everything that a deployment leaves."""

from __future__ import annotations

import base64
import json
import string
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

from tests.engine.deployment import Deployment, Done
from tests.local import Local
from tests.simulator.callers import CLIENT, SERVICE_USER

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
PASSPHRASE = "local"


def plant(stack: Deployment) -> None:
    """Make the canaries the valid secrets of the local environment and the stack's config."""
    tokens = [
        {"token": CANARIES["dynatraceApiToken"], "name": "Deploy", "owner": SERVICE_USER["email"], "scopes": SCOPES},
        {"token": CANARIES["logIngestToken"], "name": "Ingest", "owner": SERVICE_USER["email"], "scopes": SCOPES[:1]},
    ]
    client = {**CLIENT, "secret": CANARIES["oauthClientSecret"]}
    scm = {"id": SCM_CLIENT, "secret": CANARIES["sectigoClientSecret"]}
    stack.local.sim("POST", "identities", {"apiTokens": tokens, "oauthClients": [client], "scmClients": [scm]})
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
    """What to search for: inside other text, the ends of base64 depend on what stands beside it."""
    return form[4:-4] if name.startswith("base64") else form


def search(places: Iterable[tuple[str, bytes]]) -> tuple[int, list[str]]:
    """(searches made, what was found where)"""
    wanted = [
        (f"{key} ({name})", core(name, form).encode())
        for key, secret in CANARIES.items()
        for name, form in forms(secret_part(secret)).items()
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
        yield f"output of {command}", done.text.encode()
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
    for file in Path(local.folder).glob("simulator.*"):
        if file.suffix != ".key":
            yield file.name, file.read_bytes()


def readable(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


FAILING = [("vault", "PUT"), ("tokens", "*"), ("sso", "*"), ("vault", "*"), ("settings", "*"), ("automation", "*")]
"""Calls that are answered with an error which throws back what it was sent: (API, method)."""


def campaign(stack: Deployment, failing: list[tuple[str, str]] = FAILING) -> tuple[int, list[str]]:
    """Deploy with canaries, provoke failures, and search everything."""
    local = stack.local
    plant(stack)
    printed: dict[str, Done] = {
        "preview --json": stack.preview("--json"),
        "preview --diff --save-plan": stack.preview("--diff", "--save-plan", str(stack.folder / "plan.json")),
        "up": stack.up(),
        "up --refresh --diff": stack.up("--refresh", "--diff"),
        "refresh": stack.refresh("--diff"),
        "stack export": stack.pulumi("stack", "export", "--stack", stack.stack),
        "stack output --json": stack.pulumi("stack", "output", "--json", "--stack", stack.stack),
        "config": stack.pulumi("config", "--stack", stack.stack),
    }
    for api, method in failing:
        # An error that throws back what it may have been sent, in every form.
        sent = [secret for key, secret in CANARIES.items() if key != "sectigoClientSecret" or method == "PUT"]
        echo = " ".join(form for secret in sent for form in forms(secret_part(secret)).values())
        body = {"error": {"code": 400, "message": f"You sent {echo}", "details": {"errorRef": echo}}}
        rule = {"api": api, "method": method, "caller": "outside", "times": None, "status": 400, "body": body}
        local.sim("POST", "faults", rule)
        stack.configure(triggerIntervalMinutes=7, maxRetries=7, workflowPrivate="true", sectigoClientId=OTHER_CLIENT)
        told = {
            f"{command} while {method} {api} fails": run(check=False)
            for command, run in (("up", stack.up), ("refresh", stack.refresh))
        }
        assert any("[secret]" in done.text for done in told.values()), f"no error of {method} {api} was shown"
        printed |= told
        local.sim("DELETE", "faults")
    stack.configure(oauthClientId="dt0s02.UNKNOWN", initHistoryDuration="0h")
    printed["up with a wrong config"] = stack.up(check=False)
    stack.configure(oauthClientId=CLIENT["id"], initHistoryDuration="1h")
    found = search(left_by(stack, printed))
    printed = {"destroy": stack.destroy()}
    after = search(left_by(stack, printed))
    return found[0] + after[0], [*found[1], *after[1]]
