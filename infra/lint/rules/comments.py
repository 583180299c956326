"""Rules on the comments that allow findings, registered here for their texts: the linter checks them itself, last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infra.lint.rule import LintProject


@rule("M110", "A comment that allows nothing in particular")
def wrong_allowance(_project: LintProject) -> Iterator[Violation]:
    """A comment that allows findings names their codes and gives a reason."""
    yield from ()


@rule("M111", "A comment that is not needed", "warning")
def unused_allowance(_project: LintProject) -> Iterator[Violation]:
    """A comment that allows a finding stands only where there is one: left over, it would hide the next one."""
    yield from ()
