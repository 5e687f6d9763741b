"""Marks of a connector's objects, judged for status and doctor."""

from __future__ import annotations

import pytest

from local_dynatrace.testing import Local
from operations import marks
from operations.marks import Named
from operations.vendor_objects import owners
from providers.credential import StateCredentialProvider
from providers.parts import CHECKPOINT, LOG_INGEST, PARTS, SCM, WORKFLOW
from tests.provider.conftest import connect, entry, place

NOW, FORMER, OTHER = "p/prod#11111111", "p/dev#11111111", "p/dev#22222222"
IDS = {part.output: f"id-{part.key}" for part in PARTS}


def objects(**owners: str) -> list[Named]:
    """Ours, with the owner in each mark; ours is the default."""
    return [Named(part.output, IDS[part.output], part.name, owners.get(part.key, NOW)) for part in PARTS]


def test_objects_of_one_owner_are_one_line() -> None:
    assert marks.judged(IDS, NOW, objects()) == marks.Marks(NOW)


def test_entries_that_keep_an_earlier_mark_are_shown_and_are_no_problem() -> None:
    seen = marks.judged(IDS, NOW, objects(checkpoint=FORMER, executionLock=OTHER))

    assert seen.problems == ()
    assert f"{FORMER} (checkpoint)" in seen.text
    assert f"{OTHER} (executionLock)" in seen.text


@pytest.mark.parametrize("part", [SCM, LOG_INGEST, WORKFLOW])
@pytest.mark.parametrize("owner", [FORMER, OTHER])
def test_an_object_that_another_owner_has_marked_is_a_problem(part: object, owner: str) -> None:
    [problem] = marks.judged(IDS, NOW, objects(**{part.key: owner})).problems  # type: ignore[attr-defined]

    assert f"is marked {owner}, and not {NOW}: another stack has taken it over" in problem


def test_a_stack_of_an_older_release_reports_marks_of_several_stacks() -> None:
    assert marks.judged(IDS, "", objects()).problems == ()
    assert "marks of several stacks" in marks.judged(IDS, "", objects(scm=OTHER)).problems[0]


def test_the_first_up_stops_at_what_it_may_not_use() -> None:
    def stop(owner: str, former: str = "", adopted: dict[str, str] | None = None, **owners: str) -> list[str]:
        found = marks.that_stop(objects(**owners), owner, former, adopted or {})
        return [one.id for one in found]

    assert stop(NOW) == stop("p/prod", former=FORMER) == []
    assert stop("p/prod") == stop(OTHER) == list(IDS.values()), "a new state has another installation"
    assert stop("p/prod", former="p/prod", **{part.key: "p/prod" for part in PARTS}) == [], "marks of 0.1.0"
    unmarked = {part.key: "" for part in PARTS}
    assert stop("p/prod", **unmarked) == list(IDS.values())
    assert stop("p/prod", adopted=IDS, **unmarked) == []
    kept = [one for one in objects() if one.output == CHECKPOINT.output]
    assert marks.that_stop(kept, "p/prod", "", {}) == [], "keepCheckpoint"
    assert marks.that_stop(kept, "p/other", "", {}) == kept


def test_a_second_object_of_a_name_is_named_with_its_owner(local: Local) -> None:
    environment = connect(local)
    more = {"firstValue": "NONE", "workflow": "none", "missed": ""}
    theirs, _ = StateCredentialProvider().create_object(
        environment, entry(place(local, stack=OTHER), "Checkpoint", **more)
    )

    found = [*objects(), *marks.named(environment, "Sectigo SCM")]

    [problem] = marks.judged(IDS, NOW, found).problems
    assert owners(environment, "Sectigo SCM") == [OTHER]
    assert owners(environment, "Another") == []
    assert problem == (
        f"another object has the same name as ours: “Sectigo SCM {CHECKPOINT.name}” ({theirs}) is marked {OTHER}"
    )
