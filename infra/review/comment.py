"""A review as one comment in Markdown: the verdict, what happens by kind of stack, what changes, the lines of SQL."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from infra.modules.decision import Lifecycle, Step
from infra.plan.markdown import fenced
from infra.plan.migration_statements import safe_draft
from infra.plan.refusal import refusal_of
from infra.plan.rendering import diff_line
from infra.plan.step_lines import revision_lines
from infra.review.masking import masked
from infra.review.picture import picture

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.catalog.catalog import ObjectId
    from infra.plan.plan import Plan
    from infra.review.review import Review, ReviewedLifecycle

LONGEST_COMMENT = 64_000
"""Characters of a comment; GitHub takes 65,536."""

MARK = "<!-- platform-postgres review -->"
"""What a workflow finds its own comment by, to edit it in place."""

_LONGEST_BLOCK = 10_000
"""Characters of each block in front of the folds, of which there are five at most."""

_SIGNS = ("+ ", "- ", "~ ")
_MOST_TABLES = 5
_NO_DATABASE = "without any database of a stack: rows, sizes and drift of those are not in it."
_DOES_NOT_COUNT = "`make preview` counts them"


def review_as_markdown(review: Review) -> str:
    """Return the comment, cut to LONGEST_COMMENT by leaving out whole folds, the longest lines of SQL first.

    Passwords in it are masked.
    """
    head = [MARK, *_head(review), ""]
    folds = [_fold(f"{name}.sql", "diff", lines) for name, lines in review.lines.items()]
    diagrams = picture(*(catalog.objects for catalog in review.catalogs)) if review.catalogs else []
    pictures = [_fold(f"picture, {side}", "mermaid", diagram.splitlines()) for side, diagram in diagrams]
    if len("\n".join([*head, *folds, *pictures])) < LONGEST_COMMENT - 1000:
        folds += pictures
    made_from = f"Made on a private server from the modules of `{review.base}` ({review.commit[:12]})"
    named = " and ".join(f"{live.stack} ({live.time} UTC)" for live in review.live)
    of_stacks = f"; sizes, drift and unmanaged objects are those of {named}." if named else f", {_NO_DATABASE}"
    foot = ["", f"{made_from}{of_stacks}"]
    if review.released.not_tried:
        foot.append(f"The released code was not tried on the new schema, because {review.released.not_tried}.")
    left_out = 0
    while folds and len("\n".join([*head, *folds, *foot])) > LONGEST_COMMENT - 200:
        folds.remove(max(folds, key=len))
        left_out += 1
    if left_out:
        foot.insert(0, f"The changed lines of {left_out} modules are left out; the pull request's own diff has them.")
    return masked("\n".join([*head, *folds, *foot]) + "\n")


def review_as_json(review: Review) -> str:
    """Return the review as JSON, for other programs; passwords in it are masked."""
    values = {
        "level": review.level,
        "base": review.base,
        "commit": review.commit,
        "changes": review.changes,
        "broken": [{"name": query.name, "sql": query.sql, "cause": query.cause} for query in review.released.broken],
        "lifecycles": {
            reviewed.lifecycle.value: {
                "steps": [
                    {"module": step.module, "step": step.step.value, "why": step.why}
                    for step in (*reviewed.plan.steps, *reviewed.plan.removed)
                ],
                "revisions": [
                    {"revision": part.revision, "path": part.path, "hazards": part.hazards}
                    for part in reviewed.plan.revisions
                ],
                "tables_dropped": reviewed.plan.tables_dropped(),
                "refusal": str(refusal_of(reviewed.plan, "a database")) if reviewed.plan.refusals else None,
            }
            for reviewed in review.lifecycles
        },
        "live": {
            live.stack: {
                database: {"drift": known.drift, "unmanaged": known.unmanaged, "problem": known.problem}
                for database, known in live.databases.items()
            }
            for live in review.live
        },
    }
    return masked(json.dumps(values, indent=2) + "\n")


def _head(review: Review) -> Iterable[str]:
    mark = "🔴" if review.level == "refused" or review.lost else {"fine": "🟢", "loss": "🟡"}[review.level]
    changes = review.changes
    objects = [line for line in changes if line[:2] in _SIGNS]
    title = _title(objects or [f"+ module {name}" for name in review.new_modules])
    yield f"### {mark} schema: {'every stack refuses it' if review.level == 'refused' else title}"
    yield ""
    yield "| stacks | what `up` does | what is lost |"
    yield "| --- | --- | --- |"
    for reviewed in review.lifecycles:
        named = (
            f"{', '.join(reviewed.stacks)} ({reviewed.lifecycle.value})"
            if reviewed.stacks
            else reviewed.lifecycle.value
        )
        act = "`up` refuses" if review.level == "refused" else _what_happens(reviewed.plan)
        yield f"| {named} | {act} | {_losses(reviewed, review.lost, is_renamed=review.is_renamed)} |"
    if review.level == "refused":
        yield from ("", "**Why**", *_block("", [str(refusal_of(review.of(Lifecycle.EPHEMERAL), "a database"))]))
        return
    if changes:
        lines = [f"! {line[2:]}" if line.startswith("~ ") else line for line in changes]
        yield from ("", "**Change**", *_block("diff", lines))
    yield from _lines_of_hazards(review)
    if review.released.broken:
        lines = [f"{query.name}: {query.cause}" for query in review.released.broken]
        yield from ("", "**Released code that fails on the new schema**", *_block("", lines))
    yield from _migration(review)
    yield from _live_databases(review)
    if changes:
        yield from ("", f"**Undo** {_undo(review)}")


def _lines_of_hazards(review: Review) -> Iterable[str]:
    """Yield what persistent databases run, with the locks and hazards that were measured."""
    lines = [line for revision in review.revisions for line in revision_lines(revision)]
    for reviewed in review.lifecycles:
        for step in reviewed.plan.steps if reviewed.lifecycle is Lifecycle.PERSISTENT else ():
            lines += (
                [f"{step.step.value} {step.module}:", *(f"  {line}" for line in step.hazards)] if step.hazards else []
            )
    if lines:
        yield from ("", "**What a persistent stack runs**", *_block("diff", list(map(diff_line, lines))))


def _migration(review: Review) -> Iterable[str]:
    """Yield the lines about existing databases: a draft of the SQL that the branch lacks, and what comes after what."""
    plan = review.of(Lifecycle.PERSISTENT)
    if not plan.refusals and not plan.revisions:
        return
    draft = safe_draft([difference for step in plan.refusals for difference in step.differences])
    if draft.lines:
        note = f", {draft.note}" if draft.note else ""
        yield from ("", f"**Migration of persistent stacks**: not in this branch; as a draft to be checked{note}")
        yield from _block("sql", draft.lines)
    elif plan.refusals:
        yield from ("", "**Why persistent stacks refuse**", *_block("", [str(refusal_of(plan, "a database"))]))
    if review.is_renamed:
        yield "Code that uses an old name fails from then on: release it together with the migration."
    steps = [
        "release code that does not use what goes, and back up (`make backup`)" if review.lost else "",
        'write the migration (`make revision M="…"`)' if draft.lines else "",
        "`make up` runs it, and compares the database with the modules",
        "" if review.lost else "release the code",
    ]
    numbered = (f"{number} {step}" for number, step in enumerate(filter(None, steps), 1))
    yield from ("", f"**Steps** {', '.join(numbered)}.")


def _live_databases(review: Review) -> Iterable[str]:
    """Yield what somebody changed in live databases, and what no module made there, the same in several once."""
    found: dict[str, list[str]] = {}
    for live in review.live:
        for database, known in live.databases.items():
            lines = [*(f"{line} (changed by hand)" for line in known.drift), *known.unmanaged]
            for line in [f"could not be looked at: {known.problem}"] if known.problem else lines:
                found.setdefault(line, []).append(f"{live.stack}/{database}")
    if found:
        lines = [f"{', '.join(databases)}: {line}" for line, databases in found.items()]
        yield from ("", "**Live databases**", *_block("", lines))


def _undo(review: Review) -> str:
    if review.lost:
        return f"brings {_some(_names(review.lost))} back empty: the values are in a backup alone."
    plan = review.of(Lifecycle.PERSISTENT)
    is_migrated = plan.revisions or plan.refusals
    left = "persistent ones need the migration's `downgrade`" if is_migrated else "in persistent ones new objects stay"
    return f"take the change back: ephemeral stacks rebuild again, {left}."


def _title(changes: Sequence[str]) -> str:
    """Return the one change, or how many there are."""
    if len(changes) == 1:
        return " ".join(changes[0].splitlines())
    return f"{len(changes)} changes" if changes else "nothing changes"


def _what_happens(plan: Plan) -> str:
    if plan.refusals:
        return "`up` refuses" if plan.revisions else "**needs a migration**: `up` refuses until it has run"
    acts: dict[Step, list[str]] = {}
    for step in (*plan.steps, *plan.removed):
        if step.step is not Step.UNCHANGED:
            acts.setdefault(step.step, []).append(step.module)
    ids = ", ".join(revision.revision for revision in plan.revisions)
    if not acts and not ids:
        return "nothing"
    texts = [f"**migrate** to {ids}"] if ids else []
    texts += [f"**{step.value}** {_span(modules)}" for step, modules in acts.items()]
    dropped = len(plan.tables_dropped())
    return ", ".join(texts) + (f"; {dropped} tables are made anew" if dropped else "; no table is made anew")


def _losses(reviewed: ReviewedLifecycle, lost: Sequence[ObjectId], *, is_renamed: bool) -> str:
    """Return what is lost: rows of tables that are made anew, or with a migration the values of columns and tables."""
    if reviewed.lifecycle is Lifecycle.PERSISTENT:
        if lost:
            return f"with the migration, all values of {_some(_names(lost))}"
        return "nothing, if tables are renamed as below" if is_renamed else "nothing"
    tables = [] if reviewed.plan.refusals else reviewed.plan.tables_dropped()
    names = [table.removeprefix("public.") for table in tables]
    return f"rows of {_some(names)}; {_DOES_NOT_COUNT}" if names else "nothing"


def _names(lost: Sequence[ObjectId]) -> list[str]:
    return [f"{identity.kind} {identity.name.removeprefix('public.')}" for identity in lost]


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_TABLES} more" if len(names) > _MOST_TABLES else ""
    return f"{', '.join(names[:_MOST_TABLES])}{more}"


def _span(modules: list[str]) -> str:
    return " and ".join(modules) if len(modules) < 3 else f"{modules[0]} to {modules[-1]}"  # noqa: PLR2004


def _block(language: str, lines: Sequence[str]) -> list[str]:
    return fenced(language, lines, longest=_LONGEST_BLOCK)


def _fold(summary: str, language: str, lines: Sequence[str]) -> str:
    opening = f"<details><summary>{summary}</summary>"
    return "\n".join([opening, "", *fenced(language, lines), "", "</details>"])
