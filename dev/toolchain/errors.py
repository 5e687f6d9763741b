from __future__ import annotations


class SetupError(Exception):
    """Why the setup cannot go on, as its user should read it."""
