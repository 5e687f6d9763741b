"""Settings: the outbound allowlist is only validated, never written."""

from __future__ import annotations

from providers.api.allowlist import PATH, SCHEMA, value_of

from .facts import NotChecked, checks, expect
from .probe import Probe


@checks(
    "settings-post-existing",
    "A POST of the allowlist where it exists is taken as an update (asked with validateOnly)",
    "dynatrace-api 4",
    "simulator/local_dynatrace/kernel/options.py",
    "settings_post_existing:",
)
def settings_post_existing(probe: Probe) -> str:
    listed = probe.environment.allowlist.read()
    if listed.object_id is None:
        raise NotChecked("this environment has no allowlist yet")
    item = {"schemaId": SCHEMA, "scope": "environment", "value": value_of(listed.enforced, listed.hosts)}
    answer = probe.classic("POST", PATH, params={"validateOnly": "true"}, json=[item])
    expect(answer.status_code == 200, f"it answers {answer.status_code} {answer.text[:200]}")
    return ""
