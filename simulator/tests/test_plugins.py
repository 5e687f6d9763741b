"""The plug-in interface: a Dynatrace alone works, and names nothing of a plug-in."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import local_dynatrace
from local_dynatrace import plugins
from local_dynatrace.testing import Local
from local_dynatrace.testing.flows import allow, play

from . import ROOT

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


def test_these_tests_need_nothing_of_the_repository_around_the_project() -> None:
    files = Path(__file__).parent.rglob("*.py")
    foreign = re.compile(r"^\s*(?:from|import) (?:tests|dev|providers|operations|workflow_src)\b", re.MULTILINE)

    assert [file.name for file in files if foreign.search(file.read_text())] == []


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


def example(word: str) -> str:
    """The Python example of README.md that holds a word."""
    blocks = re.findall(
        r"```python\n(.*?)```", (ROOT / "simulator" / "README.md").read_text(encoding="utf-8"), re.DOTALL
    )
    return next(block for block in blocks if word in block)


def test_the_plugin_of_the_readme_works(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    distribution = tmp_path / "my_package-1.dist-info"
    distribution.mkdir()
    (distribution / "METADATA").write_text("Metadata-Version: 2.1\nName: my-package\nVersion: 1\n")
    (distribution / "entry_points.txt").write_text(f"[{plugins.GROUP}]\nclock = my_package:PLUGIN\n")
    (tmp_path / "my_package.py").write_text(example("PLUGIN ="))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    local = Local(tmp_path)
    try:
        allow(local, "time.example.com")
        script = "export default async () => (await (await fetch('https://time.example.com/v1/time')).json()).now;"

        assert play(local, script).result == local.sim("GET", "clock")["now"]
        assert local.sim("GET", "health")["plugins"] == ["clock", "sectigo"]
        assert local.sim("POST", "faults", {"api": "clock", "status": 503})["api"] == "clock"
    finally:
        local.close()


def test_the_test_of_the_readme_passes(local: Local) -> None:
    names: dict[str, Callable[[Local], None]] = {}
    exec(example("def test_"), names)

    names["test_a_workflow_reads_the_vault"](local)


def test_the_plugin_is_found_by_its_entry_point(local: Local) -> None:
    assert [plugin.name for plugin in plugins.found()] == local.sim("GET", "health")["plugins"] == ["sectigo"]
