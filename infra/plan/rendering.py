"""A plan as a person reads it, as text and as Markdown: the verdict, what happens where, what is lost, what changed.

One renderer for previews and for the comment on a pull request. The same change in forty databases is there once, with
the databases that it concerns. The order is stable, and no digest is in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from infra.catalog.identifiers import last
from infra.plan.markdown import fenced
from infra.plan.refusal import refusal_of
from infra.plan.step_lines import dropped_lines, revision_lines, step_lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from infra.modules.decision import Lifecycle
    from infra.plan.plan import Plan

MOST_IN_SENTENCE = 3
"""How many databases a sentence names."""
MOST_TABLES = 8
"""How many tables with rows a line names."""
MOST_LISTED = 100
"""How many databases with the same plan are named."""

EXPECTED = "drop or revoke that by hand; what is right as it is belongs in the setting `modules.unmanaged`"


@dataclass(frozen=True)
class PlannedDatabase:
    """What happens to one database: its plan, or why there is none.

    `rows` has, for each table that is dropped and has rows, their number, as text (`about` before an estimate), and
    `values` in words how many values each table and column has that a migration drops.
    `unmanaged` has a sentence for each thing that no module made. `problem` says why the database could not be looked
    at; `is_new` that this is expected, before its first run; `is_removed` that it is dropped, because the settings
    have it no longer.
    """

    database: str
    lifecycle: Lifecycle
    plan: Plan | None = None
    rows: Mapping[str, str] = field(default_factory=dict[str, str])
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    unmanaged: tuple[str, ...] = ()
    problem: str = ""
    is_new: bool = False
    is_removed: bool = False

    @property
    def lost(self) -> int:
        """How many rows are lost, estimates included."""
        return sum(int(count.split()[-1]) for count in self.rows.values() if count.split()[-1].isdigit())


@dataclass(frozen=True)
class Verdict:
    """The first line of a rendered plan: `level` is `fine`, `loss` or `refused`."""

    level: str
    text: str


def verdict_of(databases: Sequence[PlannedDatabase]) -> Verdict:
    """Return in one sentence what `up` will do."""
    refused = [planned.database for planned in databases if planned.plan and planned.plan.refusals]
    if refused:
        return Verdict("refused", f"`up` will refuse, and change nothing in {_names(refused)}")
    lost = sum(planned.lost for planned in databases)
    losing = [planned.database for planned in databases if planned.rows]
    if losing:
        return Verdict("loss", f"`up` will lose {_rows(lost)} in {_names(losing)}")
    losing = [planned.database for planned in databases if planned.values]
    if losing:
        return Verdict("loss", f"`up` will drop columns or tables of {_names(losing)} by a migration")
    unread = [planned.database for planned in databases if planned.problem and not planned.is_new]
    if unread:
        return Verdict("loss", f"what `up` will do in {_names(unread)} is not known")
    removed = [planned.database for planned in databases if planned.is_removed]
    if removed:
        return Verdict("fine", f"`up` will drop {_names(removed)}, and lose no row")
    acting = [planned for planned in databases if planned.plan and not planned.plan.is_unchanged]
    changed = [planned.database for planned in acting if planned.plan and not planned.plan.is_recorded_only]
    text = "`up` will leave the schema as it is"
    seeded = [planned.database for planned in acting if planned.plan and planned.plan.seed]
    if changed:
        text = f"`up` will change the schema of {_names(changed)}, and lose no row"
    elif seeded:
        text = f"`up` will insert the rows of a seed into {_names(seeded)}"
    elif acting:
        text = f"`up` will change the ledger of {_names([planned.database for planned in acting])} alone"
    return Verdict("fine", text)


def way_back(databases: Sequence[PlannedDatabase]) -> str:
    """Return how the change is undone after `up`, '' where nothing is changed."""
    if any(planned.plan and planned.plan.refusals for planned in databases):
        return ""
    has_backup = all(planned.plan and planned.plan.backup for planned in databases if planned.rows or planned.values)
    backup = "from the backup that is made" if has_backup else "only from a backup (`make backup` before `make up`)"
    lost = f"; what is lost comes back {backup}"
    is_lost = any(planned.rows or planned.values for planned in databases)
    plans = [planned.plan for planned in databases if planned.plan]
    if any(plan.revisions for plan in plans):
        return "take the change back, and write a revision for that" + (lost if is_lost else "")
    if is_lost or not all(plan.is_recorded_only for plan in plans):
        return "take the change back and run `make up` again" + (lost if is_lost else "")
    return ""


def plan_as_text(databases: Sequence[PlannedDatabase], texts: Mapping[str, Sequence[str]]) -> str:
    """Return the plans of a stack's databases as lines of text, '' where there is nothing to say.

    `texts` has the changed lines of modules, as in a unified diff.
    """
    blocks = [*_blocks(databases), *_text_blocks(texts)]
    if not blocks:
        return ""
    undo = way_back(databases)
    lines = [f"{verdict_of(databases).text}:", *(line for block in blocks for line in block)]
    return "\n".join([*lines, f"to undo: {undo}"] if undo else lines)


def plan_as_markdown(databases: Sequence[PlannedDatabase], texts: Mapping[str, Sequence[str]]) -> str:
    """Return the plans of a stack's databases as Markdown, given as for text."""
    verdict = verdict_of(databases)
    mark = {"fine": "🟢", "loss": "🟡", "refused": "🔴"}[verdict.level]
    lines = [f"### {mark} {verdict.text}", ""]
    for block in _blocks(databases):
        lines += fenced("diff", list(map(diff_line, block)))
    for title, *changes in _text_blocks(texts):
        lines += [
            f"<details><summary>{title[:-1]}</summary>",
            "",
            *fenced("diff", [line[2:] for line in changes]),
            "</details>",
        ]
    undo = way_back(databases)
    if undo:
        lines += ["", f"**To undo**: {undo}"]
    return "\n".join(lines) + "\n"


def _text_blocks(texts: Mapping[str, Sequence[str]]) -> list[list[str]]:
    """Return for each changed module a title and its changed lines."""
    return [
        [f"{name}.sql, since the last `up`:", *(f"  {line}" for line in lines)] for name, lines in sorted(texts.items())
    ]


def diff_line(line: str) -> str:
    """Return a line with its sign first, where GitHub's diff highlighting wants it."""
    stripped = line.lstrip()
    if stripped[:2] in {"+ ", "- ", "! "}:
        return f"{stripped[0]} {line[: len(line) - len(stripped)]}{stripped[2:]}"
    return f"  {line}" if line else line


def _blocks(databases: Sequence[PlannedDatabase]) -> Iterable[list[str]]:
    """Yield the lines of each group of databases in which the same happens."""
    keyed = [(_body(planned), planned) for planned in databases]
    order = {body: position for position, (body, _) in reversed(list(enumerate(keyed)))}
    keyed.sort(key=lambda pair: order[pair[0]])
    for body, group in groupby(keyed, key=lambda pair: pair[0]):
        if body:
            members = [planned for _, planned in group]
            yield [f"{_all_names([planned.database for planned in members])}:", *body, *_losses(members)]


def _body(planned: PlannedDatabase) -> tuple[str, ...]:
    """Return what happens to a database, without its name, as lines."""
    if planned.is_removed:
        problem = (f"  its rows could not be counted: {planned.problem}",) if planned.problem else ()
        return ("  drop the database: it is gone from the settings", *problem)
    if planned.plan is None:
        return () if planned.is_new else (f"  could not be looked at: {planned.problem}",)
    lines: list[str] = []
    if planned.plan.refusals:
        lines += [
            f"  ! {line}" if not position else f"    {line}"
            for position, line in enumerate(_refusal_lines(planned.plan))
        ]
    else:
        lines += [f"  {planned.plan.backup}"] if planned.plan.backup else []
        for revision in planned.plan.revisions:
            lines += (f"  {line}" for line in revision_lines(revision))
        lines += step_lines(planned.plan)
        if planned.plan.dropped_with_it:
            lines.append(f"  drops as well, made by no module: {', '.join(map(str, planned.plan.dropped_with_it))}")
        for removed in planned.plan.removed:
            lines.append(f"  {removed.step.value} {removed.module}: {removed.why}")
            lines += [f"    {line}" for line in dropped_lines(planned.plan, removed)]
        lines += [f"  {planned.plan.seed}"] if planned.plan.seed else []
    if planned.unmanaged:
        lines += [*(f"  {sentence}" for sentence in planned.unmanaged), f"  {EXPECTED}"]
    return tuple(lines)


def _refusal_lines(plan: Plan) -> list[str]:
    """Return a refusal in lines; what has a place in a file does not name the database again."""
    place = "this database"
    return [line.removeprefix(f"{place}: ") for line in str(refusal_of(plan, place)).splitlines()]


def _losses(members: Sequence[PlannedDatabase]) -> list[str]:
    """Return the lines that say which tables lose how many rows, by database where there are several."""
    lines: list[str] = []
    for planned in members:
        place = f"{planned.database}: " if len(members) > 1 else ""
        sign = "" if planned.plan and planned.plan.refusals else "- "  # a refusal's signs have another meaning
        migration = "the migration" + ("" if planned.plan and planned.plan.revisions else " that this needs")
        for thing, count in planned.values.items():
            lines.append(f"  {sign}{place}{migration} drops {thing}, {count}")
        tables = planned.plan.tables_dropped() if planned.plan and not planned.plan.refusals else []
        if not tables and not planned.rows:
            continue
        number = "1 table" if len(tables) == 1 else f"{len(tables)} tables"
        drops = f"drops {number}, losing" if tables else "loses"
        named = list(planned.rows.items())
        counts = ", ".join(f"{last(table)} {_grouped(count)}" for table, count in named[:MOST_TABLES])
        more = f", and {len(named) - MOST_TABLES} more tables" if len(named) > MOST_TABLES else ""
        loss = f"{_rows(planned.lost)} ({counts}{more})" if named else "no row"
        lines.append(f"  - {place}{drops} {loss}")
    return lines


def _grouped(count: str) -> str:
    """Return a number of rows, perhaps with a word before it, with separators."""
    return " ".join(f"{int(word):,}" if word.isdigit() else word for word in count.split())


def _names(databases: list[str]) -> str:
    """Return databases' names, of many the first two and their number."""
    if len(databases) <= MOST_IN_SENTENCE:
        return ", ".join(databases)
    return f"{', '.join(databases[:2])} and {len(databases) - 2} more databases"


def _all_names(databases: list[str]) -> str:
    """Return the names of databases in which the same happens, of many with their number."""
    if len(databases) <= MOST_IN_SENTENCE:
        return ", ".join(databases)
    more = f" and {len(databases) - MOST_LISTED} more" if len(databases) > MOST_LISTED else ""
    return f"{len(databases)} databases ({', '.join(databases[:MOST_LISTED])}{more})"


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"
