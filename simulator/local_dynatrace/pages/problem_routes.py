"""Routes of the pages of problems and mails."""

from __future__ import annotations

from ..kernel.routing import Answer, Call
from . import mails, problems
from .executions import PROBLEMS
from .mails import MAILS
from .polling import poll_ms
from .render import not_found, page, route


def get_problems(call: Call) -> Answer:
    rows, detectors = problems.rows(call.world), problems.detectors(call.world)
    return page(
        call, "problems.html", "problems", "Problems", rows=rows, detectors=detectors, poll_ms=poll_ms(call, False)
    )


async def get_problem(call: Call) -> Answer:
    found = await problems.one(call.world, call.params["id"])
    if found is None:
        return not_found(call, f"There is no problem {call.params['id']}.")
    return page(call, "problem.html", "problems", found["name"], problem=found, poll_ms=poll_ms(call, False))


def get_mails(call: Call) -> Answer:
    return page(call, "mails.html", "mails", "Mails", rows=mails.rows(call.world), poll_ms=poll_ms(call, False))


ROUTES = [
    route("GET", PROBLEMS, get_problems, note="Dynatrace's path; its page looks different"),
    route("GET", f"{PROBLEMS}/problem/{{id}}", get_problem, note="the link in a notification"),
    route("GET", MAILS, get_mails),
]
