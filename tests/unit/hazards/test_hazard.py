"""Hazards are named at the statement that takes long, with the lock that it takes long under, and the sizes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from infra.hazards.hazard import Hazard, hazards_of, lock_notes
from infra.hazards.measured import HazardKind, MeasuredStatement, mode_of
from infra.hazards.sizes import TableSize, bytes_as_text, rows_as_text
from infra.hazards.wording import hazard_lines, hazard_refusals

TODAY = date(2026, 11, 26)
LARGE = {"public.userbase": TableSize(40_000_000, 11 << 30), "public.threads": TableSize(12_345, 20 << 20)}
AE = "ACCESS EXCLUSIVE"
ADD = MeasuredStatement("ALTER TABLE userbase ADD n int;", "m/2.py", 10, {"public.userbase": AE}, commits=False)
REWRITE = MeasuredStatement(
    "ALTER TABLE userbase ALTER n TYPE bigint;",
    "m/2.py",
    11,
    {"public.userbase": AE},
    rewritten=frozenset({"public.userbase"}),
    commits=False,
)
LAST = MeasuredStatement("UPDATE threads SET a = 1;", "m/2.py", 12, {}, scanned=frozenset({"public.threads"}))


def found(*statements: MeasuredStatement, sizes: dict[str, TableSize] | None = None) -> list[Hazard]:
    """Return the hazards of statements, by default for large tables."""
    return hazards_of(statements, LARGE if sizes is None else sizes, today=TODAY)


def test_a_rewrite_is_named_with_its_lock_and_its_cost() -> None:
    """The lock, through how many statements it is held, rows and bytes; and what else waits for the transaction."""
    rewrite, held = found(REWRITE, ADD, LAST)
    assert (rewrite.kind, rewrite.line) == (HazardKind.REWRITE, 11)
    assert rewrite.text == "ACCESS EXCLUSIVE on userbase, held through 3 statements, rewrites 40 M rows, 11 GB"
    assert (held.kind, held.line) == (HazardKind.HELD, 12)
    assert held.text == (
        "ACCESS EXCLUSIVE on userbase, held through 3 statements, while the statement reads 12 k rows, 20 MB of threads"
    )
    assert held.safe == ("-- in a revision, or a transaction, of its own:", "UPDATE threads SET a = 1;")


def test_small_tables_and_short_locks_are_no_hazard() -> None:
    """A lock for a moment is only noted, and so is what is done with a table of few rows."""
    assert found(ADD) == []
    assert found(REWRITE, sizes={"public.userbase": TableSize(100, 8192)}) == []
    assert lock_notes([ADD, REWRITE, LAST]) == ["ACCESS EXCLUSIVE on userbase, held through 3 statements"]
    assert lock_notes([LAST]) == []


def test_without_sizes_a_hazard_is_named_and_refuses_nothing() -> None:
    """A pull request has no live database: the plan on it decides."""
    (hazard,) = found(REWRITE, sizes={})
    assert hazard.text == "ACCESS EXCLUSIVE on userbase, rewrites all rows, whose number is not known here"
    assert not hazard.is_refused


def test_a_loss_counts_where_there_are_rows() -> None:
    """A dropped column of an empty table loses nothing."""
    drop = MeasuredStatement(
        "ALTER TABLE userbase DROP COLUMN n;", "x.sql", 3, lost={"column public.userbase.n": "public.userbase"}
    )
    (hazard,) = found(drop)
    assert (hazard.kind, hazard.text) == (HazardKind.LOSS, "loses column public.userbase.n, 40 M rows, 11 GB")
    assert hazard.safe[0] == "ALTER TABLE userbase RENAME COLUMN n TO n_unused;"
    assert found(drop, sizes={"public.userbase": TableSize(0, 0)}) == []


def allowed_by(*comments: str) -> Hazard:
    """Return the hazard of a rewrite with comments at the statement."""
    return found(replace(REWRITE, comments=comments, commits=True))[0]


def test_a_comment_allows_a_hazard_until_its_day_and_for_a_reason() -> None:
    """The kind has to be the hazard's; what is not understood, or is over, allows nothing and says why."""
    assert allowed_by("allow rewrite until 2026-11-26: at night").reason == "at night"
    assert allowed_by("allow loss, rewrite until 2027-01-01: at night").reason == "at night"
    assert allowed_by("allow loss until 2027-01-01: at night").is_refused
    assert allowed_by("allow rewrite until 2026-11-25: at night").problem == "it was allowed until 2026-11-25 only"
    assert allowed_by("allow rewrite: x").problem == (
        "`hazard: allow rewrite: x` is not understood; write `hazard: allow rewrite until 2027-12-31: the reason`"
    )
    assert allowed_by("allow rewrite until 2026-02-31: at night").is_refused


def test_a_refusal_has_the_safe_form_and_the_comment_to_write() -> None:
    """A column gets another type in two releases; the lines are shown in the plan too."""
    ((place, what, remedy),) = hazard_refusals([allowed_by()], today=TODAY)
    assert (place, what) == ("m/2.py:11", "ACCESS EXCLUSIVE on userbase, rewrites 40 M rows, 11 GB")
    assert remedy.splitlines()[0] == (
        "write it in its safe form, or allow it by a comment before the statement, "
        "`# hazard: allow rewrite until 2027-12-31: the reason`"
    )
    assert remedy.splitlines()[2] == "    ALTER TABLE userbase ADD COLUMN n_new bigint;"
    lines = list(hazard_lines([REWRITE], [allowed_by()]))
    assert lines[:2] == ["locks: ACCESS EXCLUSIVE on userbase", f"! line 11: {what}"]
    allowed = list(hazard_lines([REWRITE], [allowed_by("allow rewrite until 2027-01-01: at night")]))
    assert allowed[1] == f"allowed, line 11: {what}, because at night"


def test_numbers_are_short_and_modes_are_as_in_sql() -> None:
    """Rows to thousands and millions, bytes as PostgreSQL writes them."""
    numbers = (1, 950, 9_999, 12_345, 1_250_000, 40_000_000)
    assert [rows_as_text(rows) for rows in numbers] == [
        "1 row", "950 rows", "9,999 rows", "12 k rows", "1.2 M rows", "40 M rows",
    ]  # fmt: skip
    assert [bytes_as_text(size) for size in (0, 8192, 11 << 30, 3 << 40)] == ["0 bytes", "8 kB", "11 GB", "3.0 TB"]
    assert mode_of("ShareRowExclusiveLock") == "SHARE ROW EXCLUSIVE"
