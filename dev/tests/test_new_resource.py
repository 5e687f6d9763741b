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

    assert len(files) <= 10
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


def test_nothing_is_overwritten(written: tuple[Path, list[str]]) -> None:
    with pytest.raises(new_resource.CannotWriteError, match=r"providers/pipeline_group\.py.* exists already"):
        new_resource.write(written[0], "PipelineGroup")


@pytest.mark.parametrize("name", ["", "logBucket", "Log Bucket", "log_bucket", "../Bucket"])
def test_a_name_of_another_form_is_refused(name: str) -> None:
    with pytest.raises(new_resource.CannotWriteError, match="like LogBucket"):
        new_resource.names(name)
