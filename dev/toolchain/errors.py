from __future__ import annotations


class SetupError(Exception):
    """Why the set-up cannot go on, as its user should read it."""
