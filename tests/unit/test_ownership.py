"""Which existing object is used, and why another one is not."""

from __future__ import annotations

import pytest

from providers.api.errors import Refused
from providers.claims import mark_of, marked
from providers.ownership import Found, choose, is_ours, require_ours

OURS, NAME = "sectigo-dynatrace/prod", "Sectigo SCM OAuth"


def found(id: str, description: str = "", name: str = NAME) -> Found:
    return Found(id, name, description)


def taken(*candidates: Found, adopt: str = "") -> Found | None:
    return choose("vault entry", NAME, OURS, adopt, "scm", list(candidates))


@pytest.mark.parametrize("claims", [(), ("a.example",), ("+*.b.example", "+(list)", "b.example")])
def test_a_mark_can_be_read_again(claims: tuple[str, ...]) -> None:
    assert mark_of(marked("What it is for.", OURS, claims)) == (OURS, claims)


@pytest.mark.parametrize("text", ["", "What it is for.", "[Pulumi]", "[pulumi a/b]"])
def test_other_descriptions_have_no_mark(text: str) -> None:
    assert mark_of(text) == ("", ())


def test_without_an_object_of_the_name_one_is_created() -> None:
    assert taken() is None
    assert taken(found("1", name="Sectigo SCM OAuth 2")) is None


def test_an_object_with_our_mark_is_used_again() -> None:
    mine = found("1", marked("p", OURS))

    assert taken(mine, found("2")) == mine


def test_an_unmarked_one_is_refused_with_the_line_to_type() -> None:
    with pytest.raises(Refused, match=r"pulumi config set --path adopt\.scm 1$"):
        taken(found("1"))


def test_an_unmarked_one_is_adopted_if_it_is_named() -> None:
    assert taken(found("1"), found("2"), adopt="2") == found("2")


def test_two_of_a_name_are_both_named() -> None:
    with pytest.raises(Refused, match=r"exists 2 times: 1, 2\. Choose one: pulumi config set --path adopt\.scm ID$"):
        taken(found("1"), found("2"))


def test_two_with_our_mark_are_both_named() -> None:
    with pytest.raises(Refused, match=r"exists 2 times and is marked as ours: 1, 2\. Delete all but the one in use"):
        taken(found("1", marked("p", OURS)), found("2", marked("p", OURS)))


def test_another_stacks_object_is_never_adopted() -> None:
    theirs = found("1", marked("p", "sectigo-dynatrace/test"))

    with pytest.raises(Refused, match=r"belongs to Pulumi stack sectigo-dynatrace/test; this is .*Two connectors"):
        taken(theirs)
    with pytest.raises(Refused, match=r"adopt\.scm: .* belongs to Pulumi stack sectigo-dynatrace/test"):
        taken(theirs, adopt="1")


def test_an_id_that_does_not_exist_is_named() -> None:
    with pytest.raises(Refused, match=r"adopt\.scm: there is no vault entry 9"):
        taken(found("1"), adopt="9")


@pytest.mark.parametrize(
    ("mark", "owner", "same"),
    [
        ("p/dev#11111111", "p/dev#11111111", True),
        ("p/dev#11111111", "p/prod#11111111", True),
        ("p/dev#11111111", "q/dev#11111111", True),
        ("p/dev#11111111", "p/dev#22222222", False),
        ("p/dev", "p/dev#22222222", False),
        ("p/dev#11111111", "p/dev", False),
        ("p/dev", "p/dev", True),
        ("p/dev", "p/prod", False),
        ("", "p/dev#11111111", False),
    ],
)
def test_the_installation_decides_and_not_the_name(mark: str, owner: str, same: bool) -> None:
    description = marked("p", mark) if mark else "p"

    assert is_ours(description, owner) is same
    assert is_ours(description, "p/new#33333333", former=owner) is same


def test_an_object_of_our_name_and_another_installation_is_refused_with_the_way_back() -> None:
    mine = Found("1", NAME, marked("p", "p/dev#11111111"))

    with pytest.raises(
        Refused, match=r"p/dev#11111111; this is p/dev#2.* pulumi config set formerStack p/dev#11111111$"
    ):
        choose("vault entry", NAME, "p/dev#22222222", "", "scm", [mine])
    assert choose("vault entry", NAME, "p/dev#22222222", "", "scm", [mine], "p/dev#11111111") == mine
    assert choose("vault entry", NAME, "p/dev#22222222", "1", "scm", [mine], "p/dev#11111111") == mine


@pytest.mark.parametrize(
    ("mark", "owners", "ours"),
    [
        ("", ["p/dev#11111111"], True),
        ("p/dev#11111111", ["p/dev#11111111"], True),
        ("p/dev#11111111", ["p/dev#11111111", "p/prod#11111111"], True),
        ("p/prod#11111111", ["p/dev#11111111", "p/prod#11111111"], True),
        ("p/prod#11111111", ["p/dev#11111111"], False),
        ("p/dev#22222222", ["p/dev#11111111"], False),
        ("p/dev", ["p/dev"], True),
        ("p/dev#11111111", ["p/dev"], True),
        ("p/dev", ["p/dev#11111111"], True),
        ("p/prod#11111111", ["p/dev"], False),
        ("p/dev", ["p/prod#11111111"], False),
    ],
)
def test_what_the_state_knows_is_left_alone_once_its_mark_names_another_owner(
    mark: str, owners: list[str], ours: bool
) -> None:
    description = marked("p", mark) if mark else "p"
    if ours:
        require_ours("workflow", NAME, "1", description, *owners)
        return
    with pytest.raises(Refused, match=rf"now belongs to Pulumi stack {mark}; this is {owners[-1]}"):
        require_ours("workflow", NAME, "1", description, *owners)
