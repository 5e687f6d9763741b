"""The plug-in interface: a Dynatrace alone works, and names nothing of a plug-in."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import local_dynatrace
from local_dynatrace import plugins
from local_dynatrace.testing import Local
from local_dynatrace.testing.flows import allow, play

PACKAGE = Path(local_dynatrace.__file__).parent
WORDS = re.compile(r"sectigo|\bscm(\b|_)", re.IGNORECASE)


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Local]:
    local = Local(tmp_path_factory.mktemp("alone"), no_plugins=True)
    yield local
    local.close()


def test_the_package_names_nothing_of_sectigo() -> None:
    skipped = {"node_modules", "__pycache__"}
    files = [file for file in PACKAGE.rglob("*") if file.is_file() and not skipped & {*file.parts}]

    found = [f"{file}: {line}" for file in files for line in file.read_text().splitlines() if WORDS.search(line)]

    assert len(files) > 150
    assert found == []


def test_a_dynatrace_without_plugins_runs_scripts(alone: Local) -> None:
    script = """import { executionsClient } from "@dynatrace-sdk/client-automation";
        export default async () => typeof executionsClient.getExecution;"""

    assert play(alone, script).result == "function"


def test_without_plugins_their_hosts_routes_options_and_pages_are_not_there(alone: Local) -> None:
    allow(alone, "audit.demo.sectigo.com")
    script = "export default () => fetch('https://audit.demo.sectigo.com/api/v1/records').catch((e) => e.message);"

    assert "failed to lookup address" in play(alone, script).result
    assert alone.call("GET", "/api/v1/records").status_code == 501
    assert not [option for option in alone.sim("GET", "options") if option.startswith("scm_")]
    assert alone.sim("GET", "health")["plugins"] == []
    assert "Connector" not in alone.call("GET", "/").text
    assert [name for name in alone.sim("GET", "state")["tables"] if "scm" in name] == []


def test_without_plugins_every_page_and_a_reset_work(alone: Local) -> None:
    links = set(re.findall(r'href="(/[^"#?]*)"', alone.call("GET", "/").text))

    assert len(links) > 8
    assert {link: alone.call("GET", link).status_code for link in links} == dict.fromkeys(links, 200)
    assert alone.sim("POST", "reset")["status"] == "ready"


def test_the_plugin_is_found_by_its_entry_point(local: Local) -> None:
    assert [plugin.name for plugin in plugins.found()] == local.sim("GET", "health")["plugins"] == ["sectigo"]
