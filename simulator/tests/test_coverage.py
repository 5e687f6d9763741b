"""COVERAGE.md, and what an unknown or refused route is answered."""

from __future__ import annotations

import re
from dataclasses import fields

import pytest

from local_dynatrace import app, plugins, refused
from local_dynatrace.control import presets
from local_dynatrace.coverage import FILE, OWN, coverage
from local_dynatrace.kernel.options import Options
from local_dynatrace.kernel.routing import Route
from local_dynatrace.testing import Local

ROUTES = app.route_table().routes
OPTIONS = plugins.options_type(plugins.found())
VENDORS = [route for route in ROUTES if route.api not in OWN]


def test_the_committed_file_is_current() -> None:
    assert FILE.read_text(encoding="utf-8") == coverage(), "local-dynatrace coverage > simulator/COVERAGE.md"


@pytest.mark.parametrize("route", VENDORS, ids=lambda route: f"{route.method} {route.path}")
def test_each_route_names_its_source_and_where_it_differs(route: Route) -> None:
    assert route.source
    assert bool(route.note) or route.fidelity == "exact"


def test_no_route_is_there_twice() -> None:
    shapes = [(route.method, re.sub(r"\{[^}]*\}", "{}", route.path)) for route in ROUTES]

    assert sorted(set(shapes)) == sorted(shapes)


@pytest.mark.parametrize("entry", refused.REFUSED, ids=lambda entry: entry.path)
def test_what_is_refused_on_purpose_says_why_and_what_to_use(local: Local, entry: refused.Refused) -> None:
    method, path = entry.methods.split()[0], entry.path.replace("*", "x")

    answer = local.call(method, path)

    assert answer.status_code == 501
    error = answer.json()["error"]
    assert entry.why in error["message"]
    assert not entry.instead or error["closestRoutes"] == [entry.instead]


@pytest.mark.parametrize("entry", refused.REFUSED, ids=lambda entry: entry.path)
def test_what_a_refusal_points_to_is_there(entry: refused.Refused) -> None:
    paths = {route.path for route in ROUTES}

    assert entry.instead in {"", *paths}


def test_an_unknown_path_names_the_closest_routes(local: Local) -> None:
    answer = local.call("GET", "/api/v2/credentialz")

    assert answer.status_code == 501
    assert "/api/v2/credentials" in answer.json()["error"]["closestRoutes"]


def test_a_known_path_with_another_method_names_the_right_ones(local: Local) -> None:
    answer = local.call("PATCH", "/api/v2/credentials")

    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, POST")


@pytest.mark.parametrize("name", [*presets.known(), *(option.name for option in fields(OPTIONS))])
def test_the_readme_names_every_preset_and_option(name: str) -> None:
    known = FILE.with_name("README.md").read_text(encoding="utf-8")

    assert f"`{name}`" in known or name in Options().fixed


@pytest.mark.parametrize("route", [r for r in ROUTES if r.api == "control"], ids=lambda r: f"{r.method} {r.path}")
def test_the_readme_names_every_route_of_the_control_api(route: Route) -> None:
    known = FILE.with_name("README.md").read_text(encoding="utf-8")
    start = re.split(r"/\{|/(?:freeze|thaw)$", route.path)[0]

    assert any(f"{start}" in line and f"{route.method}" in line for line in known.splitlines())
