"""Routes of the request log: the list, and one request with what it and its answer said."""

from __future__ import annotations

from urllib.parse import urlencode

from ..control import causes, hints
from ..control import requests as log
from ..kernel.routing import OWN_APIS, Answer, Call, WireError
from ..kernel.world import COPIES, COPY_BYTES
from . import exchanges
from .render import not_found, page, route

PATH = "/_sim/ui/requests"
PAGE = 50
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
STATUSES = (("2xx", "2xx: done"), ("4xx", "4xx: refused"), ("5xx", "5xx: failed"), ("0", "Cut, no answer"))


def get_requests(call: Call) -> Answer:
    given = {key: value for key, value in call.query.items() if value}
    problem, status = "", 200
    try:
        wanted = log.Filter.of({"limit": str(PAGE), **given})
    except WireError as error:
        problem, status, wanted = error.body["error"]["message"], 400, log.Filter(limit=PAGE)
    found = [(line, hints.of(line, call.table)) for line in reversed(log.lines(call.world, wanted))]
    apis = sorted({line.api for line in call.world.requests} - set(OWN_APIS))
    rest = {name: value for name, value in given.items() if name != "before"}
    return page(
        call, "requests.html", "requests", "Requests", lines=found, wanted=dict.fromkeys(log.FILTERS, "") | given,
        apis=apis, methods=METHODS, statuses=STATUSES, filtered=bool(rest.keys() - {"limit"}), path=PATH,
        older=f"{PATH}?{urlencode({**rest, 'before': found[-1][0].number})}" if len(found) == wanted.limit else "",
        newest=f"{PATH}?{urlencode(rest)}" if rest != given else "", problem=problem, status=status,
    )  # fmt: skip


def get_request(call: Call) -> Answer:
    number = call.params["number"]
    line = next((each for each in reversed(call.world.requests) if str(each.number) == number), None)
    if line is None or line.api in OWN_APIS:
        return not_found(call, f"The log has no request {number} (any more).")
    fault = f"{causes.by_rule(call.world, line)} {line.fault_effect}" if line.fault is not None else ""
    return page(
        call, "request.html", "requests", f"{line.method} {line.path}", line=line, fault=fault,
        hint=hints.of(line, call.table), said=exchanges.said(call.world, call.table, line), kept=COPIES,
        most=COPY_BYTES,
    )  # fmt: skip


ROUTES = [route("GET", PATH, get_requests), route("GET", f"{PATH}/{{number}}", get_request)]
