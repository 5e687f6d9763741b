"""Objects that exist already: ours are taken again, the vendor's if they are named, anybody else's never."""

from __future__ import annotations

from collections.abc import Callable

from local_dynatrace.testing import Local
from providers.parts import PARTS
from tests.engine import inside, vendor
from tests.engine.deployment import Deployment


def test_a_lost_state_makes_no_twins_and_loses_no_live_value(stack: Deployment, local: Local) -> None:
    everything = stack.up().changes
    outputs, lasting = stack.outputs, stack.lasting
    inside.overwrite(local, outputs["checkpointCredentialId"], vendor.CHECKPOINT)
    inside.overwrite(local, outputs["workflowConfigCredentialId"], '{"maxRetries": 9}')
    before = inside.names(local)

    stack.lose_state()
    assert f"pulumi config set formerStack {outputs['owner']}" in stack.up(check=False).text
    stack.configure(formerStack=outputs["owner"])
    done = stack.up()

    # The `up` that was refused has recorded its credentials.
    assert done.changes == {"create": everything["create"] - {"access"}}
    assert stack.lasting == lasting
    assert inside.names(local) == before
    assert "exists already (preserving its value)" in done.text
    assert inside.value(local, outputs["checkpointCredentialId"]) == vendor.CHECKPOINT
    assert inside.value(local, outputs["workflowConfigCredentialId"]) == '{"maxRetries": 9}'
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}


def test_a_vendors_installation_is_taken_over_with_its_checkpoint(stack: Deployment, local: Local) -> None:
    ids = vendor.install(local)
    before = inside.names(local)

    refused = stack.up(check=False)
    assert refused.code != 0
    assert f"pulumi config set --path adopt.scm {ids['scm']}" in refused.text
    assert "Traceback" not in refused.text

    stack.pulumi("config", "set", "--path", "adopt.scm", ids["scm"])
    stack.configure(adopt=ids)
    done = stack.up()

    outputs = stack.outputs
    assert {part.key: outputs[part.output] for part in PARTS} == ids
    assert sum(inside.names(local).values()) == sum(before.values())
    assert "Checkpoint: 2026-01-29T09:44:11.611092Z|9d3cd09c" in done.text, "the first run goes on where theirs stood"
    assert "name “Dynatrace Log Ingest Token” instead of “Sectigo SCM Log Ingest Token”" in done.text
    assert "it differs in: purpose, definition, script" in done.text
    assert inside.value(local, ids["workflowConfig"]) == vendor.ENTRIES["workflowConfig"]["token"]
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}


def test_two_connectors_need_two_names_and_do_not_touch_each_other(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    before = local.sim("GET", "dump")
    one, other = deploy(stack="one"), deploy(stack="other")
    one.up()
    alone = local.sim("GET", "dump")

    refused = other.up(check=False)
    assert "belongs to Pulumi stack sectigo-dynatrace/one#" in refused.text
    assert "Two connectors in one environment need two names" in refused.text
    assert local.sim("GET", "dump") == alone

    other.configure(name="Second SCM")
    other.up()
    one.destroy()
    assert other.preview("--refresh", "--expect-no-changes").changes == {}

    other.destroy()
    assert local.sim("GET", "dump") == before
