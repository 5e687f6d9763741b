"""What each config value must look like. A rule returns the value to use, or raises ValueError with what is wrong.

Durations, times and retries are read by the sync script, too: ``tests/values`` lists what both must accept and refuse.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
SSO_TOKEN_URL = "https://sso.dynatrace.com/sso/oauth2/token"
SSO_STAGES = {"sprint": "https://sso-sprint.dynatracelabs.com/sso/oauth2/token",
              "dev": "https://sso-dev.dynatracelabs.com/sso/oauth2/token"}  # fmt: skip

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?", re.ASCII)
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*([Zz]|[+-]\d\d:?\d\d)?", re.ASCII
)


@dataclass(frozen=True)
class Limits:
    """Limits that the sync script has too, under the same names (``LIMITS``)."""

    history: timedelta = timedelta(days=365)
    retries: int = 10


LIMITS = Limits()


# --- addresses -------------------------------------------------------------------------------------------------------


def url(text: str, *, path: bool = False) -> str:
    """An https address without a trailing slash; http is accepted for this machine's own loopback only."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        raise ValueError("must be an address like https://HOST") from None
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError("must be an address like https://HOST")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must start with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must contain no user, query or fragment")
    host = parts.hostname.encode("idna").decode()
    address = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
    rest = parts.path.rstrip("/")
    if rest and not path:
        raise ValueError(f"must end after the host; {rest} is added by the program")
    return address + rest


def environment_url(text: str) -> str:
    """The live address of an environment; its apps address is accepted too."""
    if re.search(r"/e/[0-9a-f-]{36}", text):
        raise ValueError("is a Dynatrace Managed or ActiveGate address; workflows exist on Dynatrace SaaS only")
    if found := re.search(r"/e/([a-z]{3}[0-9]{5})\b", text):
        raise ValueError(
            f"has the environment in its path, as ActiveGate addresses do; use https://{found[1]}.live.dynatrace.com"
        )
    address = url(text)
    if ".apps.dynatrace.com" in address:
        return address.replace(".apps.dynatrace.com", ".live.dynatrace.com")
    return re.sub(r"\.(sprint|dev)\.apps\.dynatracelabs\.com", r".\1.dynatracelabs.com", address)


def token_url(text: str) -> str:
    return url(text, path=True)


def apps_url_of(environment_url: str) -> str:
    """The apps host that belongs to an environment (facts: dynatrace-api 1).

    ``ID.live.dynatrace.com`` -> ``ID.apps.dynatrace.com``; sprint and dev stages insert ``.apps`` after the stage; a
    loopback address serves both.
    """
    parts = urlsplit(environment_url)
    host = parts.netloc
    if parts.hostname in LOOPBACK:
        return environment_url
    if ".live." in host:
        host = host.replace(".live.", ".apps.", 1)
    else:
        host = re.sub(r"\.(sprint|dev)\.(?!apps\.)", r".\1.apps.", host, count=1)
    return f"{parts.scheme}://{host}"


def sso_token_url_of(environment_url: str) -> str:
    """SSO has one address per stage, never one that is derived from an environment's host."""
    stage = re.search(r"\.(sprint|dev)\.dynatracelabs\.com", environment_url)
    return SSO_STAGES[stage[1]] if stage else SSO_TOKEN_URL


# --- times -----------------------------------------------------------------------------------------------------------


def duration(text: str) -> timedelta:
    """``2h``, ``1d``, ``5d12h``: more than nothing, at most ``LIMITS.history``."""
    found = DURATION.fullmatch(text.strip().lower())
    length = timedelta(days=int(found[1] or 0), hours=int(found[2] or 0)) if found else timedelta(0)
    if not timedelta(0) < length <= LIMITS.history:
        raise ValueError(f"must look like 2h, 1d or 5d12h, at most {LIMITS.history.days}d")
    return length


def history(text: str) -> str:
    """A duration, as text."""
    duration(text)
    return text.strip().lower()


def moment(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC. ``24:00`` and a leap second are the next day's first moment."""
    problem = ValueError("must look like 2026-01-22T12:00:00Z")
    found = TIME.fullmatch(text.strip())
    if not found or int(found[1][:4]) < 100:
        raise problem
    date, fraction, zone = found[1], found[5] or "", found[6] or "Z"
    hour, minute, second = (int(number or 0) for number in found.group(2, 3, 4))
    if hour > 24 or minute > 59 or second > 60:
        raise problem
    try:
        day = datetime.fromisoformat(date).replace(tzinfo=UTC)
    except ValueError:
        raise problem from None
    since = timedelta(hours=hour, minutes=minute, seconds=second, microseconds=int(fraction[:6].ljust(6, "0")))
    ahead = timedelta(0) if zone in "Zz" else timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return day + since + (ahead if zone[0] == "-" else -ahead)


def iso_time(text: str) -> str:
    """A time, as text."""
    moment(text)
    return text.strip()


# --- other values ----------------------------------------------------------------------------------------------------


def starting(prefix: str) -> Callable[[str], str]:
    def rule(text: str) -> str:
        if not re.fullmatch(re.escape(prefix) + r"\S+", text):
            raise ValueError(f"must start with {prefix} and contain no spaces")
        return text

    return rule


def uuid(text: str) -> str:
    if not UUID.fullmatch(text.strip()):
        raise ValueError("must be a UUID")
    return text.strip()


def between(low: int, high: int) -> Callable[[str], int]:
    def rule(text: str) -> int:
        if not re.fullmatch(r"-?(0|[1-9]\d*)", text, re.ASCII) or not low <= int(text) <= high:
            raise ValueError(f"must be an integer from {low} to {high}")
        return int(text)

    return rule


def boolean(text: str) -> bool:
    if text not in ("true", "false"):
        raise ValueError("must be true or false")
    return text == "true"


def present(text: str) -> str:
    if not text.strip():
        raise ValueError("must not be empty")
    return text


def title(text: str) -> str:
    if not re.fullmatch(r"\S[^\x00-\x1f\x7f]{0,98}\S", text):
        raise ValueError("must be 2 to 100 printable characters without spaces at either end")
    return text


def emails(text: str) -> list[str]:
    """Up to ten addresses, separated by commas or spaces; the limit of Dynatrace's e-mail action."""
    found = re.split(r"[,;\s]+", text.strip()) if text.strip() else []
    if wrong := [one for one in found if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+", one)]:
        raise ValueError(f"must be e-mail addresses, separated by commas; {wrong[0]} is none")
    if len(found) > 10:
        raise ValueError("must be 10 addresses at most; use a distribution list")
    return list(dict.fromkeys(found))


def attribute(text: str) -> str:
    """The value of a log attribute."""
    if not re.fullmatch(r"\S[^\x00-\x1f\x7f]{0,248}\S|\S", text):
        raise ValueError("must be 1 to 250 printable characters without spaces at either end")
    return text


def optional(rule: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: rule(text) if text.strip() else ""
