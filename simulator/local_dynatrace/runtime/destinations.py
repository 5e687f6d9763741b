"""Where a script's URL leads (facts: dynatrace-runtime 2, 3).

Known are the environment's own address and the hosts that plug-ins stand in for; every other name does not resolve.
Only a relative URL carries the actor's rights; an absolute one leads outside, through the allowlist, to the
environment's own host too.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from ..kernel.world import World

OWN_NAMES = ("127.0.0.1", "localhost")
PLATFORM = "/platform/"
NEVER = ("/_sim", "/ui")
"""Not there for scripts: the control API and the pages."""


class RefusedError(Exception):
    """The call fails in the script with this message, as a TypeError."""


class NotFoundError(Exception):
    """The call is answered 404: the host is there, the path is not."""


@dataclass(frozen=True)
class Destination:
    path: str
    query: bytes
    as_actor: bool
    """A call to the own platform APIs, which carries the actor's rights."""


def resolve(world: World, url: str, relative: bool) -> Destination:
    """Raises RefusedError or NotFoundError."""
    parts = urlsplit(url)
    path, query, host = unquote(parts.path) or "/", parts.query.encode("latin-1", "replace"), parts.hostname or ""
    try:
        port = parts.port or {"https": 443, "http": 80}.get(parts.scheme)
    except ValueError:
        raise RefusedError(f"Invalid URL: '{url}'") from None
    own = (parts.scheme == "http" and host in (*OWN_NAMES, world.options.host) and port == world.options.port) or (
        parts.scheme == "https" and port == 443 and host == world.options.environment_host
    )
    if own and relative and not path.startswith(PLATFORM):
        # Beside the platform APIs, a relative URL is taken for a function of the app, and there is none.
        raise NotFoundError
    if not relative:
        check_allowed(world, host)
    if own:
        if any(path == prefix or path.startswith(prefix + "/") for prefix in NEVER):
            raise NotFoundError
        return Destination(path, query, as_actor=relative)
    prefix = next((plugin.hosts[host] for plugin in world.plugins if host in plugin.hosts), None)
    if prefix is None:
        raise RefusedError(
            unreachable(url, "dns error: failed to lookup address information: Name or service not known")
        )
    if parts.scheme != "https" or port != 443:
        raise RefusedError(unreachable(url, "tcp connect error: Connection refused (os error 111)"))
    if not path.startswith(prefix):
        raise NotFoundError
    return Destination(path, query, as_actor=False)


def check_allowed(world: World, host: str) -> None:
    from ..settings import outbound

    enforced, _ = outbound.allowed_outbound(world)
    if enforced and not outbound.host_allowed(world, host):
        # facts: dynatrace-runtime 3, from the log of one app.
        raise RefusedError(f"Blocked request to '{host}' (host not in allowlist)")


def unreachable(url: str, reason: str) -> str:
    return f"error sending request for url ({url}): client error (Connect): {reason}"
