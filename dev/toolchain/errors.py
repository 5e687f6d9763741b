from __future__ import annotations


class SetupError(Exception):
    """Why the setup cannot continue, in the words for its user."""
