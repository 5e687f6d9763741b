"""The committed script is what its modules link to."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev import costs, link


def test_the_committed_script_is_current() -> None:
    assert link.SCRIPT.read_text(encoding="utf-8") == link.link(), "run `python -m dev.link`"


def test_the_docs_say_what_each_rule_costs_in_lines() -> None:
    page = costs.PAGE.read_text(encoding="utf-8")
    found, others = costs.costs()

    assert page == costs.written(page), "run `python -m dev.costs`"
    assert sum(lines.total() for lines in found.values()) > others / 3
    # A comment above a function speaks for all of it, and for nothing behind it.
    assert costs.statement(["/** L1 */", "function a(", "  b,", ") {", "  c();", "}", "", "const d = 1;"], 1) == 6


def modules(folder: Path, monkeypatch: pytest.MonkeyPatch, **texts: str) -> None:
    monkeypatch.setattr(link, "SOURCES", folder)
    monkeypatch.setattr(link, "ORDER", tuple(texts))
    for name, text in texts.items():
        (folder / f"{name}.js").write_text(text, encoding="utf-8")


def test_local_imports_and_exports_go_and_all_else_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules(
        tmp_path,
        monkeypatch,
        first='// Why.\nimport { x } from "elsewhere";\nexport {\n  x,\n};\n',
        second='import { x } from "./first.js";\n/** @import { T } from "./first.js" */\n\n'
        "/** What. */\nexport async function* two() {\n  yield x; // export\n}\nexport const three = 3;\n",
        third='import {\n  three,\n  two,\n} from "./second.js";\n\nexport default function run() {}\n',
    )

    assert link.link() == link.HEADER + (
        '// Why.\nimport { x } from "elsewhere";\n\n'
        "/** What. */\nasync function* two() {\n  yield x; // export\n}\nconst three = 3;\n\n"
        "export default function run() {}\n"
    )


def test_two_modules_must_not_share_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules(tmp_path, monkeypatch, one="export const same = 1;\n", two="async function same() {}\n")

    with pytest.raises(ValueError, match="define same"):
        link.link()


def test_every_module_has_a_place_in_the_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    modules(tmp_path, monkeypatch, one="")
    (tmp_path / "forgotten.js").write_text("", encoding="utf-8")

    with pytest.raises(ValueError, match="forgotten"):
        link.link()
