"""When samples open an event and close it: windows, thresholds, missing data."""

from __future__ import annotations

import random
from typing import Any

import pytest

from local_dynatrace.davis.samples import Sample, turns
from local_dynatrace.settings.analyzers import StaticThreshold


def rule(**changes: Any) -> StaticThreshold:
    values: dict[str, Any] = {
        "query": "", "threshold": 10.0, "condition": "ABOVE", "on_missing_data": False,
        "violating": 3, "window": 5, "dealerting": 5,
    }  # fmt: skip
    return StaticThreshold(**{**values, **changes})


def told(rule: StaticThreshold, samples: list[Sample], active: bool = False) -> list[tuple[bool, int]]:
    return [(turn.opens, turn.at) for turn in turns(rule, samples, active)]


def test_three_of_five_open_and_five_normal_ones_close() -> None:
    samples: list[Sample] = [0, 11, 0, 11, 11, 0, 0, 0, 0, 0, 0]

    assert told(rule(), samples) == [(True, 5), (False, 10)]


def test_two_of_five_open_nothing() -> None:
    assert told(rule(), [11, 0, 0, 0, 11, 0, 0, 11, 0, 11]) == []


def test_nothing_is_judged_before_the_window_is_full() -> None:
    assert told(rule(violating=1), [99, 99, 99, 99]) == []


def test_the_threshold_itself_is_normal() -> None:
    one = rule(violating=1, window=1, dealerting=1)

    assert told(one, [10]) == []
    assert told(rule(violating=1, window=1, dealerting=1, condition="BELOW"), [10, 9.9]) == [(True, 2)]


def test_the_first_violating_sample_of_the_window_is_where_it_began() -> None:
    (opened, *_) = turns(rule(), [0, 0, 11, 0, 11, 12], False)

    assert (opened.first, opened.last, opened.violating) == (2, 5, 3)


def test_silence_needs_the_whole_window_and_one_sign_of_life_closes() -> None:
    silent = rule(condition="BELOW", threshold=1.0, violating=30, window=30, dealerting=1)
    samples: list[Sample] = [0] * 29 + [1] + [0] * 30 + [1] + [0] * 5

    assert told(silent, samples) == [(True, 60), (False, 61)]


@pytest.mark.parametrize(("on_missing_data", "expected"), [(False, []), (True, [(True, 5)])])
def test_missing_samples_violate_only_if_asked(on_missing_data: bool, expected: list[tuple[bool, int]]) -> None:
    assert told(rule(on_missing_data=on_missing_data), [None] * 6) == expected


def test_missing_samples_let_an_event_close() -> None:
    assert told(rule(), [None] * 5, active=True) == [(False, 5)]


def test_what_could_open_and_close_at_once_stays_as_it_is() -> None:
    quick = rule(violating=1, window=5, dealerting=1)

    assert told(quick, [11, 0, 0, 0, 0, 0]) == [(True, 5), (False, 6)]


def test_minute_by_minute_is_the_same_as_all_at_once() -> None:
    """However long the clock is stepped, the same events open and close."""
    source = random.Random(7)
    for _ in range(300):
        window = source.randint(1, 8)
        one = rule(
            window=window, violating=source.randint(1, window), dealerting=source.randint(1, window),
            on_missing_data=source.random() < 0.5, condition=source.choice(["ABOVE", "BELOW"]),
        )  # fmt: skip
        samples: list[Sample] = [source.choice([None, 5.0, 15.0]) for _ in range(window + 20)]
        active, stepwise = False, []
        for end in range(window, len(samples) + 1):
            for turn in turns(one, samples[end - window : end], active):
                active = turn.opens
                stepwise.append((turn.opens, turn.at + end - window))
        assert stepwise == told(one, samples)
