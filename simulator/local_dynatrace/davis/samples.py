"""When the samples of one series open an event and when they close it: pure functions (facts: alerting 2)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ..settings.analyzers import StaticThreshold

Sample = float | None
"""One minute; None: no data."""


@dataclass(frozen=True)
class Turn:
    """A series starts to violate, or is normal again."""

    opens: bool
    at: int
    """How many samples had been seen."""
    first: int
    last: int
    """Indexes of the first and the last violating sample of the window; its end if there is none."""
    violating: int
    missing: int


def violates(rule: StaticThreshold, sample: Sample) -> bool:
    if sample is None:
        return rule.on_missing_data
    return sample > rule.threshold if rule.condition == "ABOVE" else sample < rule.threshold


def turns(rule: StaticThreshold, samples: Sequence[Sample], active: bool) -> Iterator[Turn]:
    """What happens minute by minute, from the first full window to the last sample.

    While a window has enough samples for both, an event stays as it is [D].
    """
    wrong = [violates(rule, sample) for sample in samples]
    for end in range(rule.window, len(samples) + 1):
        window = wrong[end - rule.window : end]
        count = sum(window)
        opens = not active and count >= rule.violating
        closes = active and count < rule.violating and rule.window - count >= rule.dealerting
        if opens or closes:
            active = opens
            places = [end - rule.window + n for n, each in enumerate(window) if each] or [end - 1]
            yield Turn(opens, end, places[0], places[-1], count, samples[end - rule.window : end].count(None))
