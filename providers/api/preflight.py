"""What must be true before the first write: valid tokens, complete scopes, right addresses. One report for all."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from . import identities, tokens
from .errors import DynatraceError, NotFound, PreflightFailed
from .scopes import AUTOMATION_SCOPES, DEPLOY_SCOPES, FEATURES, INGEST_SCOPES

if TYPE_CHECKING:
    from .environment import Environment

MANUAL = "https://docs.sectigo.com/scm/sectigo-connector-for-dynatrace/configuring-the-connector.html"

OAUTH_PAGE = "https://myaccount.dynatrace.com (Identity & Access Management, OAuth clients)"


def check(environment: Environment) -> list[str]:
    """Returns warnings. Raises PreflightFailed with every problem found."""
    access = environment.access
    warnings: list[str] = []
    same = access.log_ingest_token in ("", access.api_token)
    problems = token_problems(
        "dynatraceApiToken", lambda: environment.deploy_token, DEPLOY_SCOPES + (INGEST_SCOPES if same else ()), warnings
    )
    # The deploy token looks the other one up; if it is not valid, nothing more can be known.
    if not same and "deploy_token" in environment.__dict__:
        problems += token_problems(
            "logIngestToken", lambda: environment.lookup_token(access.log_ingest_token), INGEST_SCOPES, warnings
        )
    problems += automation_problems(environment, warnings) or feature_problems(environment)
    if not problems:
        users = identities.read(environment)
        problems += [users.problem] if users.problem else []
        warnings += [users.warning] if users.warning else []
    if problems:
        lines = "".join(f"\n  - {problem}" for problem in problems)
        raise PreflightFailed(
            f"preflight of {access.environment_url} failed, nothing was written:{lines}\n  See {MANUAL}"
        )
    return warnings


def token_problems(key: str, lookup: Callable[[], Any], needed: tuple[str, ...], warnings: list[str]) -> list[str]:
    """Problems of one API token, by config key; adds to ``warnings`` when it expires soon."""
    try:
        token = lookup()
    except NotFound:
        return [f"{key}: this environment does not know the token; create one on its page “Access tokens”"]
    except DynatraceError as error:
        return [f"{key}: {error}"]
    now = datetime.now(UTC)
    if warning := tokens.expires_soon(token, now):
        warnings.append(f"{key}: {warning}")
    return [f"{key}: {problem}" for problem in tokens.problems(token, needed, now)]


def automation_problems(environment: Environment, warnings: list[str]) -> list[str]:
    """Problems of the OAuth client or the platform token, and of the apps address: vault entries must not be written
    for a workflow that cannot be."""
    access = environment.access
    if access.platform_token:
        described, now = tokens.platform_token(access.platform_token, access.platform_token_expires), datetime.now(UTC)
        if expired := tokens.problems(described, (), now):
            return [f"platformToken: {problem}" for problem in expired]
        if warning := tokens.expires_soon(described, now):
            warnings.append(f"platformToken: {warning}")
    try:
        environment.require_scopes(AUTOMATION_SCOPES)
    except DynatraceError as error:
        return [f"{access.platform_key}: {error}"]
    try:
        environment.automation.probe()
    except DynatraceError as error:
        return [f"appsUrl {environment.access.apps_url}: {error}"]
    return []


def feature_problems(environment: Environment) -> list[str]:
    """Problems of the optional features that the stack uses; a half deployment helps nobody."""
    found, features = [], environment.access.features.split()
    with suppress(DynatraceError):  # one token for all; where that fails, each feature says what it lacks
        environment.bearer(tuple(scope for feature in features for scope in FEATURES[feature]))
    for feature in features:
        try:
            environment.require_scopes(FEATURES[feature])
        except DynatraceError as error:
            found.append(
                f"{feature}: {error}. Add the scopes at {OAUTH_PAGE}, and to the policy of the client's user "
                f"(docs/security.md), or turn the feature off: pulumi config rm {feature}"
            )
    return found
