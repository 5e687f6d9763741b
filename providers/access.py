"""Step 0: the credentials of the deployment itself, tried before anything else is changed.

Not an object of Dynatrace. The state records, encrypted, with which addresses and credentials the stack was last
deployed; if one of them changes, its `up` runs the preflight, even if no object needs a write. All other resources
depend on this one, so a wrong value stops `up` before the first change.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.dynamic import CheckResult

from .api.environment import Environment
from .api.scopes import SETTINGS_READ, VAULT_READ, WORKFLOWS_READ
from .configuration import Access, Properties
from .lifecycle import Differences, DynatraceObject, ObjectProvider, Outputs, guarded_access

FIELDS = tuple(Access.__annotations__)


class AccessProperties(Properties):
    environment_url: str
    apps_url: str
    sso_token_url: str
    api_token: str
    oauth_client_id: str
    oauth_client_secret: str
    account_urn: str
    log_ingest_token: str
    platform_token: str
    platform_token_expires: str
    features: str
    workflow_actor: str
    owner_only: str


class AccessProvider(ObjectProvider[AccessProperties]):
    compared = FIELDS
    marked = False
    needs = (VAULT_READ, SETTINGS_READ, WORKFLOWS_READ)

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        # Nothing of it is in Dynatrace, so it may move; the objects say for themselves that they may not.
        return CheckResult(news, [])

    def create_object(self, environment: Environment, props: AccessProperties) -> tuple[str, Outputs]:
        return f"{props['stack']}/access", {}  # the preflight was run before this

    def update_object(
        self, environment: Environment, id: str, olds: AccessProperties, news: AccessProperties
    ) -> Outputs:
        return {}

    def read_object(self, environment: Environment, id: str, props: AccessProperties) -> Differences | None:
        return {}

    def delete_object(self, environment: Environment, id: str, props: AccessProperties) -> None:
        """Nothing to delete."""


class DeploymentAccess(DynatraceObject, module="dynatrace", name="DeploymentAccess"):
    """The addresses and credentials that deploy the stack."""

    def __init__(
        self, resource: str, place: Properties, access: Access, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: dict[str, Any] = {**place, **guarded_access(access)}
        super().__init__(AccessProvider(), resource, props, opts)
