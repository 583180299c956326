"""What a sweep removes, what it keeps, and the reason that it gives."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone

import pytest

from infra.environments.pulumi_stacks import EnvironmentStack
from infra.environments.sweep import judge_marked, judge_stack
from infra.postgres.marks import Mark, MarkedObjects

NOW = datetime(2026, 11, 26, 12, tzinfo=timezone.utc)
LATER, EARLIER = NOW + timedelta(hours=2), NOW - timedelta(days=3)


@pytest.mark.parametrize(
    ("expires", "gone", "shown"),
    [
        (EARLIER, False, "removed  stack pr-1: it expired 3 d ago"),
        (EARLIER, True, "removed  stack pr-1: it expired 3 d ago"),
        (NOW, False, "removed  stack pr-1: it expired 0 s ago"),
        (LATER, False, "kept     stack pr-1: it expires in 2 h"),
        (LATER, True, "removed  stack pr-1: its databases are gone"),
        (None, False, "kept     stack pr-1: it has no expiry"),
        (None, True, "kept     stack pr-1: it has no expiry"),
    ],
)
def test_stacks(expires: datetime | None, gone: bool, shown: str) -> None:  # noqa: FBT001
    """A stack goes once it has expired, or when its databases have gone before it."""
    assert str(judge_stack(EnvironmentStack("pr-1", "pr/1", expires, 40), NOW, gone=gone)) == shown


@pytest.mark.parametrize(
    ("project", "stack", "expires", "shown"),
    [
        ("shop", "pr-1", EARLIER, "kept     databases a b: it is of the stack pr-1, which exists"),
        ("shop", "pr-2", EARLIER, "removed  databases a b: there is no stack pr-2, and it expired 3 d ago"),
        ("shop", "pr-2", LATER, "kept     databases a b: there is no stack pr-2 here, but it expires in 2 h"),
        ("blog", "pr-2", EARLIER, "kept     databases a b: it is of another project, blog"),
    ],
)
def test_databases(project: str, stack: str, expires: datetime, shown: str) -> None:
    """Databases go that have expired and whose stack is gone: another backend may have a stack that is not here."""
    found = MarkedObjects(Mark(project, stack, expires), ("a", "b"), ("r",))
    assert str(judge_marked(found, project="shop", stacks=["dev", "pr-1"], now=NOW)) == shown


def test_roles_without_a_database_are_named() -> None:
    """What is left of an environment may be its roles alone."""
    found = MarkedObjects(Mark("shop", "pr-2", EARLIER), (), ("r", "s"))
    assert judge_marked(found, project="shop", stacks=[], now=NOW).what == "roles r s"
