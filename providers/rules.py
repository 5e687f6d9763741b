"""What each config value must look like. A rule returns the value to use, or raises ValueError with what is wrong.

Durations, times and retries are read by the sync script, too: ``tests/values`` lists what both must accept and refuse.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import IPv6Address
from urllib.parse import urlsplit

LOOPBACK = ("127.0.0.1", "localhost", "::1")
DEFAULT_PORTS = {"https": 443, "http": 80}
SSO_TOKEN_URL = "https://sso.dynatrace.com/sso/oauth2/token"
SSO_STAGES = {"sprint": "https://sso-sprint.dynatracelabs.com/sso/oauth2/token",
              "dev": "https://sso-dev.dynatracelabs.com/sso/oauth2/token"}  # fmt: skip

OWNER = re.compile(r"[\w.-]+/[\w.-]+(#[0-9a-f]{8})?", re.ASCII)
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE | re.ASCII)
HOST = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?", re.ASCII)
BLANKS = "\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
"""What JavaScript's ``trim`` and ``\\s`` take for white space, as in a character class; Python's own list differs."""
OUTER_BLANKS = re.compile(f"^[{BLANKS}]+|[{BLANKS}]+\\Z")
DURATION = re.compile(r"(?:(\d{1,4})d)?(?:(\d{1,4})h)?", re.ASCII)
TIME = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[Tt ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?"
    rf"[{BLANKS}]*([Zz]|[+-]\d\d:?\d\d)?",
    re.ASCII,
)
PRINTED_TIME = re.compile(
    r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?) ([+-]\d{4}) (?:[A-Z]{1,5}|[+-]\d{2,4})", re.ASCII
)
"""Go's ``time.Time``: ``2026-01-22 12:00:00 +0000 UTC``."""
TOKENS = {
    "dt0c01.": "an API token",
    "dt0s02.": "an OAuth client",
    "dt0s03.": "an OAuth client",
    "dt0s06.": "a refresh token",
    "dt0s08.": "an OAuth client",
    "dt0s16.": "a platform token",
}
"""What Dynatrace's prefixes stand for (facts: dynatrace-api 2.1)."""
QUOTES = {'"': '"', "'": "'", "`": "`", "“": "”", "„": "“", "\u2018": "\u2019", "«": "»"}


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
        host, port = host_of(parts.hostname or ""), parts.port
    except ValueError:
        raise ValueError("must be an address like https://HOST") from None
    if not host or parts.scheme not in DEFAULT_PORTS:
        raise ValueError("must be an address like https://HOST")
    if parts.scheme == "http" and host not in LOOPBACK:
        raise ValueError("must start with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must contain no user, query or fragment")
    shown = f"[{host}]" if ":" in host else host
    address = f"{parts.scheme}://{shown}" + (f":{port}" if port not in (None, DEFAULT_PORTS[parts.scheme]) else "")
    rest = parts.path.rstrip("/")
    if rest and not path:
        raise ValueError(f"must end after the host; {rest} is added by the program")
    return address + rest


def host_of(name: str) -> str:
    """A host name in the one form that is compared: lower case, ASCII, without the dot of a fully qualified name.

    Raises ValueError for what is no host name.
    """
    host = name.lower().removesuffix(".")
    if ":" in host:
        return str(IPv6Address(host))
    encoded = host.encode("idna").decode() if host else ""
    if encoded and not HOST.fullmatch(encoded):
        raise ValueError("is not a host name")
    return encoded


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
    """SSO has one address per stage, never one that is derived from an environment's host; a loopback address serves
    it as well."""
    if urlsplit(environment_url).hostname in LOOPBACK:
        return f"{environment_url}/sso/oauth2/token"
    stage = re.search(r"\.(sprint|dev)\.dynatracelabs\.com", environment_url)
    return SSO_STAGES[stage[1]] if stage else SSO_TOKEN_URL


# --- times -----------------------------------------------------------------------------------------------------------


def trimmed(text: str) -> str:
    """The same as the sync script's ``trim()``."""
    return OUTER_BLANKS.sub("", text)


def duration(text: str) -> timedelta:
    """``2h``, ``1d``, ``5d12h``: more than nothing, at most ``LIMITS.history``."""
    found = DURATION.fullmatch(trimmed(text).lower())
    length = timedelta(days=int(found[1] or 0), hours=int(found[2] or 0)) if found else timedelta(0)
    if not timedelta(0) < length <= LIMITS.history:
        raise ValueError(f"must look like 2h, 1d or 5d12h, at most {LIMITS.history.days}d")
    return length


def history(text: str) -> str:
    """A duration, as text."""
    duration(text)
    return trimmed(text).lower()


def moment(text: str) -> datetime:
    """An ISO 8601 time; without an offset it is UTC. ``24:00`` and a leap second are the next day's first moment."""
    problem = ValueError("must look like 2026-01-22T12:00:00Z")
    found = TIME.fullmatch(trimmed(text))
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
    try:
        return day + since + (ahead if zone[0] == "-" else -ahead)
    except OverflowError:  # the last moment of the year 9999
        raise problem from None


def iso_time(text: str) -> str:
    """A time, as text. A time without quotes in a stack file arrives as Pulumi's engine prints it."""
    if found := PRINTED_TIME.fullmatch(text.strip()):
        day, clock, offset = found.groups()
        text = f"{day}T{clock}" + ("Z" if offset == "+0000" else f"{offset[:3]}:{offset[3:]}")
    moment(text)
    return trimmed(text)


# --- placeholders ---------------------------------------------------------------------------------------------------

PLACEHOLDER = re.compile(
    r"(?<![A-Za-z0-9])YOUR[_-][A-Z0-9_-]*|(?<=dt0s02\.)YOUR[A-Z]{1,12}(?![A-Z0-9.])|<[A-Za-z][\w -]{0,40}>"
)
"""``YOUR_ENV``, as in the examples here and in the manual; ``dt0s02.YOURCLIENT`` stood in earlier ones;
``<your-uuid>`` in the vendors' pages."""


def placeholder_in(text: str) -> str:
    """The placeholder that a value still contains, or empty."""
    found = PLACEHOLDER.search(text)
    return found.group() if found else ""


# --- other values ----------------------------------------------------------------------------------------------------


def starting(prefix: str) -> Callable[[str], str]:
    """A token or an ID with this prefix. Another kind of token is named; no message shows the value."""

    def rule(text: str) -> str:
        if re.fullmatch(re.escape(prefix) + "[!-~]+", text):
            return text
        refuse_other_tokens(text, prefix)
        if text.strip().startswith(prefix) and text != prefix:
            raise ValueError("contains spaces, line breaks or characters that no token has; set it again without them")
        raise ValueError(f"must start with {prefix} and contain no spaces")

    return rule


def refuse_other_tokens(text: str, prefix: str = "", form: str = "") -> None:
    """Raise ValueError if it is a token of Dynatrace, other than those with this prefix. ``form``: what it must be."""
    word = text.rsplit(maxsplit=1)[-1] if text.split() else ""  # also of a header's value, like “Api-Token dt0c01…”
    for other, kind in TOKENS.items():
        if word.startswith(other) and kind != TOKENS.get(prefix):
            raise ValueError(f"is {kind} ({other}); it must be {form or f'{TOKENS[prefix]} ({prefix})'}")


def token(prefix: str) -> Callable[[str], str]:
    """A token with all its parts."""

    def rule(text: str) -> str:
        given = starting(prefix)(text)
        if not re.fullmatch(r"[^.]+\.[^.]+\.[^.]+", given):
            raise ValueError("is not complete: it has three parts, separated by dots, and the last one is the secret")
        return given

    return rule


def account(text: str) -> str:
    """URN of an account."""
    refuse_other_tokens(text, form="urn:dtaccount:UUID")
    prefix, _, id = text.strip().rpartition(":")
    if prefix.lower() != "urn:dtaccount" or not UUID.fullmatch(id):
        raise ValueError("must look like urn:dtaccount:UUID")
    return f"urn:dtaccount:{id}"


def client_id(text: str) -> str:
    """ID of an OAuth client, ``dt0s02.`` and one more part."""
    given = starting("dt0s02.")(text)
    if given.count(".") > 1:
        raise ValueError(
            "is the client's secret; the ID is the part before the second dot. The stack file now has the secret in "
            "plaintext: create a new one"
        )
    return given


def unquoted(text: str) -> str:
    """The value itself. Raises ValueError if it has quotes around it: they were typed into a prompt, or escaped."""
    if len(text) > 1 and QUOTES.get(text[0]) == text[-1]:
        raise ValueError("has quotes around it, which are part of the value; set it again without them")
    return text


def uuid(text: str) -> str:
    refuse_other_tokens(text, form="a UUID")
    if not UUID.fullmatch(text.strip()):
        raise ValueError("must be a UUID, like 1b9d6bcd-0000-4000-8000-0123456789ab")
    return text.strip()


def between(low: int, high: int) -> Callable[[str], int]:
    """An integer as JSON writes it, which is how the sync script reads one: ``3``, and also ``3.0``."""

    def rule(text: str) -> int:
        with suppress(ValueError, RecursionError):
            number = json.loads(text)
            if type(number) in (int, float) and low <= number <= high and number == int(number):
                return int(number)
        raise ValueError(f"must be an integer from {low} to {high}")

    return rule


def boolean(text: str) -> bool:
    if text.lower() not in ("true", "false"):
        raise ValueError("must be true or false")
    return text.lower() == "true"


def scm_secret(text: str) -> str:
    """Sectigo does not document what it looks like."""
    refuse_other_tokens(text, form="the secret of the SCM audit API key")
    if text != text.strip():
        raise ValueError("has spaces or line breaks at its ends; set it again without them")
    return text


def title(text: str) -> str:
    if not re.fullmatch(r"\S[^\x00-\x1f\x7f]{0,98}\S", text):
        raise ValueError("must be 2 to 100 printable characters without spaces at either end")
    return text


def emails(text: str) -> list[str]:
    """Up to ten addresses, separated by commas or spaces; the limit of Dynatrace's e-mail action."""
    found = re.split(r"[,;\s]+", text.strip()) if text.strip() else []
    if wrong := [one for one in found if not re.fullmatch(r"[^@\s,;<>\"]+@[^@\s,;<>\"]+\.[^@\s,;<>\".]+", one)]:
        raise ValueError(f"must be e-mail addresses, separated by commas; {wrong[0]} is not one")
    if len(found) > 10:
        raise ValueError("must be 10 addresses at most; use a distribution list")
    return list(dict.fromkeys(found))


def attribute(text: str) -> str:
    """The value of a log attribute."""
    if not re.fullmatch(r"\S[^\x00-\x1f\x7f]{0,248}\S|\S", text):
        raise ValueError("must be 1 to 250 printable characters without spaces at either end")
    return text


def owner(text: str) -> str:
    """The owner of objects, as their marks name it (``claims``)."""
    if not OWNER.fullmatch(text.strip()):
        raise ValueError("must look like PROJECT/STACK#1a2b3c4d, as the error message or make status shows it")
    return text.strip()


def optional(rule: Callable[[str], str]) -> Callable[[str], str]:
    return lambda text: rule(text) if text.strip() else ""
