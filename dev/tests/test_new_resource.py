"""``make new-resource``: what it writes, in a copy of this repository, passes the linters and its own test."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from dev import ROOT, new_resource

COPIED = ("providers", "workflow_src", "simulator", "tests", "dev", "operations", "pyproject.toml")


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A copy of the repository with a new resource, and the files that were written or changed."""
    root = tmp_path_factory.mktemp("new") / "repository"
    root.mkdir()
    for name in COPIED:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules"))
        else:
            shutil.copy(ROOT / name, root)
    if (types := ROOT / ".mypy_cache").is_dir():  # the linters have filled it
        shutil.copytree(types, root / types.name)
    return root, new_resource.write(root, "PipelineGroup")


def run(root: Path, *words: str) -> None:
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(root / "simulator"), str(root)])}
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=root, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_touches_few_files_and_leaves_no_placeholder(written: tuple[Path, list[str]]) -> None:
    root, files = written

    assert len(files) <= 6
    assert [name for name in files if "${" in (root / name).read_text()] == []


@pytest.mark.slow
def test_its_own_test_is_green(written: tuple[Path, list[str]]) -> None:
    run(written[0], "pytest", "-q", "-p", "no:cacheprovider", "tests/provider/test_pipeline_group.py")


def test_it_passes_the_linters(written: tuple[Path, list[str]]) -> None:
    root, files = written
    python = [name for name in files if name.endswith(".py")]

    run(root, "ruff", "check", "--quiet", *python)
    run(root, "ruff", "format", "--quiet", "--check", *python)


@pytest.mark.slow
def test_it_passes_the_type_checker(written: tuple[Path, list[str]]) -> None:
    run(written[0], "mypy", "--no-error-summary")


def test_a_second_one_is_written_beside_it(written: tuple[Path, list[str]]) -> None:
    root, _ = written
    files = new_resource.write(root, "SecurityPolicy")

    assert "simulator/local_dynatrace/security_policies/__init__.py" in files
    run(root, "ruff", "check", "--quiet", "simulator/local_dynatrace/app.py")


@pytest.mark.parametrize(
    ("name", "existing"),
    [
        ("PipelineGroup", r"providers/api/pipeline_groups, providers/pipeline_group, "),
        ("Workflow", "providers/workflow"),
        ("Document", "simulator/local_dynatrace/documents"),
        ("Api", "providers/api"),
        ("Plugin", "simulator/local_dynatrace/plugins"),
    ],
)
def test_nothing_is_overwritten_or_hidden(written: tuple[Path, list[str]], name: str, existing: str) -> None:
    with pytest.raises(new_resource.CannotWriteError, match=rf"{existing}.* exists already; choose another NAME"):
        new_resource.write(written[0], name)


@pytest.mark.parametrize("name", ["", "logBucket", "Log Bucket", "log_bucket", "../Bucket", "Class"])
def test_a_name_that_makes_no_module_is_refused(name: str) -> None:
    with pytest.raises(new_resource.CannotWriteError, match=r"like LogBucket|keyword of Python"):
        new_resource.names(name)
