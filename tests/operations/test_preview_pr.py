"""A pull request is previewed against production's plain config, without one of its secrets."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests import ROOT
from tests.engine.deployment import Done, search_path

pytestmark = pytest.mark.slow

CANARY = "canary-of-the-jobs-own-secret"
PROGRAM = ("__main__.py", "Pulumi.yaml", "Pulumi.README.md", ".gitignore", "providers", "workflow_src")


def secure(text: str) -> dict[str, str]:
    return {"secure": f"v1:{text}"}


PRODUCTION: dict[str, Any] = {
    "dynatraceEnvironmentUrl": "https://nhv31415.live.dynatrace.com",
    "dynatraceApiToken": secure("a"),
    "logIngestToken": secure("b"),
    "oauthClientId": "dt0s02.NORDHAV1",
    "oauthClientSecret": secure("c"),
    "accountUrn": "urn:dtaccount:11112222-3333-4444-8555-666677778888",
    "scmApiUrl": "https://audit.enterprise.sectigo.com",
    "sectigoClientId": "0f0e0d0c-0b0a-4009-8807-060504030201",
    "sectigoClientSecret": secure("d"),
    "workflowActor": "99998888-7777-4666-8555-444433332222",
    "triggerIntervalMinutes": 10,
    "adopt": {"checkpoint": "CREDENTIALS_VAULT-0123456789ABCDEF"},
}


class Checkout:
    """A clone of this repository's program with a stack named prod."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        for name in PROGRAM:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, folder / name)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / ".gitignore").write_text(".venv\n__pycache__/\n")
        self.git("init", "--quiet", "--initial-branch", "main")

    def git(self, *arguments: str) -> None:
        subprocess.run(["git", "-C", str(self.folder), *arguments], check=True, capture_output=True)

    def configure(self, *absent: str, environment: Any = None, **values: Any) -> None:
        """Production's config with other values, and without some keys."""
        given = {key: value for key, value in {**PRODUCTION, **values}.items() if key not in absent}
        content = {f"sectigo-dynatrace:{key}": value for key, value in given.items()}
        stack = {"encryptionsalt": "v1:somebody:else", "config": content}
        stack |= {"environment": environment} if environment else {}
        (self.folder / "Pulumi.prod.yaml").write_text(yaml.safe_dump(stack))

    def commit(self, text: str) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", text)

    def preview(self, **env: str) -> Done:
        command = [sys.executable, "-m", "operations", "preview-pr", "--stack", "prod", "--cwd", str(self.folder)]
        kept = {key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "GITHUB_"))}
        done = subprocess.run(
            command, cwd=ROOT, env={**kept, "PATH": search_path(), **env}, text=True, capture_output=True, check=False
        )
        return Done(done.returncode, done.stdout + done.stderr)


@pytest.fixture
def checkout(tmp_path: Path, git_identity: None) -> Checkout:
    return Checkout(tmp_path / "checkout")


def test_the_preview_shows_what_production_would_and_leaks_nothing(checkout: Checkout, tmp_path: Path) -> None:
    watched = {"dashboard": True, "alerts": True, "detections": {"failedSignIns": 10}}
    checkout.configure(alertEmails="pki-team@nordhav.example", **watched)
    checkout.commit("What production runs")
    checkout.git("checkout", "--quiet", "-b", "faster")
    changed = {"triggerIntervalMinutes": 5, "alertEmails": "on-call@nordhav.example"}
    checkout.configure(**changed, **watched, sectigoClientSecret=secure("rotated"))
    script = checkout.folder / "workflow_src" / "sync.js"
    script.write_text(script.read_text().replace("=== Sectigo SCM to Dynatrace Integration ===", "=== Changed ==="))
    checkout.commit("Faster")
    summary = tmp_path / "summary.md"

    done = checkout.preview(PULUMI_ACCESS_TOKEN=CANARY, GITHUB_TOKEN=CANARY, GITHUB_STEP_SUMMARY=str(summary))

    assert done.code == 0, done.text
    assert "10 => 5" in done.text, "the schedule's change, number for number"
    assert "=== Changed ===" in done.text, "the script's change, as text"
    assert re.fullmatch(
        r"Preview of prod: 8 to update \(alertEmails, (detector-\w+, ){4}first-run, scm, workflow\)\n"
        r"Base: [0-9a-f]{7,} “What production runs”\. Head: [0-9a-f]{7,} “Faster”\.\n"
        r"Secrets: placeholders, values are not compared; set again in the stack file: sectigoClientSecret\.\n",
        "".join(done.text.splitlines(keepends=True)[:3]),
    ), "a summary of three lines comes first"
    assert "dynatrace:UserCredential: (update)" in done.text, "a rotated secret shows as the update it will be"
    assert set(re.findall(r"dynatrace:(\w+): \((?!same)", done.text)) == {
        "UserCredential",
        "Workflow",
        "WorkflowRun",  # the script has changed
        "AnomalyDetector",  # they look back over some intervals, which are shorter now
        "Notification",
    }
    assert "PLACEHOLDER" not in done.text and CANARY not in done.text
    assert "Changes to `prod`" in summary.read_text()
    assert "10 => 5" in summary.read_text()
    assert (ROOT / "build" / "preview" / "prod.txt").read_text() in done.text


def test_a_base_without_the_stack_and_a_head_that_is_not_committed(checkout: Checkout) -> None:
    checkout.commit("No production yet")
    checkout.configure()

    done = checkout.preview()

    assert done.code == 0, done.text
    assert "The base has no stack prod: everything is new." in done.text
    assert set(re.findall(r"dynatrace:\w+: \((\w+)\)", done.text)) == {"create"}


ESC = (
    "dynatraceApiToken", "logIngestToken", "oauthClientSecret", "sectigoClientSecret", "oauthClientId", "accountUrn",
    "scmApiUrl",
)  # fmt: skip


def test_what_comes_from_esc_is_a_placeholder_and_is_named(checkout: Checkout) -> None:
    settings = {"sectigo-dynatrace:scmApiUrl": "https://audit.eu.sectigo.com"}
    inline = {"imports": ["scm/prod"], "values": {"pulumiConfig": settings}}
    checkout.configure(*ESC, environment=["dynatrace/prod"], sectigoClientId=secure("encrypted by its owner"))
    checkout.commit("What production runs")
    checkout.configure(*ESC, environment=inline, sectigoClientId=secure("encrypted by its owner"), maxRetries=4)

    done = checkout.preview()

    assert done.code == 0, done.text
    summary = done.text.splitlines()[:3]
    assert summary[1].endswith("“What production runs” with uncommitted changes.")
    assert summary[2] == (
        "Secrets: placeholders, values are not compared. From ESC (scm/prod), so not known here: placeholders for "
        "dynatraceApiToken, oauthClientId, oauthClientSecret, accountUrn, sectigoClientSecret; optional settings from "
        "there are shown with their defaults."
    )
    assert "ConfigCredential: (update)" in done.text, "the head's own change"


def test_a_script_that_does_not_parse_ends_the_preview(checkout: Checkout) -> None:
    checkout.commit("No production yet")
    checkout.configure()
    script = checkout.folder / "workflow_src" / "sync.js"
    script.write_text(script.read_text() + "}\n")

    done = checkout.preview()

    assert done.code == 2
    assert "workflow_src/sync.js does not parse, so nothing was deployed: line " in done.text


def test_a_mistake_in_the_head_ends_with_pulumis_own_words(checkout: Checkout) -> None:
    checkout.commit("No production yet")
    checkout.configure(scmApiUrl="audit.enterprise.sectigo.com", initHistoryDuration="soon")

    done = checkout.preview()

    assert done.code == 2
    assert "the head cannot be previewed" in done.text
    assert "scmApiUrl: must be an address like https://HOST" in done.text
    assert "initHistoryDuration: must look like 2h" in done.text
