"""What the other parts of the local environment may ask of SCM."""

from .clients import add_client, remove_client
from .records import inject, issued
from .stream import materialise

__all__ = ["add_client", "inject", "issued", "materialise", "remove_client"]
