"""Rules on order: what a statement refers to is there when it runs, and nothing is made twice."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.lint.rule import Hit, at_spot, rule
from infra.lint.tree import dotted

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from infra.lint.rule import LintProject
    from infra.lint.schema import Spot
    from infra.lint.schema_state import Lack, SchemaState

VERBS = {"function": "calls", "type": "has the type", "opclass": "uses", "method": "uses the access method"}


@rule("M201", "Used before it is created")
def too_early(project: LintProject) -> Iterator[Hit]:
    """What a statement refers to is created before it, in the same module or an earlier one."""
    for lack in project.history.lacks:
        later = _later(project.history, lack)
        if later:
            what = f"{_what(lack)}, first created in {_where(lack.spot, later)}"
            remedy = "create it first: move one of the two"
            yield at_spot(lack.spot, what, remedy, others=(later.place("is created here"),))


@rule("M202", "Created nowhere")
def nowhere(project: LintProject) -> Iterator[Hit]:
    """What a statement refers to is created by a module, comes with PostgreSQL, or is given in the settings."""
    history = project.history
    for lack in _once(history.lacks):
        kind, name = lack.reference.kind, lack.reference.name
        if _later(history, lack) or history.known.bringing(kind, name[1]):
            continue
        gone = _find(history, history.gone, lack)
        if gone:
            what = f"{_what(lack)}, which {_line(lack.spot, gone)} has dropped or renamed"
            yield at_spot(lack.spot, what, "use what is there now", others=(gone.place("is gone from here on"),))
        elif not (history.unknown_extensions and kind in {"function", "type", "opclass", "method"}):
            remedy = f"create it, or add `{kind} {dotted(name)}` to `given` in lint.yaml"
            yield at_spot(lack.spot, f"{_what(lack)}, which no module creates", remedy)


@rule("M203", "Needs an extension")
def needs_extension(project: LintProject) -> Iterator[Hit]:
    """What comes with an extension is used after the module that creates the extension."""
    history = project.history
    for lack in history.lacks:
        kind, name = lack.reference.kind, lack.reference.name
        bringing = history.known.bringing(kind, name[1])
        if not bringing or _later(history, lack):
            continue
        later = next((spot for one in bringing if (spot := history.extensions.get(one))), None)
        names = " or ".join(bringing)
        if later:
            what = f"{_what(lack)} of {names}, first created in {_where(lack.spot, later)}"
            others = (later.place("is created here"),)
            yield at_spot(lack.spot, what, "create the extension first", others=others)
        else:
            quoted = f'"{bringing[0]}"' if "-" in bringing[0] else bringing[0]
            what = f"{_what(lack)}, which comes with the extension {names}"
            yield at_spot(lack.spot, what, f"CREATE EXTENSION {quoted} in an earlier module")


@rule("M204", "Created twice")
def twice(project: LintProject) -> Iterator[Hit]:
    """An object is created once: the second statement fails."""
    for one in project.history.twice:
        what = f"creates {one.creation.what} {dotted(one.creation.name)} again"
        remedy = "remove one of the two, or give it another name"
        yield at_spot(one.spot, what, remedy, others=(one.first.place("was created here"),))


def _once(lacks: Iterable[Lack]) -> Iterator[Lack]:
    """Give each name once for each file, and each schema once."""
    seen: set[tuple[str, ...]] = set()
    for lack in lacks:
        kind, name = lack.reference.kind, lack.reference.name
        key = (kind, *name, "" if kind == "schema" else lack.spot.located.file.path)
        if key not in seen:
            seen.add(key)
            yield lack


def _later(history: SchemaState, lack: Lack) -> Spot | None:
    """Find where it is created after all, in a later statement."""
    found = _find(history, history.first, lack)
    return found if found and _is_after(history, found, lack.spot) else None


def _is_after(history: SchemaState, one: Spot, other: Spot) -> bool:
    place = history.number
    return place[one.located] > place[other.located]


def _find(history: SchemaState, among: dict[tuple[str, tuple[str, str]], Spot], lack: Lack) -> Spot | None:
    kind, (schema, name) = lack.reference.kind, lack.reference.name
    kinds = (kind, "relation") if kind == "type" else (kind,)
    if schema or kind == "schema":
        return next((among[one, (schema, name)] for one in kinds if (one, (schema, name)) in among), None)
    return next((spot for one in kinds if (spot := history.by_bare_name(among, one, name))), None)


def _what(lack: Lack) -> str:
    verb = VERBS.get(lack.reference.kind, "refers to")
    noun = "the schema " if lack.reference.kind == "schema" else ""
    return f"{verb} {noun}{dotted(lack.reference.name)}"


def _where(from_here: Spot, there: Spot) -> str:
    """Name a later place: the line where it is the same file, else the file."""
    if from_here.located.file is there.located.file:
        return f"line {there.place().line}"
    return PurePath(there.located.file.name).stem if there.located.file.number is not None else there.located.file.name


def _line(from_here: Spot, there: Spot) -> str:
    if from_here.located.file is there.located.file:
        return f"line {there.place().line}"
    return f"{there.located.file.name}:{there.place().line}"
