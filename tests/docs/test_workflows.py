"""The workflows of the repository ask for little, run pinned actions and give no secret to a fork."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from dev.toolchain import actionlint
from simulator.tests.browser.chromium import PICTURES
from tests import ROOT

FILES = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def content(file: Path) -> dict[Any, Any]:
    found: dict[Any, Any] = yaml.safe_load(file.read_text())
    return found


def test_there_are_workflows_for_checks_pull_requests_deployment_and_drift() -> None:
    assert {file.stem for file in FILES} >= {"checks", "pull-request", "deploy", "drift"}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_permissions_are_empty_at_the_top_and_jobs_are_bounded(file: Path) -> None:
    workflow = content(file)
    assert workflow["permissions"] == {}
    for name, job in workflow["jobs"].items():
        assert job["permissions"]["contents"] == "read", name
        assert job["timeout-minutes"] <= 30, name
        checkout = next(step for step in job["steps"] if str(step.get("uses", "")).startswith("actions/checkout@"))
        assert checkout["with"]["persist-credentials"] is False, name


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_actions_are_pinned_by_commit_and_say_their_version(file: Path) -> None:
    for line in re.findall(r"uses: .*", file.read_text()):
        assert re.fullmatch(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", line), line


def test_a_job_that_forks_can_start_sees_no_secret() -> None:
    workflow = content(ROOT / ".github" / "workflows" / "pull-request.yml")
    assert "pull_request_target" not in (ROOT / ".github" / "workflows" / "pull-request.yml").read_text()
    same_repository = "github.event.pull_request.head.repo.full_name == github.repository"
    for name, job in workflow["jobs"].items():
        guarded = job.get("if") == same_repository
        assert guarded or "secrets." not in json.dumps(job), name
        assert guarded or set(job["permissions"].values()) == {"read"}, name


def test_a_deployment_waits_for_its_environment_and_is_never_cancelled() -> None:
    job = content(ROOT / ".github" / "workflows" / "deploy.yml")["jobs"]["deploy"]
    assert job["environment"] == "${{ matrix.stack }}"
    assert job["concurrency"]["cancel-in-progress"] is False


def test_the_pictures_of_the_browser_tests_are_kept_from_every_run() -> None:
    steps = content(ROOT / ".github" / "workflows" / "checks.yml")["jobs"]["checks"]["steps"]
    [upload] = [step for step in steps if str(step.get("uses", "")).startswith("actions/upload-artifact@")]
    assert ROOT / upload["with"]["path"] == PICTURES
    assert upload["if"] == "always()", "pictures of a failed run tell the most"
    assert steps.index(upload) == len(steps) - 1


def test_zizmor_finds_nothing() -> None:
    zizmor = Path(sys.executable).with_name("zizmor")
    assert zizmor.is_file(), "zizmor is one of the locked packages of the local environment; run `make setup`"
    command = [str(zizmor), "--offline", "--no-progress", "--color", "never", "--persona", "auditor", ".github"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_actionlint_finds_nothing() -> None:
    found = actionlint.find()
    if isinstance(found, str):
        pytest.skip(f"the workflows are not checked by actionlint: {found}")
    command = [str(found), "-no-color", "-shellcheck=", "-pyflakes="]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_where_actionlint_is_not_to_be_had_the_skip_says_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(actionlint, "BUILT", tmp_path / "built")
    monkeypatch.setattr(actionlint, "go_paths", lambda go: (tmp_path / "actionlint", tmp_path))
    for go in ("/usr/bin/go", None):
        monkeypatch.setattr("shutil.which", lambda name, go=go: go if name == "go" else None)
        assert str(actionlint.find()).endswith(actionlint.INSTALL)


def test_actionlint_is_documented_in_the_version_that_is_looked_for() -> None:
    assert f"`{actionlint.INSTALL}`" in (ROOT / "CONTRIBUTING.md").read_text()
