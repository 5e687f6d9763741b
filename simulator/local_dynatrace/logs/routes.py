"""``POST /api/v2/logs/ingest`` and its twin on the apps host (``logsClient.storeLog``)."""

from __future__ import annotations

from ..kernel.routing import Answer, Call, Route
from . import errors, payload, rules


def ingest(call: Call) -> Answer:
    """204: everything is stored; 200: a part of it."""
    read = payload.read(call)
    outcome = rules.store(
        call.world,
        read.records,
        call.who,
        added=read.added,
        structure=read.structure,
        unpaired_surrogates=read.unpaired_surrogates,
    )
    told_old = outcome.too_old if call.world.options.old_records == "drop" else 0
    if outcome.invalid or told_old or outcome.too_nested:
        return Answer(200, errors.partial(outcome.invalid, told_old, outcome.too_nested))
    return Answer(204)


ROUTES = [
    Route(
        "POST", "/api/v2/logs/ingest", ingest, "logs", "classic", "logs.ingest", "Ingest logs", source="LI, LJ, LT, LL"
    ),
    Route(
        "POST",
        "/platform/classic/environment-api/v2/logs/ingest",
        ingest,
        "logs",
        "platform",
        "storage:logs:write",
        source="SC",
    ),
]
