"""A provider's process starts for each operation: what it imports is part of every preview's time."""

from __future__ import annotations

import subprocess
import sys

from tests import ROOT
from tests.unit.test_state_names import MODULES

# Pulumi itself imports yaml.
HEAVY = ("requests", "urllib3", "local_dynatrace", "operations", "pytest")
CODE = """
import importlib, sys
for module in {modules!r}:
    importlib.import_module(module)
print(*sorted(set({heavy!r}) & set(sys.modules)))
"""


def test_the_start_of_a_provider_imports_nothing_heavy() -> None:
    code = CODE.format(modules=MODULES, heavy=list(HEAVY))

    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)

    assert done.stdout.split() == []
