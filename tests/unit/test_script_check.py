"""A changed script is read by a JavaScript engine before it is deployed; the released one is known by its hash."""

from __future__ import annotations

import shutil
from collections.abc import Callable

import pytest

from workflow_src import check
from workflow_src.check import ScriptError, checked
from workflow_src.render import render_script, script_template

SCRIPT = script_template()
BROKEN = {
    "a bracket too many": (SCRIPT + "}\n", f"line {SCRIPT.count(chr(10)) + 1}: "),
    "a misspelt keyword": (SCRIPT.replace("export default async function", "export default async funtion"), "line "),
    "an unfinished line": (SCRIPT.replace("const SECOND = 1_000;", "const SECOND = ;"), "line "),
    "a name declared twice": (
        SCRIPT.replace("const SECOND = 1_000;", "const SECOND = 1; const SECOND = 2;"),
        "already",
    ),
    "an unclosed text": (SCRIPT.replace('"@dynatrace-sdk/automation-utils";', '"@dynatrace-sdk/automation-utils;'), ""),
}
READERS: dict[str, Callable[[str, str], str]] = {"deno": check.loaded_by, "node": check.parsed_by}


@pytest.mark.parametrize("name", BROKEN)
def test_a_script_that_does_not_parse_is_refused(name: str) -> None:
    script, says = BROKEN[name]
    assert script != SCRIPT

    with pytest.raises(ScriptError, match="does not parse, so nothing was deployed: ") as refused:
        checked(script)

    assert says in str(refused.value)


@pytest.mark.parametrize("engine", READERS)
@pytest.mark.parametrize("name", BROKEN)
def test_either_engine_finds_it(engine: str, name: str) -> None:
    command = check.find(engine) or shutil.which(engine)
    if not command:
        pytest.skip(f"{engine} is not installed")

    assert READERS[engine](command, BROKEN[name][0])
    assert READERS[engine](command, SCRIPT) == ""


def test_a_changed_script_that_parses_is_deployed() -> None:
    script = SCRIPT.replace("=== Sectigo SCM to Dynatrace Integration ===", "=== Changed ===")
    script = (
        'import one, { two as three, four } from "@dynatrace-sdk/new";\nimport * as five from "@dynatrace-sdk/x";\n'
        + script
    )

    assert checked(script) == script


def test_without_an_engine_the_released_script_is_known_and_a_changed_one_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(check, "find", lambda name: "")

    assert checked(SCRIPT) == SCRIPT
    with pytest.raises(ScriptError, match="put deno or node on PATH, or run make setup"):
        checked(SCRIPT + "\n")


def test_the_hash_is_that_of_the_script() -> None:
    assert check.hash_line(SCRIPT) == check.committed(), "run python -m dev.link"


def test_no_parameter_can_break_the_rendered_script() -> None:
    hostile = 'a"; } \\ \u2028 \n </script> ${x} `'
    names = ("environmentUrl", "scmApiUrl", "scmTokenUrl", "scmCredentialId", "logIngestCredentialId",
             "checkpointCredentialId", "executionLockCredentialId", "workflowConfigCredentialId")  # fmt: skip

    script = render_script(
        SCRIPT, {**dict.fromkeys(names, hostile), "maxExecutionTimeMinutes": 55, "attributes": {"a": hostile}}
    )

    assert checked(script) == script
