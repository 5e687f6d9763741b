"""The credential vault."""

from __future__ import annotations

from .facts import Refuted, checks, expect
from .probe import CREDENTIALS, Probe

SECRET = ("token", "user", "password")
VAULT = "providers/api/vault.py"


@checks(
    "vault-fields",
    "A vault entry reads back as it was written, also after a PUT, and keeps its ID",
    "dynatrace-api 3",
    VAULT,
    "def entry_body",
)
def fields(probe: Probe) -> str:
    with probe.entry() as id:
        for body in (probe.entry_body(), {**probe.entry_body(), "description": "changed by make verify"}):
            if body["description"].startswith("changed"):
                put = probe.classic("PUT", f"{CREDENTIALS}/{id}", json=body)
                expect(put.status_code == 204, f"PUT answers {put.status_code} {put.text[:200]}")
            found = probe.classic("GET", f"{CREDENTIALS}/{id}").json()
            other = {name: found.get(name) for name in body if name not in SECRET and found.get(name) != body[name]}
            expect(not other, f"read back: {other}")
    return ""


@checks(
    "vault-secret-hidden",
    "No answer of the vault API contains a secret",
    "dynatrace-api 3",
    "docs/security.md",
    "No API token can read them back",
)
def secret_hidden(probe: Probe) -> str:
    with probe.entry() as id:
        found = probe.classic("GET", f"{CREDENTIALS}/{id}").json()
    expect(not {"token", "password"} & found.keys(), "GET of an entry shows its secret")
    return ""


@checks(
    "vault-listing",
    "A new vault entry is in the next listing",
    "dynatrace-api 3",
    VAULT,
    "LOOK_UP_AFTER_S =",
)
def listing(probe: Probe) -> str:
    with probe.entry() as id:

        def is_listed() -> bool:
            query: dict[str, object] = {"pageSize": 500}
            while True:
                page = probe.classic("GET", CREDENTIALS, params=query).json()
                if id in {each["id"] for each in page["credentials"]}:
                    return True
                if not page.get("nextPageKey"):
                    return False
                query = {"nextPageKey": page["nextPageKey"]}

        if is_listed():
            return ""
        late = probe.until(is_listed, 30)
        raise Refuted("it is listed later" if late else "it is not listed within 30 s")


@checks(
    "vault-put-without-secret",
    "A PUT without the secret is refused, so the checkpoint's metadata cannot be changed without its value",
    "dynatrace-api 3",
    "providers/credential.py",
    "class KeptCredentialProvider",
)
def put_without_secret(probe: Probe) -> str:
    body = {name: value for name, value in probe.entry_body().items() if name not in SECRET}
    with probe.entry() as id:
        answer = probe.classic("PUT", f"{CREDENTIALS}/{id}", json=body)
    expect(answer.status_code == 400, f"it answers {answer.status_code} {answer.text[:200]}")
    return ""


@checks(
    "vault-put-unknown",
    "A PUT to an ID that does not exist creates an entry (201)",
    "dynatrace-api 3",
    "simulator/local_dynatrace/kernel/options.py",
    "vault_put_unknown:",
)
def put_unknown(probe: Probe) -> str:
    with probe.entry() as id:
        probe.classic("DELETE", f"{CREDENTIALS}/{id}")
        answer = probe.classic("PUT", f"{CREDENTIALS}/{id}", json=probe.entry_body())
    if answer.status_code == 201 and (made := answer.json().get("id")) and made != id:
        probe.classic("DELETE", f"{CREDENTIALS}/{made}")
    expect(answer.status_code == 201, f"it answers {answer.status_code} {answer.text[:200]}")
    return ""
