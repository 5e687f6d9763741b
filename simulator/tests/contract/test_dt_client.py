"""The `dt` package of PyPI, a client of Dynatrace that nobody here wrote, works on the local environment."""

from __future__ import annotations

import pytest
from dynatrace import Dynatrace
from dynatrace.environment_v2.settings import SettingsObjectUpdate

from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import DEPLOY_TOKEN, SEED

DETECTORS = "builtin:davis.anomaly-detectors"
SCHEMA = "builtin:dt-javascript-runtime.allowed-outbound-connections"


@pytest.fixture
def client(local: Local) -> Dynatrace:
    return Dynatrace(local.url, DEPLOY_TOKEN, timeout=20)


def test_it_reads_a_tokens_metadata(client: Dynatrace) -> None:
    found = client.tokens.lookup(DEPLOY_TOKEN)

    assert (found.name, found.enabled) == (SEED["api_tokens"][0]["name"], True)
    assert set(found.scopes) == set(SEED["api_tokens"][0]["scopes"])
    assert found.creation_date.isoformat() == "2026-01-29T10:00:00"
    assert found.expiration_date is None


def test_it_reads_and_changes_the_allowlist(client: Dynatrace) -> None:
    (found,) = list(client.settings.list_objects(schema_id=SCHEMA, scope="environment"))
    whole = client.settings.get_object(found.object_id)
    hosts = whole.value["allowedOutboundConnections"]["hostList"]
    value = {"allowedOutboundConnections": {"enforced": True, "hostList": [*hosts, "audit.demo.sectigo.com"]}}

    client.settings.update_object(found.object_id, SettingsObjectUpdate(value, update_token=whole.update_token))

    assert client.settings.get_object(found.object_id).value == value
    with pytest.raises(Exception, match="409"):
        client.settings.update_object(found.object_id, SettingsObjectUpdate(value, update_token=whole.update_token))


def test_it_lists_schemas_and_sends_logs(client: Dynatrace, local: Local) -> None:
    assert [schema.schema_id for schema in client.settings.list_schemas()] == [SCHEMA, DETECTORS]

    client.logs.ingest([{"content": "from dt", "log.source": "dt"}])

    assert [row["content"] for row in local.sim("GET", "dump", all="true")["logs"]] == ["from dt"]


def test_what_is_not_simulated_is_refused_with_a_reason(client: Dynatrace) -> None:
    with pytest.raises(Exception, match="the Configuration API v1 has no part here"):
        client.credentials.list()
