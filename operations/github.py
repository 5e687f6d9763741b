"""What a job reports on GitHub: one comment per pull request, one issue per subject, each updated in place.

Reads what every GitHub job has: ``GITHUB_API_URL``, ``GITHUB_REPOSITORY``, ``GITHUB_TOKEN``, ``GITHUB_STEP_SUMMARY``.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from providers.api.errors import ApiError, DynatraceError
from providers.api.http import Http
from providers.api.redaction import Redactor

from .stack import StackError

LONGEST_BODY = 60_000
"""GitHub takes 65,536 characters."""
PAGE = 100


def fenced(text: str, language: str = "text") -> str:
    """A code block that its content cannot end."""
    fence = "```"
    while fence in text:
        fence += "`"
    text = text.strip("\n")
    if len(text) > LONGEST_BODY:
        text = text[:LONGEST_BODY] + "\n… truncated; the full text is in the job's log"
    return f"{fence}{language}\n{text}\n{fence}"


def summarize(text: str) -> None:
    """Add to the job's summary page. Does nothing outside a job."""
    path = os.environ.get("GITHUB_STEP_SUMMARY", "")
    if path:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(text + "\n")


@dataclass(frozen=True)
class Repository:
    """One repository, as a job's token sees it."""

    api: str
    name: str
    http: Http
    token: str

    @classmethod
    def of_this_job(cls) -> Repository:
        """Raises StackError outside a job."""
        missing = [name for name in ("GITHUB_REPOSITORY", "GITHUB_TOKEN") if not os.environ.get(name)]
        if missing:
            raise StackError(f"--report works only in a GitHub job: {' and '.join(missing)} not set")
        token = os.environ["GITHUB_TOKEN"]
        api = os.environ.get("GITHUB_API_URL") or "https://api.github.com"
        return cls(api, os.environ["GITHUB_REPOSITORY"], Http(Redactor([token])), token)

    def keep_issue(self, title: str, body: str) -> str:
        """Open, update or (``body`` empty) close the one issue of this title; returns what was done."""
        found = next((one for one in self._all("issues", state="open") if is_ours(one, title)), None)
        if not body:
            if found is None:
                return "not needed, none is open"
            self._send("POST", f"issues/{found['number']}/comments", {"body": "There is no drift any more."})
            self._send("PATCH", f"issues/{found['number']}", {"state": "closed"})
            return f"closed #{found['number']}"
        if found is None:
            made = self._send("POST", "issues", {"title": title, "body": body})
            return f"opened #{made['number']}"
        if found["body"] == body:
            return f"#{found['number']} is up to date"
        self._send("PATCH", f"issues/{found['number']}", {"body": body})
        return f"updated #{found['number']}"

    def keep_comment(self, number: int, subject: str, body: str) -> str:
        """Write or update the one comment about a subject on a pull request; returns what was done."""
        mark = f"<!-- sectigo-dynatrace: {subject} -->"
        text = f"{mark}\n{body}"
        comments = self._all(f"issues/{number}/comments")
        found = next((one for one in comments if str(one.get("body", "")).startswith(mark)), None)
        if found is None:
            self._send("POST", f"issues/{number}/comments", {"body": text})
            return "written"
        self._send("PATCH", f"issues/comments/{found['id']}", {"body": text})
        return "updated"

    def _all(self, path: str, **query: Any) -> Iterator[dict[str, Any]]:
        page = 1
        while True:
            found = self._send("GET", path, None, {**query, "per_page": PAGE, "page": page})
            yield from found
            if len(found) < PAGE:
                return
            page += 1

    def _send(self, method: str, path: str, body: Any, query: dict[str, Any] | None = None) -> Any:
        headers = {
            "Authorization": f"Bearer {self.token}",
            "Accept": "application/vnd.github+json",
            "X-GitHub-Api-Version": "2022-11-28",
        }
        url = f"{self.api}/repos/{self.name}/{path}"
        try:
            return self.http.send(method, url, headers=headers, body=body, query=query)
        except ApiError as error:
            hint = "; the job needs issues: write or pull-requests: write" if error.status in (401, 403, 404) else ""
            raise StackError(f"GitHub answered {error.status} to {method} {path}: {error.text}{hint}") from None
        except DynatraceError as error:
            raise StackError(f"GitHub cannot be reached: {error}") from None


def is_ours(issue: dict[str, Any], title: str) -> bool:
    return issue["title"] == title and "pull_request" not in issue
