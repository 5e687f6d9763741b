"""When samples open an event and close it: windows, thresholds, missing data."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.davis.samples import Sample, judged
from local_dynatrace.settings.analyzers import StaticThreshold


def rule(**changes: Any) -> StaticThreshold:
    values: dict[str, Any] = {
        "query": "", "threshold": 10.0, "condition": "ABOVE", "on_missing_data": False,
        "violating": 3, "window": 5, "dealerting": 5,
    }  # fmt: skip
    return StaticThreshold(**{**values, **changes})


def opens(one: StaticThreshold, *samples: Sample) -> bool:
    return judged(one, samples).opens


def closes(one: StaticThreshold, *samples: Sample) -> bool:
    return judged(one, samples).closes


def test_three_of_five_open_and_five_normal_ones_close() -> None:
    assert opens(rule(), 11, 0, 11, 0, 11)
    assert not opens(rule(), 11, 0, 0, 0, 11)
    assert closes(rule(), 0, 0, 0, 0, 0)
    assert not closes(rule(), 0, 0, 11, 0, 0)


@pytest.mark.parametrize(("condition", "sample", "wrong"), [
    ("ABOVE", 10, False), ("ABOVE", 10.1, True), ("BELOW", 10, False), ("BELOW", 9.9, True),
])  # fmt: skip
def test_the_threshold_itself_is_normal(condition: str, sample: float, wrong: bool) -> None:
    assert opens(rule(violating=1, window=1, dealerting=1, condition=condition), sample) is wrong


def test_the_first_and_the_last_violating_sample_are_named() -> None:
    verdict = judged(rule(), [0, 11, 0, 11, 12, 0])

    assert (verdict.first, verdict.last, verdict.violating) == (1, 4, 3)


def test_silence_needs_the_whole_window_and_one_sign_of_life_closes() -> None:
    silent = rule(condition="BELOW", threshold=1.0, violating=30, window=30, dealerting=1)

    assert opens(silent, *[0] * 30)
    assert not opens(silent, 1, *[0] * 29)
    assert closes(silent, *[0] * 29, 1)


def test_missing_samples_violate_if_asked_and_are_normal_otherwise() -> None:
    nothing: list[Sample] = [None] * 5

    assert opens(rule(on_missing_data=True), *nothing)
    assert not opens(rule(), *nothing)
    assert closes(rule(), *nothing)
    assert judged(rule(), [None, 1, None]).missing == 2


def test_what_could_open_and_close_at_once_does_not_close() -> None:
    quick = rule(violating=1, window=5, dealerting=1)

    assert opens(quick, 11, 0, 0, 0, 0)
    assert not closes(quick, 11, 0, 0, 0, 0)
