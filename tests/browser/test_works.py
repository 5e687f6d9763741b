"""What a stranger does with the pages: break something, see the connector fail and recover, watch a run."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from local_dynatrace.testing import Local
from simulator.tests.browser.addresses import pages
from simulator.tests.browser.chromium import picture, tab

from . import story

pytestmark = pytest.mark.slow

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page

pytestmark = pytest.mark.slow

INTERVAL = timedelta(seconds=story.INTERVAL_S)
RUNS_UNTIL_CALM = 6
"""The problem of failed runs closes three intervals and three minutes after the last of them."""
SHIFTS = """() => {
  window.shifts = [];
  // The clock's line says what is broken on purpose, and gets longer or shorter with that.
  const moved = (sources) => sources.filter(({ node }) => !document.getElementById("clock").contains(node));
  const seen = ({ sources, value }) => moved(sources).length > 0 && window.shifts.push(
    value.toFixed(4) + " " + sources.map(({ node }) => (node?.outerHTML ?? node?.data ?? "").slice(0, 80)).join(" | "));
  new PerformanceObserver((list) => list.getEntries().forEach(seen)).observe({ type: "layout-shift" });
}"""


@pytest.fixture
def repaired(at_work: Local) -> Local:
    """The environment, without anything broken."""
    at_work.sim("DELETE", "faults")
    at_work.sim("POST", "clock", {"mode": "auto"})
    return at_work


@pytest.fixture
def calm(repaired: Local) -> Local:
    """The same, after so many good runs that every problem has closed."""
    story.runs(repaired, RUNS_UNTIL_CALM)
    return repaired


def in_strip(page: Page, text: str) -> None:
    """Wait until the connector's strip says so; a click before may need a moment to have its effect."""
    page.locator("section[aria-label='The connector now'] .strip > div").get_by_text(text).first.wait_for()


def to_the_next_run(page: Page, local: Local) -> None:
    page.get_by_role("button", name="To the next run").click()
    assert local.sim("GET", "idle", timeout_s=30)["idle"]
    page.reload()


def test_a_stranger_breaks_something_with_a_button_and_sees_the_connector_recover(
    chromium: Browser, repaired: Local
) -> None:
    with tab(chromium, repaired) as page:
        page.goto("/")
        page.get_by_role("link", name="Break something").click()
        in_strip(page, "Healthy")

        page.get_by_role("button", name=re.compile("^Break: The SCM client secret was replaced")).click()
        assert "Not triggered yet." in page.locator("#preset-scm-secret-replaced").inner_text()
        to_the_next_run(page, repaired)

        in_strip(page, "Failing")
        in_strip(page, "SCM refused the OAuth client")
        assert "Triggered" in page.locator("#preset-scm-secret-replaced").inner_text()
        picture(page, "broken-light-1280")
        page.get_by_role("button", name=re.compile("^Repair: The SCM client secret was replaced")).click()
        to_the_next_run(page, repaired)

        in_strip(page, "Healthy")
        page.get_by_role("link", name="Sectigo SCM Integration").click()
        assert page.locator("dt:text('Missing') + dd > span").first.inner_text() == "0"


def test_the_break_of_a_connector_opens_a_problem_and_its_repair_closes_it(chromium: Browser, calm: Local) -> None:
    with tab(chromium, calm) as page:
        page.goto("/")
        assert problem(page, "Runs fail") == []
        page.get_by_role("link", name="Controls").click()
        page.get_by_role("button", name=re.compile("^Break: The SCM client secret was replaced")).click()
        broken = now(calm)
        for _ in range(3):
            to_the_next_run(page, calm)

        assert now(calm) - broken < 3 * INTERVAL + timedelta(minutes=1)  # the third run takes some seconds
        assert problem(page, "Runs fail") == ["Active"]
        picture(page, "problem-light-1280")
        page.get_by_role("link", name="Mails").click()
        mail = page.get_by_role("article").filter(has_text="Sectigo SCM: Runs fail").first
        assert "pki-team@nordhav.example" in mail.inner_text()
        board(page)
        assert drawn(page, "Runs by outcome")[-4:] == ["caught up 1", *["failed 1"] * 3]
        assert drawn(page, "Records sent")[-6:] == ["sent 0"] * 6  # minutes
        assert "SCM refused the OAuth client" in tile(page, "Latest runs").inner_text()
        picture(page, "gap-light-1280")

        page.get_by_role("link", name="Controls").click()
        page.get_by_role("button", name=re.compile("^Repair: The SCM client secret was replaced")).click()
        for _ in range(RUNS_UNTIL_CALM):
            to_the_next_run(page, calm)

        assert problem(page, "Runs fail") == ["Closed"]
        board(page)
        assert drawn(page, "Runs by outcome")[-RUNS_UNTIL_CALM:] == ["caught up 1"] * RUNS_UNTIL_CALM
        assert set(drawn(page, "Records sent")[-2 * RUNS_UNTIL_CALM :]) > {"sent 0"}


def problem(page: Page, name: str) -> list[str]:
    """The status of each problem of this name."""
    page.get_by_role("link", name="Problems").click()
    return [row.get_by_role("cell").first.inner_text() for row in page.get_by_role("row").filter(has_text=name).all()]


def board(page: Page) -> None:
    page.get_by_role("link", name="Dashboards").click()
    page.get_by_role("link", name="Sectigo SCM Audit").click()
    page.get_by_role("link", name="30 min").click()


def tile(page: Page, title: str) -> Locator:
    return page.get_by_role("region", name=title, exact=True)


def drawn(page: Page, title: str) -> list[str]:
    """What a chart shows of each interval, the oldest first."""
    return [text.split(" UTC: ")[1] for text in tile(page, title).locator(".strip title").all_text_contents()]


def now(local: Local) -> datetime:
    return datetime.fromisoformat(local.sim("GET", "clock")["now"])


def test_all_of_it_goes_by_keyboard_alone(chromium: Browser, repaired: Local) -> None:
    with tab(chromium, repaired) as page:
        page.goto("/_sim/ui/controls")
        page.get_by_role("button", name=re.compile("^Break: No new audit records come")).focus()
        page.keyboard.press("Enter")
        page.wait_for_url("**/controls#preset-scm-quiet")
        page.keyboard.press("Tab")  # goes on from the preset, not from the top of the page
        assert page.evaluate("document.activeElement.closest('li')?.id") == "preset-scm-quiet"
        page.keyboard.press("Enter")
        page.get_by_role("button", name=re.compile("^Break: No new audit records come")).wait_for()
    assert repaired.sim("GET", "options")["scm_stream"] is True


def test_a_run_is_watched_to_its_end_and_nothing_moves_on_the_page(chromium: Browser, repaired: Local) -> None:
    repaired.sim("POST", "clock", {"mode": "frozen"})
    # The script gets to SCM and waits there, as the clock stands.
    repaired.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "delay_s": 30})
    with tab(chromium, repaired) as page:
        page.clock.install()
        page.goto(pages(repaired)["workflow"])
        page.get_by_role("button", name="Run").click()
        page.wait_for_url("**/executions/*")
        chip = page.locator("h1 .chip")
        assert chip.inner_text() == "Running"
        page.evaluate(SHIFTS)
        assert look(page, "OAuth token obtained")
        page.locator("#log-text").focus()
        repaired.sim("POST", "clock", {"mode": "auto"})
        assert repaired.sim("GET", "idle", timeout_s=30)["idle"]

        assert look(page, "Execution lock released")
        assert chip.inner_text() == "Success"
        assert '"caught up"' in page.locator("#result-text").inner_text()
        assert page.evaluate("document.activeElement.id") == "log-text"
        assert page.locator("#live").get_attribute("data-poll-ms") == "0"
        assert page.evaluate("shifts") == []


def look(page: Page, text: str) -> bool:
    """Let the page look again, as its own timer does, until the log holds a text."""
    for _ in range(40):
        if text in page.locator("#log-text").inner_text():
            return True
        with page.expect_response("**/executions/*"):
            page.clock.run_for(2000)
    return False


def test_what_one_types_survives_a_refresh(chromium: Browser, repaired: Local) -> None:
    repaired.sim("POST", "clock", {"mode": "frozen"})
    repaired.sim("POST", "faults", {"api": "scm", "path": "/api/v1/records", "delay_s": 30})
    workflow = pages(repaired)["workflow"]
    with tab(chromium, repaired) as page:
        page.clock.install()
        assert repaired.call("POST", f"{workflow}/run").status_code == 200
        page.goto("/_sim/ui/controls")
        page.get_by_label("A rule of your own").fill('{"api": "vault"}')
        page.locator("#reset summary").click()
        with page.expect_response("**/controls"):
            page.clock.run_for(2000)
        page.wait_for_function("document.getElementById('live').dataset.pollMs === '2000'")

        assert page.get_by_label("A rule of your own").input_value() == '{"api": "vault"}'
        assert page.get_by_role("button", name="Yes, delete everything").is_visible()
    repaired.sim("POST", "clock", {"mode": "auto"})
    assert repaired.sim("GET", "idle", timeout_s=30)["idle"]


def test_without_scripts_in_the_browser_every_button_works(chromium: Browser, repaired: Local) -> None:
    with tab(chromium, repaired, java_script_enabled=False) as page:
        page.goto("/_sim/ui/connector")
        page.get_by_role("button", name="Run now").click()
        assert "/executions/" in page.url
        assert repaired.sim("GET", "idle", timeout_s=30)["idle"]
        page.reload()
        assert page.locator("h1 .chip").inner_text() == "Success"


def test_a_query_is_typed_and_its_records_are_opened(chromium: Browser, repaired: Local) -> None:
    with tab(chromium, repaired) as page:
        page.goto("/ui/apps/dynatrace.logs")
        page.get_by_label("DQL query").fill(
            'fetch logs, from: -24h | filter log.source == "sectigo-scm-connector" | limit 3'
        )
        page.get_by_role("button", name="Run query").click()
        assert page.locator("h2").first.inner_text() == "3 records"
        page.locator(".record summary").first.click()
        assert page.get_by_text("connector.outcome").first.is_visible()
        assert page.locator("figure svg rect").count() > 0
