"""The outbound allowlist is shared: we add hosts, later remove those that we added, and nothing else."""

from __future__ import annotations

from typing import Any

import pytest

from local_dynatrace.testing import Local
from providers.allowlist import OutboundAllowlistProvider
from providers.api.allowlist import PATH, SCHEMA, value_of
from providers.api.environment import Environment
from providers.api.errors import DynatraceError, Refused
from providers.claims import LIST_OBJECT
from providers.credential import UserCredentialProvider
from tests.provider.conftest import DEPLOY, SCM_CLIENT, SEED, connect, entry, place

HOSTS = ["audit.demo.sectigo.com", "auth.sso.sectigo.com", "*.sectigo.com"]
OTHERS = SEED["others"]["allowed_hosts"]
HEADERS = {"Authorization": f"Api-Token {DEPLOY}"}


class Connector:
    """The two resources that a connector's part of the allowlist consists of, deployed one after the other."""

    def __init__(self, local: Local, name: str = "Sectigo SCM", hosts: list[str] = HOSTS, stack: str = "") -> None:
        self.where = place(local, name, f"sectigo-dynatrace/{stack or name.rsplit(maxsplit=1)[-1]}")
        self.local, self.hosts = local, hosts

    def claim(self) -> None:
        self.entry = entry(self.where, "OAuth", **SCM_CLIENT, hosts=self.hosts)
        self.entry_id, more = UserCredentialProvider().create_object(connect(self.local), self.entry)
        self.entry |= more

    def add(self) -> None:
        self.props: dict[str, Any] = {**self.where, "hosts": self.hosts}
        self.id, more = OutboundAllowlistProvider().create_object(connect(self.local), self.props)
        self.props |= more

    def up(self) -> None:
        self.claim()
        self.add()

    def repair(self) -> None:
        """`up --refresh`, in one process."""
        environment = connect(self.local)
        scm, allowlist = UserCredentialProvider(), OutboundAllowlistProvider()
        of_entry, of_list = (
            scm.read_object(environment, self.entry_id, self.entry),
            allowlist.read_object(environment, self.id, self.props),
        )
        assert of_entry is not None
        assert of_list is not None
        if of_entry:
            olds = {**self.entry, **of_entry}
            self.entry |= scm.update_object(environment, self.entry_id, olds, self.entry)
        if of_list:
            self.props |= allowlist.update_object(environment, self.id, {**self.props, **of_list}, self.props)

    def destroy(self) -> None:
        OutboundAllowlistProvider().delete_object(connect(self.local), self.id, self.props)
        UserCredentialProvider().delete_object(connect(self.local), self.entry_id, self.entry)


def listed(local: Local) -> list[str]:
    return list(connect(local).allowlist.read().hosts)


def write(local: Local, hosts: list[str], enforced: bool = True) -> None:
    """As somebody else would, without checking who has changed what."""
    object_id = connect(local).allowlist.read().object_id
    item = {"schemaId": SCHEMA, "scope": "environment", "value": value_of(enforced, tuple(hosts))}
    if object_id:
        answer = local.call("PUT", f"{PATH}/{object_id}", headers=HEADERS, json={"value": item["value"]})
    else:
        answer = local.call("POST", PATH, headers=HEADERS, json=[item])
    assert answer.ok, answer.text


def remove_object(local: Local) -> None:
    object_id = connect(local).allowlist.read().object_id
    assert local.call("DELETE", f"{PATH}/{object_id}", headers=HEADERS).ok


def test_missing_hosts_are_added_and_only_they_are_removed(local: Local) -> None:
    write(local, [*OTHERS, HOSTS[0]])
    connector = Connector(local)

    connector.up()
    assert set(listed(local)) == {*OTHERS, *HOSTS}

    connector.destroy()
    assert listed(local) == [*OTHERS, HOSTS[0]]


@pytest.mark.parametrize("first", [0, 1])
def test_the_last_of_two_connectors_removes_the_shared_hosts(local: Local, first: int) -> None:
    before = local.sim("GET", "dump")
    both = [Connector(local, "Team A"), Connector(local, "Team B", [*HOSTS, "audit.eu.sectigo.com"])]
    for connector in both:
        connector.up()

    both[first].destroy()
    assert set(listed(local)) >= set(both[1 - first].hosts), "the one that stays keeps what it needs"

    both[1 - first].destroy()
    assert local.sim("GET", "dump") == before


@pytest.mark.parametrize("first", [0, 1])
def test_two_connectors_where_there_was_no_list_leave_none(local: Local, first: int) -> None:
    remove_object(local)
    before = local.sim("GET", "dump")
    both = [Connector(local, "Team A"), Connector(local, "Team B")]
    for connector in both:
        connector.up()
    assert LIST_OBJECT in both[0].props["claimed"]

    both[first].destroy()
    both[1 - first].destroy()

    assert local.sim("GET", "dump") == before


@pytest.mark.parametrize("first", [0, 1])
def test_two_connectors_that_met_no_restriction_keep_their_hosts_once_there_is_one(local: Local, first: int) -> None:
    write(local, [], enforced=False)
    both = [Connector(local, "Team A"), Connector(local, "Team B")]
    for connector in both:
        connector.up()
    write(local, OTHERS)
    for connector in both:
        connector.repair()
    assert set(listed(local)) == {*OTHERS, *HOSTS}

    both[first].destroy()
    assert set(listed(local)) == {*OTHERS, *HOSTS}, "the one that stays keeps what it needs"

    both[1 - first].destroy()
    assert listed(local) == OTHERS, "the last one to go takes away what was added"


def test_a_host_that_was_listed_before_is_still_needed(local: Local) -> None:
    write(local, [*OTHERS, HOSTS[0]])
    first = Connector(local, "Team A")
    first.up()
    write(local, OTHERS)
    second = Connector(local, "Team B")
    second.up()

    second.destroy()

    assert set(listed(local)) == {*OTHERS, *HOSTS}


@pytest.mark.parametrize("first", [0, 1])
def test_two_stacks_of_one_name_in_two_backends_do_not_touch_each_other(local: Local, first: int) -> None:
    before = local.sim("GET", "dump")
    both = [Connector(local, "Sectigo SCM", stack="prod"), Connector(local, "Sectigo SCM EU", stack="prod")]
    for connector in both:
        connector.up()

    both[first].destroy()
    assert set(listed(local)) == {*OTHERS, *HOSTS}

    both[1 - first].destroy()
    assert local.sim("GET", "dump") == before


def test_a_list_that_others_use_by_now_stays(local: Local) -> None:
    remove_object(local)
    connector = Connector(local)
    connector.up()
    write(local, [*listed(local), "api.others.example"])

    connector.destroy()

    assert listed(local) == ["api.others.example"]


@pytest.mark.parametrize("fault", [{"cut": "after"}, {"status": 500, "when": "after"}])
@pytest.mark.parametrize("had_list", [True, False])
def test_hosts_whose_addition_was_never_recorded_are_removed_anyway(
    local: Local, fault: dict[str, Any], had_list: bool
) -> None:
    if not had_list:
        remove_object(local)
    before = local.sim("GET", "dump")
    connector = Connector(local)
    connector.claim()
    for method in ("PUT", "POST"):
        local.sim("POST", "faults", {"api": "settings", "method": method, "times": None, **fault})
    with pytest.raises(DynatraceError):
        connector.add()
    local.sim("DELETE", "faults")

    connector.up()
    connector.destroy()

    assert local.sim("GET", "dump") == before


def test_a_change_by_somebody_else_in_between_is_kept(local: Local) -> None:
    connector = Connector(local)
    connector.claim()
    write(local, [*OTHERS, "api.others.example"])

    connector.add()

    assert set(listed(local)) == {*OTHERS, "api.others.example", *HOSTS}


def test_a_write_on_top_of_a_stale_read_is_repeated_after_a_fresh_one(local: Local, environment: Environment) -> None:
    environment.allowlist.read()
    write(local, [*OTHERS, "api.others.example"])
    rule = local.sim("POST", "faults", {"api": "settings", "method": "GET", "stale": True})

    OutboundAllowlistProvider().create_object(environment, {**place(local), "hosts": HOSTS, "claimed": []})

    assert set(listed(local)) == {*OTHERS, "api.others.example", *HOSTS}
    assert [rule["hit"] for rule in local.sim("GET", "faults")["faults"]] == [1], rule


def test_the_hundredth_host_fits_with_a_warning(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    write(local, [f"h{number}.example" for number in range(97)])

    Connector(local).up()

    assert len(listed(local)) == 100
    assert "the outbound allowlist holds 100 of 100 hosts" in capsys.readouterr().out


@pytest.mark.parametrize("foreign", [98, 99, 100])
def test_one_host_too_many_is_refused_and_the_list_stays(local: Local, foreign: int) -> None:
    hosts = [f"h{number}.example" for number in range(foreign)]
    write(local, hosts)

    with pytest.raises(Refused, match=f"{foreign} hosts are listed and 3 more are needed, but Dynatrace stores 100"):
        Connector(local).up()

    assert listed(local) == hosts


def test_where_enforcement_is_off_the_list_is_left_alone(local: Local, capsys: pytest.CaptureFixture[str]) -> None:
    write(local, [], enforced=False)
    before = local.sim("GET", "dump")
    connector = Connector(local)

    connector.up()
    assert connector.props["claimed"] == []
    assert "outbound connections are not restricted" in capsys.readouterr().out

    connector.destroy()
    assert local.sim("GET", "dump") == before


def test_hosts_that_somebody_removed_are_drift_and_come_back(local: Local, environment: Environment) -> None:
    connector = Connector(local)
    connector.up()
    write(local, [*OTHERS, HOSTS[0]])
    provider = OutboundAllowlistProvider()

    live = provider.read_object(environment, connector.id, connector.props)
    assert live == {"hosts": [HOSTS[0]]}

    provider.update_object(environment, connector.id, {**connector.props, **live}, connector.props)
    assert set(listed(local)) == {*OTHERS, *HOSTS}


def test_a_host_that_is_needed_no_more_is_removed(local: Local, environment: Environment) -> None:
    connector = Connector(local)
    connector.up()
    news = {**connector.props, "hosts": HOSTS[:1]}

    more = OutboundAllowlistProvider().update_object(environment, connector.id, connector.props, news)

    assert listed(local) == [*OTHERS, HOSTS[0]]
    assert more["claimed"] == [HOSTS[0]]
