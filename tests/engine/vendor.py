"""An installation as the manual's ``deploy.sh`` leaves it: five vault entries and a workflow, none of them marked."""

from __future__ import annotations

from local_dynatrace.testing import Local
from local_sectigo import vendor
from local_sectigo.vendor import CHECKPOINT, ENTRIES

__all__ = ["CHECKPOINT", "ENTRIES", "install"]


def install(local: Local) -> dict[str, str]:
    """Returns the ids that the script's summary prints, by the keys of ``adopt``."""
    return vendor.install(local.url)
