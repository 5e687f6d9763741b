"""The pages Problems and Mails: what was found, why, and who was told."""

from __future__ import annotations

import re

import pytest

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import api_token
from local_dynatrace.testing.detectors import create, detector, step, writer
from local_dynatrace.testing.flows import API, author, settle

from .test_notifications import MAIL, notify, on_problem
from .test_pages import page

PROBLEMS, MAILS = "/ui/apps/dynatrace.davis.problems", "/_sim/ui/mails"
QUERY = 'fetch logs | filter result == "failed" | makeTimeseries n = count(default: 0), by: {actor}, interval: 1m'
EACH = {"violatingSamples": "1", "slidingWindow": "5", "dealertingSamples": "5"}
HOSTILE = "<script>alert('x')</script> & \"quoted\""


@pytest.fixture
def local(watched: Local) -> Local:
    return watched


def alarm(local: Local, name: str = "Many failures", actor: str = "eve") -> None:
    """A detector, its notification, and what it detects."""
    body = notify(trigger=on_problem(triggerOn="open-and-close"))
    assert local.call("POST", f"{API}/workflows", headers=author(local), json=body).status_code == 201
    event = {"event.name": name, "event.description": "Look at {dims:actor}", "event.type": "ERROR_EVENT"}
    create(local, writer(local), {**detector(QUERY, event, **EACH), "title": f"Detector of {name}"})
    ingest = api_token(local, "logs.ingest")
    record = {"content": "x", "result": "failed", "actor": actor}
    assert local.call("POST", "/api/v2/logs/ingest", headers=ingest, json=[record]).status_code == 204
    step(local, 1)


def test_a_fresh_environment_says_that_nothing_was_found(local: Local) -> None:
    shown = page(local, PROBLEMS)

    assert "there is no detector that looks for one" in shown
    assert "No workflow has sent a message." in page(local, MAILS)


def test_a_problem_is_listed_with_its_detector(local: Local) -> None:
    alarm(local)
    shown = page(local, PROBLEMS)

    for text in ("Active", "Many failures", "P-260100001", "actor eve", "Error", "Detector of Many failures"):
        assert text in shown
    assert "Above 0 in 1 of 5 minutes; closes after 5 normal" in shown
    assert "Healthy" in shown
    assert ("Open problems", "1") in re.findall(r"<dt>([^<]+)</dt>\s*<dd>(?:<a[^>]*>)?(\d+)", page(local, "/"))


def test_a_problem_shows_its_samples_and_who_was_told(local: Local) -> None:
    alarm(local)
    step(local, 10)
    found = re.search(rf'href="({PROBLEMS}/problem/[^"]+)"', page(local, PROBLEMS))
    assert found
    shown = page(local, found[1])

    assert "Closed" in shown
    assert 'class="chart"' in shown
    assert "2026-01-29 10:00:00 UTC: samples 1<" in shown
    assert shown.count(">Tell</a>") == 2
    assert shown.count("mails#mail-") == 2
    assert "Look at eve" in shown


def test_a_mail_is_shown_with_its_links(local: Local) -> None:
    alarm(local)
    shown = page(local, MAILS)

    assert "P-260100001 Many failures" in shown
    assert "pki@nordhav.example" in shown
    assert "no-reply@apps.dynatrace.com" in shown
    (link,) = set(re.findall(rf'href="({PROBLEMS}/problem/[^"]+)"', shown))
    assert "Many failures" in page(local, link)


def test_what_a_mail_says_is_text_and_no_html(local: Local) -> None:
    alarm(local, HOSTILE, HOSTILE)

    for path in (PROBLEMS, MAILS):
        assert "<script>alert" not in page(local, path)


def test_a_detector_that_fails_says_why(local: Local) -> None:
    create(local, writer(local), {**detector("fetch bizevents", **EACH), "title": "A broken one"})
    create(local, writer(local), {**detector(QUERY, **EACH), "title": "One that is off", "enabled": False})
    step(local, 1)
    shown = page(local, PROBLEMS)

    assert "bizevents is not part of the local environment" in shown
    assert re.findall(r'class="chip[^"]*">(Fails|Off)<', shown) == ["Fails", "Off"]


def test_the_problem_of_a_deleted_detector_can_still_be_read(local: Local) -> None:
    alarm(local)
    found = local.sim("GET", "dump", all="true")["settings_objects"]
    object_id = next(row["object_id"] for row in found if "anomaly" in row["schema_id"])
    path = f"/platform/classic/environment-api/v2/settings/objects/{object_id}"
    assert local.call("DELETE", path, headers=writer(local)).status_code == 204
    settle(local)
    link = re.search(rf'href="({PROBLEMS}/problem/[^"]+)"', page(local, PROBLEMS))
    assert link

    assert "The detector has been deleted." in page(local, link[1])


def test_an_unknown_problem_is_not_found(local: Local) -> None:
    assert "There is no problem 1_2V2" in page(local, f"{PROBLEMS}/problem/1_2V2", 404)


def test_the_workflow_page_says_what_starts_it_and_what_it_sends(local: Local) -> None:
    alarm(local)
    shown = page(local, "/ui/apps/dynatrace.automations/workflows")
    assert "When a problem opens or closes" in shown
    link = re.search(r'href="(/ui/apps/dynatrace\.automations/workflows/[^"]+)">Tell<', shown)
    assert link

    assert MAIL["to"][0] in page(local, link[1])
