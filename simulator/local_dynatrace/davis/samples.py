"""Whether the samples of a window open an event, or let one close: pure functions (facts: alerting 2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..settings.analyzers import StaticThreshold

Sample = float | None
"""One minute; None: no data."""


@dataclass(frozen=True)
class Verdict:
    """What a window says."""

    violating: int
    missing: int
    opens: bool
    closes: bool
    first: int
    last: int
    """Indexes of the first and the last violating sample; the last sample if there is none."""


def judged(rule: StaticThreshold, samples: Sequence[Sample]) -> Verdict:
    """Where a window has enough samples for both, an event stays as it is [D]."""
    places = [place for place, sample in enumerate(samples) if violates(rule, sample)]
    count, missing = len(places), sum(sample is None for sample in samples)
    opens = count >= rule.violating
    closes = not opens and len(samples) - count >= rule.dealerting
    first, last = (places[0], places[-1]) if places else (len(samples) - 1,) * 2
    return Verdict(count, missing, opens, closes, first, last)


def violates(rule: StaticThreshold, sample: Sample) -> bool:
    if sample is None:
        return rule.on_missing_data
    return sample > rule.threshold if rule.condition == "ABOVE" else sample < rule.threshold
