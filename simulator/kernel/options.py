"""Every switch of the local environment, with the platform's own behaviour as the default.

A fact of the real platform that nobody could confirm is a switch here, so that a real tenant's answer changes one line.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, Literal


@dataclass
class Options:
    """Settings of one local environment; times in seconds. All but the first four can be changed while it runs."""

    port: int = 8787
    state: Path = Path(".local/simulator.sqlite")
    seed: int = 1
    deno_modules: Path = Path("toolchain/javascript/node_modules")

    # Dynatrace: how long a change takes to work (facts: ids 5..10 s, allowlist up to 10 s).
    credential_settles_s: float = 5.0
    allowlist_settles_s: float = 10.0
    # JavaScript runtime limits.
    script_limit_s: float = 120.0
    script_memory_mb: int = 256
    script_result_mb: float = 1.0
    script_parallel: int = 10
    # Automation.
    scheduler: bool = True
    bearer_lifetime_s: int = 300
    # Log ingest: what happens to a record older than 24 h. UNVERIFIED on SaaS, hence three variants:
    # "drop" answers 200 (a part was stored), "silent" answers 204, "refuse" answers 400 for the whole batch.
    old_records: Literal["drop", "silent", "refuse"] = "drop"
    logs_visible_after_s: float = 0.0
    # Outbound allowlist: does *.a.b cover x.y.a.b too? UNVERIFIED; the strict reading is the default.
    wildcard_depth: Literal["one", "any"] = "one"
    # SCM audit API.
    scm_stream: bool = True
    scm_history_hours: float = 48.0
    scm_page_size: int = 100
    scm_latency_ms: float = 0.0
    scm_token_lifetime_s: int = 300
    scm_visible_late_s: float = 0.0
    scm_from: Literal["exclusive", "inclusive"] = "exclusive"

    fixed: tuple[str, ...] = field(default=("port", "state", "seed", "deno_modules", "fixed"), repr=False)

    def change(self, values: dict[str, Any]) -> None:
        """Change options while running. Raises ValueError that names every unknown or fixed key and wrong type."""
        problems = []
        known = {f.name for f in fields(self)}
        for key, value in values.items():
            if key not in known or key in self.fixed:
                problems.append(f"{key}: not an option that can be changed while running")
            elif type(value) is not type(getattr(self, key)) and not (
                isinstance(getattr(self, key), float) and isinstance(value, int) and not isinstance(value, bool)
            ):
                problems.append(f"{key}: expected {type(getattr(self, key)).__name__}")
        if problems:
            raise ValueError("; ".join(problems))
        for key, value in values.items():
            setattr(self, key, type(getattr(self, key))(value))

    def shown(self) -> dict[str, Any]:
        """All changeable options with their present values, JSON-ready."""
        return {f.name: getattr(self, f.name) for f in fields(self) if f.name not in self.fixed}
