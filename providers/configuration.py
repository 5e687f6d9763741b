"""The stack config: every key, its rule, and all problems at once.

Types, defaults and descriptions are in Pulumi.yaml too, where Pulumi checks them before the program starts; what a
value must look like is checked here, before the first API call. No message ever shows a secret. This is the lowest
layer: it knows no resource, and no Pulumi but for where the config comes from.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, NotRequired, TypedDict, cast
from urllib.parse import urlsplit

from .parts import BY_KEY, WORKFLOW, Part
from .rules import (
    LIMITS,
    account,
    apps_url_of,
    attribute,
    between,
    boolean,
    client_id,
    duration,
    emails,
    environment_url,
    history,
    iso_time,
    moment,
    optional,
    owner,
    placeholder_in,
    scm_secret,
    sso_token_url_of,
    title,
    token,
    token_url,
    unquoted,
    url,
    uuid,
)

# UNVERIFIED for the audit API; it is the documented address of Sectigo's other APIs.
SCM_TOKEN_URL = "https://auth.sso.sectigo.com/auth/realms/apiclients/protocol/openid-connect/token"
LONGEST_WATCHED_INTERVAL = 20
"""Minutes; three intervals must fit into the window of an anomaly detector."""
LONGEST_DETECTED_INTERVAL = 37
"""Minutes; the 15 of the longest detection, and by how much records may be late, must fit into it too."""
LOG_AGE_LIMIT = timedelta(hours=24)
"""Log ingest refuses or drops older records."""


def adoptions(text: str) -> dict[str, str]:
    form = "must be an object of IDs, like {scm: CREDENTIALS_VAULT-...}"
    given = an_object(text, form)
    if not all(isinstance(id, str) for id in given.values()):
        raise ValueError(form)
    if unknown := sorted(given.keys() - BY_KEY.keys()):
        raise ValueError(f"knows {', '.join(BY_KEY)}, not {', '.join(unknown)}")
    return given


DETECTIONS = (
    "failedSignIns", "revocations", "administrators", "apiKeys", "access", "policies", "wildcards", "notifications",
)  # fmt: skip
"""What can be detected in the audit records; ``workflow_src/watch/detectors.yaml`` says how."""


def detections(text: str) -> dict[str, int]:
    """The number of records that opens a problem, by detection."""
    found = an_object(text, "must be an object of numbers, like {failedSignIns: 10, apiKeys: 1}")
    if unknown := sorted(found.keys() - set(DETECTIONS)):
        raise ValueError(f"knows {', '.join(DETECTIONS)}, not {', '.join(unknown)}")
    try:
        return {(last := name): between(1, 100_000)(str(number)) for name, number in found.items()}
    except ValueError as problem:
        raise ValueError(f"{last} {problem}") from None


def slack(text: str) -> dict[str, str]:
    """The Slack connection and channel to tell of problems; empty for none."""
    found = an_object(text, SLACK_FORM)
    if found and (found.keys() != {"connection", "channel"} or not all(isinstance(one, str) for one in found.values())):
        raise ValueError(SLACK_FORM)
    return found


SLACK_FORM = "must have the form {connection: ID, channel: NAME}"


def an_object(text: str, form: str) -> dict[str, Any]:
    """A config object; Pulumi passes it as JSON. ``form``: what to say of anything else."""
    try:
        given = json.loads(text)
    except ValueError:
        given = None
    if not isinstance(given, dict):
        raise ValueError(form)
    return given


@dataclass(frozen=True)
class Key:
    """One key of the stack config. ``default`` None: required."""

    rule: Callable[[str], Any]
    default: str | None = None
    secret: bool = False
    inputs: tuple[str, ...] = ()
    """Resource inputs that hold the value where it may be too short to be recognised in them (``marked``)."""


KEYS: dict[str, Key] = {
    "dynatraceEnvironmentUrl": Key(environment_url),
    "dynatraceApiToken": Key(token("dt0c01."), secret=True),
    "oauthClientId": Key(optional(client_id), ""),
    "oauthClientSecret": Key(optional(token("dt0s02.")), "", secret=True),
    "accountUrn": Key(optional(account), ""),
    "platformToken": Key(optional(token("dt0s16.")), "", secret=True),
    "platformTokenExpires": Key(optional(iso_time), ""),
    "scmApiUrl": Key(url),
    "sectigoClientId": Key(uuid),
    "sectigoClientSecret": Key(scm_secret, secret=True),
    "maxRetries": Key(between(0, LIMITS.retries), "3", inputs=("value",)),
    "maxExecutionTimeMinutes": Key(between(1, 720), "55", inputs=("parameters",)),
    "initHistoryDuration": Key(history, "2h", inputs=("value", "missed")),
    "initialCheckpoint": Key(optional(iso_time), "", inputs=("value",)),
    "triggerIntervalMinutes": Key(between(1, 720), "10", inputs=("schedule",)),
    "triggerEnabled": Key(boolean, "true", inputs=("schedule",)),
    "name": Key(title, "Sectigo SCM", inputs=("connector", "name", "event", "definition")),
    "appsUrl": Key(optional(url), ""),
    "ssoTokenUrl": Key(optional(token_url), ""),
    "scmTokenUrl": Key(token_url, SCM_TOKEN_URL),
    "logIngestToken": Key(optional(token("dt0c01.")), "", secret=True),
    "workflowActor": Key(optional(uuid), ""),
    "workflowPrivate": Key(boolean, "false", inputs=("private",)),
    "credentialsOwnerOnly": Key(boolean, "false", inputs=("ownerAccessOnly",)),
    "keepCheckpoint": Key(boolean, "false"),
    "protectState": Key(boolean, "false"),
    "showRunLog": Key(boolean, "true", inputs=("showLog",)),
    "dashboard": Key(boolean, "false"),
    "alerts": Key(boolean, "false"),
    "alertEmails": Key(emails, "", inputs=("definition",)),
    "alertSlack": Key(slack, "{}", inputs=("definition",)),
    "detections": Key(detections, "{}", inputs=("analyzer", "purpose", "event")),
    "auditRetentionDays": Key(between(0, 3657), "0"),
    "securityContext": Key(optional(attribute), "", inputs=("parameters",)),
    "costCenter": Key(optional(attribute), "", inputs=("parameters",)),
    "costProduct": Key(optional(attribute), "", inputs=("parameters",)),
    "formerStack": Key(optional(owner), ""),
    "adopt": Key(adoptions, "{}"),
}


class Values(TypedDict):
    """Checked config values, by key: what the rules of ``KEYS`` return."""

    dynatraceEnvironmentUrl: str
    dynatraceApiToken: str
    oauthClientId: str
    oauthClientSecret: str
    accountUrn: str
    platformToken: str
    platformTokenExpires: str
    scmApiUrl: str
    sectigoClientId: str
    sectigoClientSecret: str
    maxRetries: int
    maxExecutionTimeMinutes: int
    initHistoryDuration: str
    initialCheckpoint: str
    triggerIntervalMinutes: int
    triggerEnabled: bool
    name: str
    appsUrl: str
    ssoTokenUrl: str
    scmTokenUrl: str
    logIngestToken: str
    workflowActor: str
    workflowPrivate: bool
    credentialsOwnerOnly: bool
    keepCheckpoint: bool
    protectState: bool
    showRunLog: bool
    dashboard: bool
    alerts: bool
    alertEmails: list[str]
    alertSlack: dict[str, str]
    detections: dict[str, int]
    auditRetentionDays: int
    securityContext: str
    costCenter: str
    costProduct: str
    formerStack: str
    adopt: dict[str, str]


COUNTS = {name for name, key in KEYS.items() if key.default and key.default.isdigit()}
"""Keys whose values are numbers."""


def parts_of(text: str) -> set[str]:
    """What of a value must not be shown if the whole is secret: the value, and pieces of an address."""
    return {
        piece for piece in (text, *re.split(r"[/:?#@]+", text)) if len(piece) > 3 and piece not in ("http", "https")
    }


def hide_parts(problem: str, text: str) -> str:
    for part in sorted(parts_of(text), key=len, reverse=True):
        problem = problem.replace(part, "[secret]")
    return problem


def texts_to_hide(given: dict[str, str], marked: AbstractSet[str]) -> list[str]:
    """Texts that would show a value that the user marked as secret: the value, each value of a list or an object, its
    host, and the apps address that is derived from it. Values of three characters or less cannot be recognised in a
    text, numbers and booleans of settings neither: ``Key.inputs`` hides those."""
    texts: set[str] = set()
    for name in marked & given.keys():
        text = given[name].strip()
        if re.fullmatch(r"true|false|null", text, re.IGNORECASE) or (name in COUNTS and text.isdigit()):
            continue
        texts.add(text)
        if text.startswith("{"):
            with suppress(ValueError):
                texts.update(value for value in json.loads(text).values() if isinstance(value, str))
        if name == "alertEmails":
            texts.update(re.split(r"[,;\s]+", text))
        if "://" in text:
            texts.update(addresses_in(name, text))
    return sorted(text for text in texts if len(text) > 3)


def addresses_in(name: str, text: str) -> list[str]:
    try:
        address = KEYS[name].rule(text) if name in KEYS else text
        found = [address, apps_url_of(address)] if name == "dynatraceEnvironmentUrl" else [address]
        return [part for one in found for part in (one, str(urlsplit(one).hostname or ""))]
    except ValueError:
        return []


OAUTH = ("oauthClientId", "oauthClientSecret", "accountUrn")
"""The OAuth client, which a platform token replaces."""
ACCESS = ("dynatraceEnvironmentUrl", *OAUTH, "platformToken", "platformTokenExpires", "appsUrl", "ssoTokenUrl")
"""What reaches an environment's platform APIs."""


def is_needed(name: str) -> bool:
    """Whether a new stack has to set the key; a platform token replaces those of the OAuth client."""
    return KEYS[name].default is None or name in OAUTH


def missing(name: str) -> str:
    return f"{name}: is missing; {to_set(name)}"


def to_set(name: str) -> str:
    """The command that sets a key. Pulumi asks for a secret, which so stays out of the shell's history."""
    return f"pulumi config set --secret {name}" if KEYS[name].secret else f"pulumi config set {name} VALUE"


def platform_access_problems(given: dict[str, str]) -> list[str]:
    """The workflow APIs need an OAuth client or a platform token, and never both."""
    client = [name for name in OAUTH if given.get(name)]
    if not given.get("platformToken"):
        instead = ["platformToken: or set it instead of the OAuth client (docs/tokens.md)"] * (not client)
        return [*(missing(name) for name in OAUTH if name not in client), *instead]
    return [f"platformToken: replaces {', '.join(client)}; remove one of the two (pulumi config rm KEY)"] * bool(client)


def read(
    given: dict[str, str],
    plain: AbstractSet[str] = frozenset(),
    marked: AbstractSet[str] = frozenset(),
    others: Sequence[str] = (),
) -> Values:
    """Check raw config values; returns them by key.

    ``plain``: keys that are stored in plaintext. ``marked``: keys that the user has marked as secret. ``others``:
    problems that were found elsewhere.

    Raises ValueError that lists every problem, by key.
    """
    problems = [*others, *unknown_settings(given)]
    values, found = checked(given, KEYS, plain, marked)
    for of, hint in (("oauth", "; the secret starts with the ID and is longer"), ("sectigo", "")):
        if given.get(f"{of}ClientSecret") and given[f"{of}ClientSecret"] == given.get(f"{of}ClientId"):
            found.append(f"{of}ClientSecret: is the client's ID{hint}")
    complain([*problems, *found, *platform_access_problems(given)])
    return cast(Values, values)


def read_access(given: dict[str, str]) -> Access:
    """What is needed to reach the environment, before the API tokens and SCM's values are known. Raises ValueError."""
    needed = {name: key for name, key in KEYS.items() if name in ACCESS}
    values, problems = checked(given, needed, frozenset(), frozenset())
    complain([*problems, *platform_access_problems(given)])
    return access_of(cast(Values, {**dict.fromkeys(KEYS, ""), **values}))


def complain(problems: list[str]) -> None:
    if problems:
        raise ValueError("The stack configuration has problems:" + "".join(f"\n  - {problem}" for problem in problems))


def checked(
    given: dict[str, str], keys: Mapping[str, Key], plain: AbstractSet[str], marked: AbstractSet[str]
) -> tuple[dict[str, Any], list[str]]:
    """Values of these keys, and what is wrong with them."""
    values: dict[str, Any] = {}
    problems = []
    for name, key in keys.items():
        text = given.get(name, key.default) or ""
        if key.default is None and not (text or "").strip():
            problems.append(missing(name))
            continue
        if key.secret and text and name in plain:
            problems.append(f"{name}: is in plaintext in the stack file; {to_set(name)}")
        try:
            if placeholder := placeholder_in(text):
                raise ValueError(f"still contains the placeholder {placeholder}; put in your own value")
            values[name] = key.rule(unquoted(text))
        except ValueError as problem:
            is_secret = key.secret or name in marked
            problems.append(f"{name}: {hide_parts(str(problem), text) if is_secret else problem}")
    return values, problems


def unknown_settings(given: Iterable[str]) -> list[str]:
    """Problems: keys that this program does not have."""
    return [f"{key}: unknown setting{meant(key)}" for key in sorted(set(given) - set(KEYS))]


def meant(unknown: str, known: Iterable[str] = KEYS) -> str:
    """``; did you mean KEY?`` for a known key in another spelling (another case, the vendor's) or with a mistake."""
    plain = {plainly(key): key for key in known}
    close = difflib.get_close_matches(plainly(unknown), plain, n=1, cutoff=0.75)
    return f"; did you mean {plain[close[0]]}?" if close else ""


def plainly(key: str) -> str:
    return re.sub(r"[^a-z0-9]", "", key.lower())


def retyped(stack_file: str, project: str, given: Mapping[str, str]) -> list[str]:
    """Problems: texts of the stack file that YAML reads as a number, so that another text has arrived.

    Args:
        stack_file: the file's content.
        given: config values as they have arrived, by key.
    """
    import yaml  # only the program reads the file, not its providers

    try:
        written = (yaml.load(stack_file, yaml.BaseLoader) or {}).get("config") or {}
    except (yaml.YAMLError, AttributeError):
        return []  # Pulumi has read the file, so a form that we cannot read is not an error
    return [
        f"{key}: YAML reads {text} as {value}; put the value in quotes"
        for key, value in given.items()
        if key in KEYS and isinstance(text := written.get(f"{project}:{key}"), str) and not means(key, text, value)
    ]


def means(key: str, text: str, value: str) -> bool:
    """Whether a value that has arrived is what the text in the stack file says."""
    if text == value or not value:
        return True
    with suppress(ValueError):
        checked = KEYS[key].rule(value)
        if type(checked) is int:
            return float(text) == checked
        if type(checked) is bool:
            return True
        return moment(text) == moment(checked)
    return False


# --- what the layers above work with ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Access:
    """Addresses of one environment, and the credentials for it. The field names are part of every stack's state.

    ``log_ingest_token`` is only looked up, never used. ``platform_token``, where there is one, replaces the OAuth
    client. An empty optional field (``OPTIONAL_ACCESS``) is not stored.
    """

    environment_url: str
    apps_url: str
    sso_token_url: str
    api_token: str = field(repr=False)
    oauth_client_id: str
    oauth_client_secret: str = field(repr=False)
    account_urn: str
    log_ingest_token: str = field(repr=False)
    features: str = ""
    """The optional features that the stack uses, separated by spaces: keys of ``scopes.FEATURES``. They decide which
    scopes the preflight asks for."""
    platform_token: str = field(default="", repr=False)
    platform_token_expires: str = ""
    workflow_actor: str = ""
    """UUID, or empty. Compared with the users of the credentials."""
    owner_only: str = ""
    """``true`` if only their owner can use the vault entries."""

    @property
    def secrets(self) -> list[str]:
        return [self.api_token, self.oauth_client_secret, self.log_ingest_token, self.platform_token]

    @property
    def platform_key(self) -> str:
        """Config key of the credential for the platform APIs."""
        return "platformToken" if self.platform_token else "oauthClientId"

    @property
    def stored(self) -> dict[str, str]:
        """What the provider and the state get. Releases without the optional fields stored none of them."""
        return {name: text for name, text in asdict(self).items() if text or name not in OPTIONAL_ACCESS}


SECRET_ACCESS = ("api_token", "oauth_client_secret", "log_ingest_token", "platform_token")
OPTIONAL_ACCESS = ("platform_token", "platform_token_expires", "features", "workflow_actor", "owner_only")


def access_of(values: Values) -> Access:
    environment_url = values["dynatraceEnvironmentUrl"]
    return Access(
        environment_url=environment_url,
        apps_url=values["appsUrl"] or apps_url_of(environment_url),
        sso_token_url=values["ssoTokenUrl"] or sso_token_url_of(environment_url),
        api_token=values["dynatraceApiToken"],
        oauth_client_id=values["oauthClientId"],
        oauth_client_secret=values["oauthClientSecret"],
        account_urn=values["accountUrn"],
        log_ingest_token=values["logIngestToken"] or values["dynatraceApiToken"],
        features=features_of(values),
        platform_token=values["platformToken"],
        platform_token_expires=values["platformTokenExpires"],
        workflow_actor=values["workflowActor"],
        owner_only="true" if values["credentialsOwnerOnly"] else "",
    )


def features_of(values: Values) -> str:
    used = {"dashboard": values["dashboard"], "alerts": values["alerts"] or values["detections"]}
    return " ".join(feature for feature, on in used.items() if on)


class Properties(TypedDict):
    """What every resource stores: where its object is and whose it is."""

    environment: str
    """The environment's URL."""
    connector: str
    """Prefix of every object's name."""
    stack: str
    """The owner, as the mark in descriptions names it: ``project/stack#installation``."""
    formerStack: NotRequired[str]
    """An owner whose objects this stack takes over."""


class EntryProperties(Properties):
    """What every vault entry stores."""

    name: str
    purpose: str
    ownerAccessOnly: bool
    adoptKey: str
    """``Part.key``."""
    adopt: str
    """ID of an existing entry to take over, or empty."""


class ScriptParameters(TypedDict):
    """The script's parameters that are no credential IDs."""

    environmentUrl: str
    scmApiUrl: str
    scmTokenUrl: str
    maxExecutionTimeMinutes: int
    attributes: dict[str, str]
    """What every record gets besides what SCM sends."""


class Schedule(TypedDict):
    intervalMinutes: int
    isActive: bool


@dataclass(frozen=True)
class Settings:
    """The checked stack config, in the program's terms."""

    values: Values = field(repr=False)
    project: str
    stack: str
    owner: str = ""
    """``project/stack#installation`` (``lifecycle.owned_by``); empty while it is not known."""
    marked: frozenset[str] = frozenset()
    """Keys that the user marked as secret beyond those that always are."""
    texts_to_hide: tuple[str, ...] = field(default=(), repr=False)

    @classmethod
    def from_stack(cls) -> Settings:
        """Read the config of the stack that is being deployed; stops the program with all problems at once."""
        import pulumi

        from .sdk_internals import stack_config

        project, stack = pulumi.get_project(), pulumi.get_stack()
        given, plain = stack_config(project)
        file = Path(f"Pulumi.{stack}.yaml")
        others = retyped(file.read_text(encoding="utf-8"), project, given) if file.is_file() else []
        marked = frozenset(name for name in given if name not in plain and name in KEYS and not KEYS[name].secret)
        hidden = tuple(texts_to_hide(given, marked))
        try:
            settings = cls(read(given, plain, marked, others), project, stack, marked=marked, texts_to_hide=hidden)
        except ValueError as problems:
            raise pulumi.RunError(str(problems)) from None
        for text in settings.warnings:
            pulumi.log.warn(text)
        return settings

    @property
    def warnings(self) -> list[str]:
        values, found = self.values, []
        history = values["initHistoryDuration"]
        if duration(history) > LOG_AGE_LIMIT:
            shown = "" if "initHistoryDuration" in self.marked else f" {history}"
            found.append(
                f"initHistoryDuration{shown}: Dynatrace refuses log records older than "
                f"{LOG_AGE_LIMIT // timedelta(hours=1)} h. Older audit records are sent with the current time; the "
                "original timestamp is in scm.event.timestamp"
            )
        if (values["alertEmails"] or values["alertSlack"]) and "alerts" not in self.access.features:
            found.append("alertEmails and alertSlack have no effect without alerts or detections")
        untold = not (values["alertEmails"] or values["alertSlack"])
        if values["alerts"] and untold and values["triggerIntervalMinutes"] > LONGEST_WATCHED_INTERVAL:
            found.append(
                f"alerts: silence is not watched, because with more than {LONGEST_WATCHED_INTERVAL} minutes as "
                "triggerIntervalMinutes that needs alertEmails or alertSlack; see docs/watch.md"
            )
        if values["detections"] and values["triggerIntervalMinutes"] > LONGEST_DETECTED_INTERVAL:
            found.append(
                "detections: records that arrive late are missed, because a detector looks back 60 minutes and "
                f"triggerIntervalMinutes is {values['triggerIntervalMinutes']}; see docs/watch.md"
            )
        return found

    @property
    def secret_inputs(self) -> frozenset[str]:
        """Resource inputs that hold a value that the user marked as secret."""
        return frozenset(name for key in self.marked for name in KEYS[key].inputs)

    @property
    def access(self) -> Access:
        return access_of(self.values)

    @property
    def place(self) -> Properties:
        place: Properties = {
            "environment": self.values["dynatraceEnvironmentUrl"],
            "connector": self.values["name"],
            "stack": self.owner or f"{self.project}/{self.stack}",
        }
        if former := self.values["formerStack"]:
            place["formerStack"] = former
        return place

    def entry(self, part: Part) -> EntryProperties:
        """What all vault entries of this stack have in common, for one of them."""
        return {
            **self.place,
            "name": self.name_of(part),
            "purpose": part.purpose,
            "ownerAccessOnly": self.values["credentialsOwnerOnly"],
            "adoptKey": part.key,
            "adopt": self.adopted(part),
        }

    def name_of(self, part: Part) -> str:
        """The object's full name: the connector's name and the part's."""
        return f"{self.values['name']} {part.name}"

    def adopted(self, part: Part) -> str:
        """ID of the existing object to take over, or empty."""
        return self.values["adopt"].get(part.key, "")

    @property
    def workflow_title(self) -> str:
        return self.name_of(WORKFLOW)

    @property
    def log_ingest_token(self) -> str:
        return self.access.log_ingest_token

    @property
    def outbound_hosts(self) -> list[str]:
        """Hosts the script must reach. Exact names are listed beside the wildcard, whose depth is not documented."""
        values = self.values
        addresses = [values["scmApiUrl"], values["dynatraceEnvironmentUrl"], values["scmTokenUrl"]]
        hosts = [str(urlsplit(address).hostname) for address in addresses]
        return list(dict.fromkeys([*hosts, "*.sectigo.com"]))

    @property
    def runtime_config(self) -> str:
        """What customers may edit in the vault later, as JSON text."""
        values = self.values
        runtime = {
            "maxRetries": values["maxRetries"],
            "initHistoryDuration": values["initHistoryDuration"],
            "initialCheckpoint": values["initialCheckpoint"],
        }
        return json.dumps({name: value for name, value in runtime.items() if value != ""})

    @property
    def missed_without_checkpoint(self) -> str:
        return (
            f"Records older than initHistoryDuration ({self.values['initHistoryDuration']}) that had not been sent "
            "are a possible gap in the logs; set initialCheckpoint to go further back"
        )

    @property
    def script_parameters(self) -> ScriptParameters:
        values = self.values
        attributes = {
            "dt.security_context": values["securityContext"],
            "dt.cost.costcenter": values["costCenter"],
            "dt.cost.product": values["costProduct"],
        }
        return {
            "environmentUrl": values["dynatraceEnvironmentUrl"],
            "scmApiUrl": values["scmApiUrl"],
            "scmTokenUrl": values["scmTokenUrl"],
            "maxExecutionTimeMinutes": values["maxExecutionTimeMinutes"],
            "attributes": {key: text for key, text in attributes.items() if text},
        }

    @property
    def schedule(self) -> Schedule:
        return {"intervalMinutes": self.values["triggerIntervalMinutes"], "isActive": self.values["triggerEnabled"]}

    @property
    def schedule_shown(self) -> str:
        if not self.values["triggerEnabled"]:
            return "off"
        minutes = self.values["triggerIntervalMinutes"]
        return f"Every {minutes} minutes" if minutes > 1 else "Every minute"

    @property
    def document_id(self) -> str:
        """The dashboard's ID: the same on every deployment, so that a lost state creates no second one."""
        digest = hashlib.sha256("\0".join((self.project, self.stack, self.values["name"])).encode()).hexdigest()
        named = self.stack if "name" in self.marked else f"{self.stack} {self.values['name']}"
        words = re.sub(r"[^a-z0-9]+", "-", named.lower()).strip("-")
        return f"scm-audit-{words[:60].strip('-')}-{digest[:8]}"

    @property
    def dashboards_url(self) -> str:
        return f"{self.access.apps_url}/ui/apps/dynatrace.dashboards/dashboard"

    @property
    def automations_url(self) -> str:
        return f"{self.access.apps_url}/ui/apps/dynatrace.automations"
