"""Options of SCM. Their names begin with ``scm_``; times in seconds unless the name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from local_dynatrace.kernel.options import DAY_S, YEAR_S, within
from local_dynatrace.kernel.world import World


@dataclass
class ScmOptions:
    scm_stream: bool = True
    scm_history_hours: float = within(0, 744, 48.0)
    scm_page_size: int = within(1, 10_000, 100)
    scm_latency_ms: float = within(0, 60_000, 0.0)
    scm_token_lifetime_s: int = within(1, YEAR_S, 300)
    scm_visible_late_s: float = within(0, DAY_S, 0.0)
    # How far SCM's clock is ahead of Dynatrace's: its Date header and the timestamps of its records.
    scm_skew_s: float = within(-YEAR_S, YEAR_S, 0.0)
    scm_from: Literal["exclusive", "inclusive"] = "exclusive"
    # Does a page that exhausts the range carry a cursor too? UNVERIFIED (facts: sectigo 1.3).
    scm_last_page_token: bool = True


def of(world: World) -> ScmOptions:
    """The present values."""
    assert isinstance(world.options, ScmOptions), "the plug-in adds its options when the environment starts"
    return world.options
