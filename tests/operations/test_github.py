"""What a job keeps on GitHub: one issue per subject, one comment per pull request, no growing heap of either."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from operations import github
from operations.stack import StackError

TOKEN = "ghs_canary-of-the-token-of-a-job"


class Forge(ThreadingHTTPServer):
    """Issues and comments of one repository, over the paths of GitHub's REST API."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.issues: list[dict[str, Any]] = []
        self.comments: list[dict[str, Any]] = []
        self.refuse = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(BaseHTTPRequestHandler):
    server: Forge

    def answer(self, status: int, body: Any) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def handle_one(self, method: str) -> None:
        forge, parts = self.server, urlsplit(self.path)
        assert self.headers["Authorization"] == f"Bearer {TOKEN}"
        query = {key: value[0] for key, value in parse_qs(parts.query).items()}
        body = json.loads(self.rfile.read(int(self.headers.get("Content-Length", 0))) or b"{}")
        words = parts.path.removeprefix("/repos/nordhav/connector/issues").strip("/").split("/")
        if forge.refuse:
            return self.answer(403, {"message": "Resource not accessible by integration"})
        match method, words:
            case "GET", [""]:
                some = [one for one in forge.issues if one["state"] == query["state"]]
                begin = (int(query["page"]) - 1) * int(query["per_page"])
                return self.answer(200, some[begin : begin + int(query["per_page"])])
            case "POST", [""]:
                forge.issues.append({"number": len(forge.issues) + 1, "state": "open", **body})
                return self.answer(201, forge.issues[-1])
            case "PATCH", ["comments", id]:
                forge.comments[int(id)].update(body)
                return self.answer(200, forge.comments[int(id)])
            case "PATCH", [number]:
                forge.issues[int(number) - 1].update(body)
                return self.answer(200, forge.issues[int(number) - 1])
            case "GET", [number, "comments"]:
                found = [one for one in forge.comments if one["issue"] == int(number)]
                begin = (int(query["page"]) - 1) * int(query["per_page"])
                return self.answer(200, found[begin : begin + int(query["per_page"])])
            case "POST", [number, "comments"]:
                forge.comments.append({"id": len(forge.comments), "issue": int(number), **body})
                return self.answer(201, forge.comments[-1])
        return self.answer(404, {"message": "Not Found"})

    def do_GET(self) -> None:
        self.handle_one("GET")

    def do_POST(self) -> None:
        self.handle_one("POST")

    def do_PATCH(self) -> None:
        self.handle_one("PATCH")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def forge(monkeypatch: pytest.MonkeyPatch) -> Iterator[Forge]:
    forge = Forge()
    thread = threading.Thread(target=forge.serve_forever)
    thread.start()
    monkeypatch.setenv("GITHUB_API_URL", forge.url)
    monkeypatch.setenv("GITHUB_REPOSITORY", "nordhav/connector")
    monkeypatch.setenv("GITHUB_TOKEN", TOKEN)
    yield forge
    forge.shutdown()
    thread.join()
    forge.server_close()


def test_drift_opens_one_issue_updates_it_and_closes_it_when_clean(forge: Forge) -> None:
    forge.issues = [
        {"number": 1, "title": "Drift in prod", "state": "open", "body": "a pull request", "pull_request": {}},
        *({"number": n, "title": f"Something else {n}", "state": "open", "body": ""} for n in range(2, 131)),
    ]
    repository = github.Repository.of_this_job()

    assert repository.keep_issue("Drift in prod", "") == "not needed, none is open"
    assert repository.keep_issue("Drift in prod", "workflow (update)") == "opened #131"
    assert repository.keep_issue("Drift in prod", "workflow (update)") == "#131 is up to date"
    assert repository.keep_issue("Drift in prod", "workflow (update), allowlist (update)") == "updated #131"
    assert repository.keep_issue("Drift in prod", "") == "closed #131"
    assert forge.issues[130]["state"] == "closed"
    assert forge.issues[0]["body"] == "a pull request"
    assert repository.keep_issue("Drift in prod", "again") == "opened #132"


def test_a_pull_request_keeps_one_comment_per_stack(forge: Forge) -> None:
    repository = github.Repository.of_this_job()
    for _ in range(120):
        forge.comments.append({"id": len(forge.comments), "issue": 7, "body": "chatter"})

    assert repository.keep_comment(7, "preview of prod", "10 => 5") == "written"
    assert repository.keep_comment(7, "preview of staging", "nothing") == "written"
    assert repository.keep_comment(7, "preview of prod", "10 => 2") == "updated"
    assert [one["body"].splitlines()[1] for one in forge.comments[120:]] == ["10 => 2", "nothing"]


def test_a_refusal_says_which_permission_the_job_needs_and_no_token(forge: Forge) -> None:
    forge.refuse = True
    with pytest.raises(StackError) as refused:
        github.Repository.of_this_job().keep_issue("Drift in prod", "x")
    assert "GitHub answered 403 to GET issues" in str(refused.value)
    assert "issues: write" in str(refused.value)
    assert TOKEN not in str(refused.value)


def test_outside_a_job_a_report_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GITHUB_TOKEN", raising=False)
    monkeypatch.delenv("GITHUB_REPOSITORY", raising=False)
    with pytest.raises(StackError, match="GITHUB_REPOSITORY and GITHUB_TOKEN not set"):
        github.Repository.of_this_job()


def test_a_code_block_cannot_be_ended_by_what_it_shows() -> None:
    text = github.fenced("a\n```\n@everyone\n````\nb", "diff")
    assert text.startswith("`````diff\n") and text.endswith("\n`````")
    assert len(github.fenced("x" * 100_000)) < 65_000
