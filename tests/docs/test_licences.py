"""Every locked Python package has a licence that docs/licences.md names."""

from __future__ import annotations

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests import ROOT
from tests.docs.pages import text

SPDX = {
    "Apache": "Apache-2.0",
    "MPL": "MPL-2.0",
    "Mozilla": "MPL-2.0",
    "BSD": "BSD-3-Clause",
    "MIT": "MIT",
    "ISC": "ISC",
    "Python Software Foundation": "PSF-2.0",
    "PSF": "PSF-2.0",
}
"""What older metadata calls them."""
NAMED = set(re.findall(r"[A-Za-z]+(?:-[0-9][\w.-]*)?(?:-Clause)?", " ".join(
    re.findall(r"^\| ([^|]*?) \|", text(ROOT / "docs" / "licences.md"), re.MULTILINE)
)))  # fmt: skip


def packages() -> list[str]:
    found = set()
    for file in ("requirements.txt", "dev/requirements-up.txt", "dev/requirements-test.txt", "dev/requirements-uv.txt"):
        found |= set(re.findall(r"^([a-zA-Z0-9._-]+)==", (ROOT / file).read_text(), re.MULTILINE))
    return sorted(found)


def licences(package: str) -> set[str]:
    """Identifiers from the SPDX expression, else from classifiers, else from the old free text."""
    described = metadata(package)
    if expression := described.get("License-Expression"):
        return set(re.split(r"\s+(?:AND|OR|WITH)\s+|[()]", expression)) - {""}
    texts = [
        one for one in described.get_all("Classifier") or [] if one.count("::") > 1 and one.startswith("License ::")
    ]
    texts = texts or [described.get("License") or ""]
    return {next((spdx for word, spdx in SPDX.items() if word in text), text[:40]) for text in texts}


@pytest.mark.parametrize("package", packages())
def test_the_licence_of_every_locked_package_is_known(package: str) -> None:
    try:
        found = licences(package)
    except PackageNotFoundError:
        pytest.fail(f"{package} is locked and not installed; run `make setup`")
    assert found and found <= NAMED, f"{package}: {', '.join(found)} is not in docs/licences.md"


def test_the_repository_itself_is_apache_2() -> None:
    licence = (ROOT / "LICENSE").read_text()
    assert "Apache License" in licence and "Version 2.0, January 2004" in licence
