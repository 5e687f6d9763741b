"""The stack config: every key, its rules, and all problems at once.

Types, defaults and descriptions stand in Pulumi.yaml too, where Pulumi checks them before the program starts; what a
value must look like is checked here, before the first call. No message ever shows a secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import pulumi

from .api.environment import LOOPBACK, apps_url_of
from .credential import EntryArgs
from .lifecycle import Place
from .recovery import TITLE

SSO_TOKEN_URL = "https://sso.dynatrace.com/sso/oauth2/token"
SSO_STAGES = {"sprint": "https://sso-sprint.dynatracelabs.com/sso/oauth2/token",
              "dev": "https://sso-dev.dynatracelabs.com/sso/oauth2/token"}  # fmt: skip
# UNVERIFIED for the audit API; it is the documented address of Sectigo's other APIs.
SCM_TOKEN_URL = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"

UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
DURATION = re.compile(r"(?=.*[1-9])(\d{1,4}d)?(\d{1,4}h)?")
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,9})?)?(Z|[+-]\d\d:?\d\d)?")
ADOPTABLE = ("scm", "logIngest", "checkpoint", "executionLock", "workflowConfig", "workflow")
LOG_AGE_HOURS = 24


# --- rules: each returns the value to use, or raises ValueError with what is wrong -----------------------------------


def url(text: str, *, path: bool = False) -> str:
    """An https address without a trailing slash; http is accepted for this machine's own loopback only."""
    try:
        parts = urlsplit(text.strip())
    except ValueError:
        raise ValueError("must be an address like https://HOST") from None
    if not parts.hostname or parts.scheme not in ("http", "https"):
        raise ValueError("must be an address like https://HOST")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("must begin with https://")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ValueError("must hold no user, query or fragment")
    host = parts.hostname.encode("idna").decode()
    address = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}"
    rest = parts.path.rstrip("/")
    if rest and not path:
        raise ValueError(f"must end after the host; {rest} is added by the program")
    return address + rest


def environment_url(text: str) -> str:
    """The live address of an environment; its apps address is understood too."""
    if re.search(r"/e/[0-9a-f-]{36}", text):
        raise ValueError("is a Dynatrace Managed or ActiveGate address; workflows exist on Dynatrace SaaS only")
    if found := re.search(r"/e/([a-z]{3}[0-9]{5})\b", text):
        raise ValueError(
            f"has the environment in its path, as ActiveGates have it; give https://{found[1]}.live.dynatrace.com"
        )
    address = url(text)
    if ".apps.dynatrace.com" in address:
        return address.replace(".apps.dynatrace.com", ".live.dynatrace.com")
    return re.sub(r"\.(sprint|dev)\.apps\.dynatracelabs\.com", r".\1.dynatracelabs.com", address)


def token_url(text: str) -> str:
    return url(text, path=True)


def starting(prefix: str) -> Callable[[str], str]:
    def rule(text: str) -> str:
        if not re.fullmatch(re.escape(prefix) + r"\S+", text):
            raise ValueError(f"must begin with {prefix} and hold no blanks")
        return text

    return rule


def matching(pattern: re.Pattern[str], example: str) -> Callable[[str], str]:
    def rule(text: str) -> str:
        if not pattern.fullmatch(text.strip()):
            raise ValueError(f"must look like {example}")
        return text.strip()

    return rule


def between(low: int, high: int) -> Callable[[str], int]:
    def rule(text: str) -> int:
        if not re.fullmatch(r"-?\d+", text) or not low <= int(text) <= high:
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
        raise ValueError("must be 2 to 100 printable characters without blanks at the ends")
    return text


def adoptions(text: str) -> dict[str, str]:
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict) or not all(isinstance(id, str) for id in given.values()):
        raise ValueError("must be an object of ids, like {scm: CREDENTIALS_VAULT-...}")
    unknown = sorted(set(given) - set(ADOPTABLE))
    if unknown:
        raise ValueError(f"knows {', '.join(ADOPTABLE)}, not {', '.join(unknown)}")
    return given


def optional(rule: Callable[[str], Any]) -> Callable[[str], Any]:
    return lambda text: rule(text) if text.strip() else ""


@dataclass(frozen=True)
class Key:
    """One key of the stack config. ``default`` None: required."""

    rule: Callable[[str], Any]
    default: str | None = None
    secret: bool = False


KEYS: dict[str, Key] = {
    "dynatraceEnvironmentUrl": Key(environment_url),
    "dynatraceApiToken": Key(starting("dt0c01."), secret=True),
    "oauthClientId": Key(starting("dt0s02.")),
    "oauthClientSecret": Key(starting("dt0s02."), secret=True),
    "accountUrn": Key(starting("urn:dtaccount:")),
    "scmApiUrl": Key(url),
    "sectigoClientId": Key(matching(UUID, "a UUID")),
    "sectigoClientSecret": Key(present, secret=True),
    "maxRetries": Key(between(0, 10), "3"),
    "maxExecutionTimeMinutes": Key(between(1, 720), "55"),
    "initHistoryDuration": Key(matching(DURATION, "2h, 1d or 5d12h"), "2h"),
    "initialCheckpoint": Key(optional(matching(MOMENT, "2026-01-22T12:00:00Z")), ""),
    "triggerIntervalMinutes": Key(between(1, 720), "10"),
    "triggerEnabled": Key(boolean, "true"),
    "name": Key(title, "Sectigo SCM"),
    "appsUrl": Key(optional(url), ""),
    "ssoTokenUrl": Key(optional(token_url), ""),
    "scmTokenUrl": Key(token_url, SCM_TOKEN_URL),
    "logIngestToken": Key(optional(starting("dt0c01.")), "", secret=True),
    "workflowActor": Key(optional(matching(UUID, "a UUID")), ""),
    "workflowPrivate": Key(boolean, "false"),
    "credentialsOwnerOnly": Key(boolean, "false"),
    "keepCheckpoint": Key(boolean, "false"),
    "showRunLog": Key(boolean, "true"),
    "adopt": Key(adoptions, "{}"),
}


def read(given: dict[str, str], plain: AbstractSet[str] = frozenset()) -> dict[str, Any]:
    """Check raw config values; returns them by key. ``plain``: keys that are stored in clear.

    Raises ValueError that lists every problem, by key.
    """
    problems = [f"{key}: is not a key of this program" for key in sorted(set(given) - set(KEYS))]
    values = {}
    for name, key in KEYS.items():
        text = given.get(name, key.default)
        if text is None:
            flag = "--secret " if key.secret else ""
            problems.append(f"{name}: is missing; pulumi config set {flag}{name} VALUE")
            continue
        if key.secret and text and name in plain:
            problems.append(f"{name}: stands in clear in the stack file; pulumi config set --secret {name} VALUE")
        try:
            values[name] = key.rule(text)
        except ValueError as problem:
            problems.append(f"{name}: {problem}")
    if problems:
        raise ValueError("The stack configuration has problems:" + "".join(f"\n  - {problem}" for problem in problems))
    return values


# --- what the program works with -------------------------------------------------------------------------------------


class Settings:
    """The checked stack config, in the program's terms."""

    def __init__(self, values: dict[str, Any], project: str, stack: str) -> None:
        self._values = values
        self.environment_url: str = values["dynatraceEnvironmentUrl"]
        self.apps_url = access_of(values)["apps_url"]
        self.place = Place(self.environment_url, values["name"], f"{project}/{stack}")
        self.sectigo_client_id: str = values["sectigoClientId"]

    @property
    def sectigo_client_secret(self) -> pulumi.Output[str]:
        return pulumi.Output.secret(self._values["sectigoClientSecret"])

    @property
    def log_ingest_token(self) -> pulumi.Output[str]:
        return pulumi.Output.secret(access_of(self._values)["log_ingest_token"])

    @classmethod
    def from_stack(cls) -> Settings:
        """Read the config of the stack that is being deployed; stops the program with all problems at once."""
        project, stack = pulumi.get_project(), pulumi.get_stack()
        config = pulumi.Config()
        prefix = f"{project}:"
        names = {key.removeprefix(prefix) for key in pulumi.runtime.config.CONFIG.get() if key.startswith(prefix)}
        given = {name: text for name in names | set(KEYS) if (text := config.get(name)) is not None}
        plain = {name for name in given if not pulumi.runtime.config.is_config_secret(prefix + name)}
        try:
            settings = cls(read(given, plain), project, stack)
        except ValueError as problems:
            raise pulumi.RunError(str(problems)) from None
        settings.warn_of_old_records()
        return settings

    def warn_of_old_records(self) -> None:
        days, hours = re.fullmatch(r"(?:(\d+)d)?(?:(\d+)h)?", self._values["initHistoryDuration"]).groups("0")  # type: ignore[union-attr]
        if int(days) * 24 + int(hours) > LOG_AGE_HOURS:
            pulumi.log.warn(
                f"initHistoryDuration {self._values['initHistoryDuration']}: Dynatrace refuses log records older than "
                f"{LOG_AGE_HOURS} h. Older audit records are sent with the present time, theirs in scm.event.timestamp"
            )

    @property
    def access(self) -> dict[str, pulumi.Input[str]]:
        """Inputs of the Pulumi provider: the Dynatrace keys and no others, under the names of ``Access``."""
        prefix = pulumi.get_project()
        secret = ("api_token", "oauth_client_secret", "log_ingest_token")
        return {
            f"{prefix}:{key}": pulumi.Output.secret(value) if key in secret else value
            for key, value in access_of(self._values).items()
        }

    @property
    def outbound_hosts(self) -> list[str]:
        """Hosts the script must reach. Exact names stand beside the wildcard, whose depth is not documented."""
        addresses = [self._values["scmApiUrl"], self.environment_url, self._values["scmTokenUrl"]]
        hosts = [str(urlsplit(address).hostname) for address in addresses]
        return list(dict.fromkeys([*hosts, "*.sectigo.com"]))

    def entry(self, adopt_key: str, name: str, purpose: str) -> EntryArgs:
        """A vault entry of this stack: ``{name of the connector} {name}``."""
        return EntryArgs(
            self.place,
            self.named(name),
            purpose,
            owner_only=self._values["credentialsOwnerOnly"],
            adopt_key=adopt_key,
            adopt=self.adopted(adopt_key),
        )

    @property
    def workflow_title(self) -> str:
        return self.named(TITLE)

    def named(self, name: str) -> str:
        return f"{self._values['name']} {name}"

    def adopted(self, key: str) -> str:
        id: str = self._values["adopt"].get(key, "")
        return id

    @property
    def runtime_config(self) -> str:
        """What customers may edit in the vault later, as JSON text."""
        names = ("maxRetries", "initHistoryDuration", "initialCheckpoint")
        return json.dumps({name: self._values[name] for name in names if self._values[name] != ""})

    @property
    def keep_checkpoint(self) -> bool:
        return bool(self._values["keepCheckpoint"])

    @property
    def missed_without_checkpoint(self) -> str:
        return (
            f"Records older than initHistoryDuration ({self._values['initHistoryDuration']}) that had not been sent "
            "are a possible gap in the logs; set initialCheckpoint to go further back"
        )

    @property
    def script_parameters(self) -> dict[str, Any]:
        """The script's parameters that are no credential ids."""
        return {
            "environmentUrl": self.environment_url,
            "scmApiUrl": self._values["scmApiUrl"],
            "scmTokenUrl": self._values["scmTokenUrl"],
            "maxExecutionTimeMinutes": self._values["maxExecutionTimeMinutes"],
        }

    @property
    def schedule(self) -> dict[str, Any]:
        return {"intervalMinutes": self._values["triggerIntervalMinutes"], "isActive": self._values["triggerEnabled"]}

    @property
    def schedule_shown(self) -> str:
        if not self._values["triggerEnabled"]:
            return "off"
        minutes = self._values["triggerIntervalMinutes"]
        return f"Every {minutes} minutes" if minutes > 1 else "Every minute"

    @property
    def show_run_log(self) -> bool:
        return bool(self._values["showRunLog"])

    @property
    def workflow_private(self) -> bool:
        return bool(self._values["workflowPrivate"])

    @property
    def workflow_actor(self) -> str:
        actor: str = self._values["workflowActor"]
        return actor

    @property
    def automations_url(self) -> str:
        return f"{self.apps_url}/ui/apps/dynatrace.automations"


def access_of(values: dict[str, Any]) -> dict[str, str]:
    """The members of ``Access`` from checked config values."""
    environment = values["dynatraceEnvironmentUrl"]
    return {
        "environment_url": environment,
        "apps_url": values["appsUrl"] or apps_url_of(environment),
        "sso_token_url": values["ssoTokenUrl"] or sso_token_url_of(environment),
        "api_token": values["dynatraceApiToken"],
        "oauth_client_id": values["oauthClientId"],
        "oauth_client_secret": values["oauthClientSecret"],
        "account_urn": values["accountUrn"],
        "log_ingest_token": values["logIngestToken"] or values["dynatraceApiToken"],
    }


def sso_token_url_of(environment: str) -> str:
    """SSO is one address per stage, never derived from an environment's host."""
    stage = re.search(r"\.(sprint|dev)\.dynatracelabs\.com", environment)
    return SSO_STAGES[stage[1]] if stage else SSO_TOKEN_URL
