"""The stream of audit records: what happened at Nordhav in which hour, and its arrival in the store.

An hour's events are a pure function of seed and hour; a story that begins late in an hour ends in the next ones. So the
stream needs no memory but how far the store has got.
"""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache, partial

from local_dynatrace.kernel.world import World

from .. import options
from . import records, wire
from .company import HOSTS, OFFICES, Office
from .stories import (
    BY_DAY,
    BY_NIGHT,
    EVERY_HOUR,
    LONGEST_S,
    Event,
    Story,
    Teller,
    a_renewal_wave,
    a_webhook_storm,
    an_expiry_notice,
    renew,
)

HOUR_US = 3_600_000_000
HOURS_OF_A_STORY = int(LONGEST_S // 3600) + 1
LONGEST_GAP_H = 31 * 24
"""After a longer jump of the clock, only this much of it is filled: a tester's jump of years must not take minutes."""
QUIET = ((2, 7), BY_NIGHT)
"""What machines and people on call add to any hour, in any office."""
NOTICES_AT_DAYS = (30, 14, 7, 3, 1)
STATE = "scm_stream_until_us"


@lru_cache(maxsize=256)
def begun_in(seed: int, hour: int) -> tuple[Event, ...]:
    """All events of the stories that begin in an hour (hours since the epoch)."""
    rng = random.Random(f"scm/{seed}/{hour}")
    at_work = [office for office in OFFICES if office.at_work(hour)]
    events: list[Event] = []

    def tell(story: Callable[[Teller], None], office: Office, within_us: int = HOUR_US) -> None:
        story(t := Teller(rng, hour, hour * HOUR_US + rng.randrange(within_us), office))
        events.extend(t.events)

    for host in HOSTS:
        if hour == host.issued_hour(hour):
            tell(partial(renew, host=host, number=host.certificate_id(hour)), host.office)
        elif (
            host.enrolled_by == "manual"
            and (hour - host.issued_hour(hour)) % 24 == 0
            and host.days_left(hour) in NOTICES_AT_DAYS
        ):
            tell(partial(an_expiry_notice, host=host), host.office)
    if rng.random() < (0.01 if at_work else 0.02):
        tell(rng.choice((a_renewal_wave, a_webhook_storm)), rng.choice(at_work or OFFICES))
    for story in EVERY_HOUR:
        tell(story, rng.choice(at_work or OFFICES), HOUR_US // 4)  # early enough to be over within the hour
    for office, more, stories in (*((office, office.records, BY_DAY) for office in at_work), (None, *QUIET)):
        wanted = len(events) + rng.randint(*more)
        names: list[Story] = [story for story, _ in stories]
        weights = [weight for _, weight in stories]
        while len(events) < wanted:
            tell(rng.choices(names, weights)[0], office or rng.choice(OFFICES))
    return tuple(events)


@lru_cache(maxsize=64)
def events_of(seed: int, hour: int) -> tuple[Event, ...]:
    """The events that fall into an hour, ascending."""
    start = hour * HOUR_US
    begun = [event for back in range(HOURS_OF_A_STORY, -1, -1) for event in begun_in(seed, hour - back)]
    return tuple(sorted((e for e in begun if start <= e.at_us < start + HOUR_US), key=lambda e: e.at_us))


def materialise(world: World) -> int:
    """Bring the store up to now; returns how many records came. Costs next to nothing when none is due."""
    if not options.of(world).scm_stream:
        return 0
    now = world.clock.now_us()
    begin = (now // HOUR_US - round(options.of(world).scm_history_hours)) * HOUR_US
    until: int | None = world.store.meta(STATE)
    if until is None:
        until = begin
    # Set back, the clock shows the past again: its records are there, the later ones are not visible yet.
    if until >= now:
        return 0
    until = max(until, (now // HOUR_US - LONGEST_GAP_H) * HOUR_US, 0)
    due = [
        event
        for hour in range(until // HOUR_US, now // HOUR_US + 1)
        for event in between(events_of(world.options.seed, hour), until, now)
    ]
    if due:
        late_us = options.of(world).scm_visible_late_s * 1_000_000
        skew_us = round(options.of(world).scm_skew_s * 1_000_000)
        stamped = [replace(event, at_us=event.at_us + skew_us) for event in due]
        rows = [
            (shown.at_us, event.at_us + lateness(event, late_us), wire.text(wire.record(shown)))
            for event, shown in zip(due, stamped, strict=True)
        ]
        with world.store.transaction():
            records.add(world, rows)
            world.store.set_meta(STATE, now)
        world.changed("scm_records")
    return len(due)


def between(events: tuple[Event, ...], after_us: int, to_us: int) -> tuple[Event, ...]:
    first = bisect_right(events, after_us, key=lambda e: e.at_us)
    return events[first : bisect_right(events, to_us, key=lambda e: e.at_us)]


def lateness(event: Event, late_us: float) -> int:
    """How long after its own time a record can be seen: between nothing and the option, a matter of its id."""
    return round(random.Random(event.id).random() * late_us) if late_us else 0
