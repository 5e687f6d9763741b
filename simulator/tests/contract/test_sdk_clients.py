"""The vendor's own clients work on the local environment, and its answers are what their declarations promise."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
from deno import find_deno_bin

from local_dynatrace.kernel.options import SDK, script_modules
from local_dynatrace.runtime.modules import packages
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import CLIENT, DEPLOY_TOKEN, bearer
from local_dynatrace.testing.flows import allow

from .. import ROOT

DRIVER = Path(__file__).with_name("javascript") / "sdk.js"
SCOPES = [
    "automation:workflows:read", "automation:workflows:write", "automation:workflows:run",
    "environment-api:credentials:read", "environment-api:credentials:write", "environment-api:api-tokens:read",
    "settings:objects:read", "settings:objects:write", "settings:schemas:read", "storage:logs:read",
    "storage:logs:write", "storage:buckets:read",
]  # fmt: skip
IMPORTS = {"automation": "client-automation", "classic": "client-classic-environment-v2", "grail": "client-query"}
ENVIRONMENT = {**os.environ, "DENO_NO_UPDATE_CHECK": "1", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def answers(module_local: Local, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, str]]:
    """Every answer the driver got: the declared type and the value as a TypeScript expression."""
    module_local.sim("POST", "reset")
    user = {
        "id": "5ec71900-0000-4000-8000-0000000000c1", "email": "clients@nordhav.example", "name": "Clients",
        "kind": "service", "permissions": [*SCOPES, "environment:roles:viewer", "app-engine:functions:run"],
    }  # fmt: skip
    client = {"id": "dt0s02.CONTRACT", "secret": f"dt0s02.CONTRACT.{'S' * 64}", "subject": user["id"], "scopes": SCOPES}
    module_local.sim("POST", "identities", {"users": [user], "oauthClients": [client]})
    allow(module_local, "*.sectigo.com")
    folder = tmp_path_factory.mktemp("sdk")
    imports = folder / "imports.json"
    imports.write_text(json.dumps({"imports": dict(packages(script_modules()))}))
    given = {"url": module_local.url, "sso": f"{module_local.url}/sso/oauth2/token", "client": client}
    ended = subprocess.run(
        [find_deno_bin(), "run", "--quiet", "--no-prompt",
         "--no-remote", "--no-npm", "--no-config", "--no-lock", "--import-map",
         imports, f"--allow-net=127.0.0.1:{module_local.port}", DRIVER],
        input=json.dumps({**given, "token": DEPLOY_TOKEN}), capture_output=True, text=True, timeout=60, check=False,
        env=ENVIRONMENT,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    return [json.loads(line) for line in ended.stdout.splitlines()]


def checked(folder: Path, answers: list[dict[str, str]]) -> str:
    """What the compiler says to the answers as values of their declared types."""
    file, imports = folder / "answers.ts", folder / "names.json"
    lines = [f'import type * as {name} from "@dynatrace-sdk/{package}";' for name, package in IMPORTS.items()]
    lines += [f"export const _{n}: {answer['type']} = {answer['expression']};" for n, answer in enumerate(answers)]
    file.write_text("\n".join(lines) + "\n")
    pins: dict[str, Any] = json.loads((SDK / "package.json").read_text())["dependencies"]
    imports.write_text(json.dumps({"imports": {name: f"npm:{name}@{version}" for name, version in pins.items()}}))
    ended = subprocess.run(
        [find_deno_bin(), "check", "--quiet", "--config", SDK / "deno.json", "--import-map", imports, file],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False, env=ENVIRONMENT,
    )  # fmt: skip
    return "" if ended.returncode == 0 else ended.stderr


@pytest.mark.slow
def test_every_answer_has_all_declared_fields_in_their_types_and_no_others(
    answers: list[dict[str, str]], tmp_path: Path
) -> None:
    assert len(answers) > 50

    assert checked(tmp_path, answers) == ""


@pytest.mark.slow
def test_the_compiler_would_notice(answers: list[dict[str, str]], tmp_path: Path) -> None:
    workflow = next(answer for answer in answers if answer["type"].endswith('["getWorkflow"]>>'))
    mistakes = {
        '"version": ': '"versiom": ', '"isDeployed": true': '"isDeployed": "yes"', '"id": ': '"invented": 1, "id": ',
    }  # fmt: skip
    assert all(field in workflow["expression"] for field in mistakes)

    said = checked(
        tmp_path,
        [
            {**workflow, "expression": workflow["expression"].replace(field, wrong, 1)}
            for field, wrong in mistakes.items()
        ],
    )

    assert "Found 3 errors" in said, said


def test_the_seeds_own_client_gets_along_with_the_vendors_token_flow(local: Local) -> None:
    headers = bearer(local, *CLIENT["scopes"])

    assert local.call("GET", "/platform/automation/v1/version", headers=headers).status_code == 200
