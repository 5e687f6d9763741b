"""Web pages at Dynatrace's own paths, rendered on the server: what a deployment made, and what it does.

Nothing here is needed by any client; pages only read what the APIs keep, and never a secret.
"""

from __future__ import annotations

from .routes import ROUTES

__all__ = ["ROUTES"]
