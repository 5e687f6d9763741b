"""Who owns an object survives a rename of stack and project, and never changes silently."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import yaml

from dev.soak.interruption import hits
from local_dynatrace.testing import Local
from local_dynatrace.testing.callers import new_token
from providers.claims import mark_of
from tests.engine import inside
from tests.engine.deployment import PROJECT, Deployment

MARKED = {"scm", "log-ingest", "checkpoint", "execution-lock", "workflow-config", "allowlist", "workflow"}
AFTER_WRITES = {"first-run"}
"""What a preview cannot know to stay: it waits for a run after a credential was written."""


def renamed(stack: Deployment, name: str, project: str = PROJECT) -> None:
    """`pulumi stack rename`, which renames the stack file, too."""
    new = name if project == PROJECT else f"organization/{project}/{name}"
    stack.pulumi("stack", "rename", new, "--stack", stack.stack)
    stack.stack, stack.file = name, stack.project / f"Pulumi.{name}.yaml"


def beside(stack: Deployment, name: str) -> Deployment:
    """Another stack of the same backend, with a copy of the config."""
    config = stack.file.read_text()
    other = Deployment(stack.folder.parent / f"beside-{name}", stack.local, stack=name)
    other.file.write_text(config)
    other.state, other.env["PULUMI_BACKEND_URL"] = stack.state, stack.env["PULUMI_BACKEND_URL"]
    other.pulumi("stack", "select", name, "--create")
    return other


def owners(local: Local) -> dict[str, str]:
    """Owner in the mark of each of our objects, by the last word of its name."""
    dump = local.sim("GET", "dump")
    named = {row["name"]: row["description"] for row in dump["credentials"]}
    named |= {row["title"]: row["definition"]["description"] for row in dump["workflows"]}
    return {name.rsplit(" ", 1)[-1]: mark_of(text).stack for name, text in named.items() if "Sectigo" in name}


def test_a_renamed_stack_keeps_its_objects_and_a_new_one_of_its_old_name_takes_none(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    nothing = local.sim("GET", "dump")
    prod = deploy(stack="dev")
    prod.up()
    ids, lasting = prod.outputs, prod.lasting
    renamed(prod, "prod")
    alone = local.sim("GET", "dump")

    dev = beside(prod, "dev")
    refused = dev.up(check=False)
    assert f"belongs to Pulumi stack {ids['owner']}; this is {PROJECT}/dev#" in refused.text
    assert "Traceback" not in refused.text
    dev.destroy()
    assert local.sim("GET", "dump") == alone

    shown = prod.up("--diff")
    assert f'"{ids["owner"]}" => "{PROJECT}/prod#' in shown.text
    assert shown.changes == {"update": MARKED}
    former, now = ids["owner"], prod.outputs["owner"]
    assert former.partition("#")[2] == now.partition("#")[2]
    assert owners(local) == {
        "OAuth": now, "Token": now, "Checkpoint": former, "Lock": former, "Config": former, "Integration": now
    }  # fmt: skip
    assert prod.lasting == lasting
    assert prod.preview("--refresh", "--expect-no-changes").changes == {}
    prod.destroy()
    assert local.sim("GET", "dump") == nothing


def test_the_way_back_after_a_rename_a_rotation_and_a_lost_state_is_the_former_stack(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    token = new_token(local, "logs.ingest")
    nothing = local.sim("GET", "dump")
    stack = deploy(stack="dev")
    stack.up()
    renamed(stack, "prod")
    stack.configure_secret("logIngestToken", token)
    stack.up()
    outputs, lasting, before = stack.outputs, stack.lasting, inside.names(local)
    inside.overwrite(local, outputs["checkpointCredentialId"], "2026-01-29T09:44:11.611092Z|9d3cd09c")

    for life in range(2):  # marks that were written in three lives
        former = stack.outputs["owner"]
        stack.lose_state()
        if life == 0:
            assert f"pulumi config set formerStack {former}" in stack.up(check=False).text
        stack.configure(formerStack=former)
        done = stack.up()
        assert "exists already (preserving its value)" in done.text
        assert stack.lasting == lasting
        assert inside.names(local) == before
    stack.configure(formerStack=None)
    assert stack.preview("--refresh", "--expect-no-changes").changes == {}
    stack.destroy()
    assert local.sim("GET", "dump") == nothing


def test_a_destruction_after_a_rename_leaves_no_host_on_the_allowlist(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    nothing = local.sim("GET", "dump")
    stack = deploy(stack="dev")
    stack.up()
    renamed(stack, "prod")
    local.sim("POST", "faults", {"api": "settings", "times": None, "status": 500})
    stack.configure_secret("sectigoClientSecret", '=Local!]not[a=secret$"\\ü')
    stack.up(check=False)  # the mark is renamed, the state of the allowlist is not
    local.sim("DELETE", "faults")

    stack.destroy()

    assert local.sim("GET", "dump") == nothing


def test_a_renamed_project_and_an_imported_state_are_shown_in_full(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    nothing = local.sim("GET", "dump")
    stack = deploy(stack="dev")
    stack.up()
    ids, lasting = stack.outputs, stack.lasting

    renamed(stack, "dev", "audit")
    for file in (stack.project / "Pulumi.yaml", stack.file):
        text = file.read_text().replace(f"{PROJECT}:", "audit:")
        file.write_text(text.replace(f"name: {PROJECT}\n", "name: audit\n"))
    assert yaml.safe_load((stack.project / "Pulumi.yaml").read_text())["name"] == "audit"
    assert stack.refresh().changes == {}
    shown = stack.preview("--diff")
    assert shown.changes == {"update": MARKED | AFTER_WRITES}
    assert f'"{ids["owner"]}" => "audit/dev#' in shown.text
    stack.up()
    now = stack.outputs["owner"]
    assert stack.lasting == lasting
    assert set(owners(local).values()) == {ids["owner"], now}

    # The same state under another name, as by export, a text replacement and import: the installation is the same.
    state = stack.pulumi("stack", "export", "--stack", "dev").text.replace("urn:pulumi:dev::", "urn:pulumi:copy::")
    (stack.folder / "copy.json").write_text(state.replace("audit-dev", "audit-copy"))
    (stack.project / "Pulumi.copy.yaml").write_text(stack.file.read_text())
    stack.pulumi("stack", "init", "copy")
    stack.pulumi("stack", "import", "--stack", "copy", "--file", str(stack.folder / "copy.json"))
    stack.stack = "copy"
    assert stack.preview("--diff").changes == {"update": MARKED | AFTER_WRITES}
    stack.up()
    alone = local.sim("GET", "dump")

    stack.stack = "dev"
    refused = stack.destroy(check=False)
    assert f"now belongs to Pulumi stack audit/copy#{now.partition('#')[2]}; this is {now}" in refused.text
    assert "Traceback" not in refused.text
    assert local.sim("GET", "dump") == alone

    stack.stack = "copy"
    stack.destroy()
    assert local.sim("GET", "dump") == nothing


def test_two_backends_that_deploy_at_the_same_moment_make_no_twins(
    deploy: Callable[..., Deployment], local: Local
) -> None:
    both = [deploy(stack="dev"), deploy(stack="dev")]
    local.sim("POST", "clock", {"mode": "frozen"})
    rule = {"api": "vault", "method": "POST", "caller": "outside", "times": 2, "delay_s": 1}
    fault = local.sim("POST", "faults", rule)["id"]
    with ThreadPoolExecutor(2) as pool:
        deployments = [pool.submit(stack.up, check=False) for stack in both]
        while hits(local, fault) < 2:  # both have looked, and neither has created yet
            assert not any(deployment.done() for deployment in deployments)
        local.sim("POST", "clock", {"mode": "auto"})
        done = [deployment.result() for deployment in deployments]

    failed = [one for one in done if one.code]
    assert failed
    assert all("another deployment created CREDENTIALS_VAULT-" in one.text for one in failed)
    assert max(inside.names(local).values()) == 1
    for stack in both:
        stack.up(check=False)
    assert max(inside.names(local).values()) == 1
    both[0].destroy()
    both[1].destroy()
    assert set(inside.names(local)) == {"CMDB read token", "Weekly cost report"}
