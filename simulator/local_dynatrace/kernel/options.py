"""Every switch of the local environment, with the platform's own behaviour as the default.

Behaviour of the real platform that is UNVERIFIED is a switch here, so that a real tenant's answer changes one line.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal, get_args, get_origin, get_type_hints

DAY_S, YEAR_S = 86_400, 365 * 86_400
LOOPBACK = "127.0.0.1"
ANY_ADDRESS = ("0.0.0.0", "::", "")
SDK = Path(__file__).resolve().parents[1] / "runtime" / "sdk"
"""package.json and deno.lock of the modules that scripts can import."""


def script_modules() -> Path:
    """The folder of script modules: beside the lock file in a checkout, else in the user's cache, by the lock file."""
    beside = SDK / "node_modules"
    if (SDK.parents[2] / "pyproject.toml").is_file():
        return beside
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    version = hashlib.sha256((SDK / "deno.lock").read_bytes()).hexdigest()[:16]
    return cache / "local-dynatrace" / f"sdk-{version}" / "node_modules"


def within(least: float, most: float, default: Any) -> Any:
    """A number and the range it may be changed in."""
    return field(default=default, metadata={"range": (least, most)})


@dataclass
class Options:
    """Settings of one local environment; times in seconds. Those in ``fixed`` cannot change while it runs.

    Plug-ins add fields of their own (``plugins.options_type``).
    """

    port: int = 8787
    host: str = LOOPBACK
    """The address to listen on."""
    allowed_hosts: tuple[str, ...] = ()
    """Names that clients may put into the Host header, beside the loopback names; with a port or without."""
    state: Path = Path(".local/local-dynatrace.sqlite")
    seed: int = 1
    deno_modules: Path = field(default_factory=script_modules)

    # The real host name that this environment also answers to, such as abc12345.live.dynatrace.com.
    environment_host: str = ""
    # Dynatrace: how long a change takes to take effect (facts: dynatrace-api 3, 4).
    credential_settles_s: float = within(0, DAY_S, 5.0)
    allowlist_settles_s: float = within(0, DAY_S, 10.0)
    # Credential vault: who may overwrite another user's entry that is not owner-only. The docs ask for the permission
    # "Change monitoring settings"; whether an API token with credentialVault.write has it by itself is UNVERIFIED.
    # "token": such a token may, a bearer needs the permission; "anyone": both may; "nobody": both get 403.
    vault_foreign_write: Literal["token", "anyone", "nobody"] = "token"
    # A PUT to an id that does not exist: the SDK documents 201 "has been created", UNVERIFIED; "refuse" answers 404.
    vault_put_unknown: Literal["create", "refuse"] = "create"
    # POST of a settings object where the schema allows one and one exists: UNVERIFIED. "conflict" answers 409.
    settings_post_existing: Literal["update", "conflict"] = "update"
    # Documents: clients meet versions as numbers and as text; servers before 27 Aug 2026 lack :makePublic (404).
    document_versions: Literal["number", "text"] = "number"
    document_make_public: bool = True
    # JavaScript runtime limits.
    script_limit_s: float = within(0.1, DAY_S, 120.0)
    script_memory_mb: int = within(32, 16_384, 256)
    script_size_mb: float = within(0, 32, 5.0)
    script_result_mb: float = within(0, 32, 1.0)
    script_parallel: int = within(0, 100, 10)
    # How far a script's host is ahead of the platform's clock; a running script keeps its value.
    script_skew_s: float = within(-YEAR_S, YEAR_S, 0.0)
    # Whether classic API tokens can be created: environments in the last phase of the upgrade refuse it.
    classic_tokens: Literal["create", "refuse"] = "create"
    # Automation.
    scheduler: bool = True
    bearer_lifetime_s: int = within(1, YEAR_S, 300)
    # Log ingest: what happens to a record older than 24 h. UNVERIFIED on SaaS, hence three variants:
    # "drop" answers 200 (a part was stored), "silent" answers 204, "refuse" answers 400 for the whole batch.
    old_records: Literal["drop", "silent", "refuse"] = "drop"
    logs_visible_after_s: float = within(0, DAY_S, 10.0)
    # What the bucket of logs says of itself; nothing is ever deleted here.
    logs_retention_days: int = within(1, 3657, 35)
    # Outbound allowlist: does *.a.b cover x.y.a.b too? UNVERIFIED; the strict reading is the default.
    wildcard_depth: Literal["one", "any"] = "one"
    fixed: tuple[str, ...] = field(
        default=("port", "host", "allowed_hosts", "state", "seed", "deno_modules", "fixed"), repr=False
    )

    @property
    def address(self) -> str:
        """The address that clients on this machine use."""
        if self.host in ANY_ADDRESS:
            return LOOPBACK
        return f"[{self.host}]" if ":" in self.host else self.host

    def change(self, values: dict[str, Any]) -> None:
        """Change options, all or none. Raises ValueError that names every unknown or fixed key and wrong value."""
        problems = []
        known = {f.name: f.metadata.get("range") for f in fields(self)}
        types = get_type_hints(type(self))
        for key, value in values.items():
            if key not in known or key in self.fixed:
                problems.append(f"{key}: not an option that can be changed while running")
            elif type(value) is not type(getattr(self, key)) and not (
                isinstance(getattr(self, key), float) and isinstance(value, int) and not isinstance(value, bool)
            ):
                problems.append(f"{key}: expected {type(getattr(self, key)).__name__}")
            elif get_origin(types[key]) is Literal and value not in get_args(types[key]):
                problems.append(f"{key}: expected one of {', '.join(get_args(types[key]))}")
            elif (allowed := known[key]) and not allowed[0] <= value <= allowed[1]:
                problems.append(f"{key}: expected {allowed[0]} to {allowed[1]}")
        if problems:
            raise ValueError("; ".join(problems))
        for key, value in values.items():
            setattr(self, key, type(getattr(self, key))(value))

    def shown(self) -> dict[str, Any]:
        """All changeable options with their present values, JSON-ready."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.fixed}
