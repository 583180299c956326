"""Rules on order: what a statement refers to exists when it runs, and nothing is created twice."""

from __future__ import annotations

from pathlib import PurePath
from typing import TYPE_CHECKING

from infra.lint.rule import Violation, rule, violation, violation_at
from infra.modules.tree import readable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from infra.lint.rule import LintProject
    from infra.lint.schema_state import MissingReference, NamedObject, SchemaState
    from infra.lint.source_file import Origin

REFERENCE_VERBS = {
    "function": "calls",
    "type": "has the type",
    "opclass": "uses",
    "method": "uses the access method",
    "schema": "refers to the schema",
    "role": "names the role",
    "tablespace": "names the tablespace",
}
OF_THE_SERVER = {
    "role": "name the roles of the stack (docs/how-do-i.md), or remove it",
    "tablespace": "remove it",
}
"""What belongs to the whole server, and what to do about a module that names it."""
CREATED_BY_EXTENSIONS = frozenset({"function", "type", "opclass", "method"})


@rule("M201", "Used before it is created")
def used_before_creation(project: LintProject) -> Iterator[Violation]:
    """What a statement refers to is created before it, in the same module or an earlier one."""
    for missing in project.state.missing_references:
        later = _later_creation(project.state, missing)
        if later:
            message = f"{_sentence(missing)}, first created in {_file_or_line(missing.origin, later)}"
            remedy = "create it first: move one of the two"
            yield violation_at(missing.origin, message, remedy, others=(later.place("is created here"),))


@rule("M202", "Created nowhere")
def created_nowhere(project: LintProject) -> Iterator[Violation]:
    """What a statement refers to is created by a module, comes with PostgreSQL, or is given in the settings."""
    state = project.state
    for missing in _once_per_file(state.missing_references):
        kind, name = missing.reference.kind, missing.reference.name
        if _later_creation(state, missing) or state.builtins.extensions_with(kind, name[1]):
            continue  # M201 or M203 reports it
        dropped = _find_origin(state.dropped, missing)
        if dropped:
            message = f"{_sentence(missing)}, which {_file_and_line(missing.origin, dropped)} has dropped or renamed"
            others = (dropped.place("is dropped or renamed here"),)
            yield violation_at(missing.origin, message, "use what exists now", others=others)
        elif not (state.has_unknown_extension and kind in CREATED_BY_EXTENSIONS):
            creator = "stack" if kind in OF_THE_SERVER else "module"
            instead = OF_THE_SERVER.get(kind, "create it")
            remedy = f"{instead}, or add `{kind} {readable_name(name)}` to `given` in lint.yaml"
            yield violation_at(missing.origin, f"{_sentence(missing)}, which no {creator} creates", remedy)


@rule("M203", "Needs an extension")
def needs_extension(project: LintProject) -> Iterator[Violation]:
    """What comes with an extension is used after the module that creates the extension."""
    state = project.state
    for missing in state.missing_references:
        kind, name = missing.reference.kind, missing.reference.name
        extensions = state.builtins.extensions_with(kind, name[1])
        if not extensions or _later_creation(state, missing):
            continue
        names = " or ".join(extensions)
        later = next((state.extensions[extension] for extension in extensions if extension in state.extensions), None)
        if later:
            message = f"{_sentence(missing)} of {names}, first created in {_file_or_line(missing.origin, later)}"
            others = (later.place("is created here"),)
            yield violation_at(missing.origin, message, "create the extension first", others=others)
        else:
            quoted = f'"{extensions[0]}"' if "-" in extensions[0] else extensions[0]
            message = f"{_sentence(missing)}, which comes with the extension {names}"
            yield violation_at(missing.origin, message, f"CREATE EXTENSION {quoted} in an earlier module")


@rule("M204", "Created twice")
def created_twice(project: LintProject) -> Iterator[Violation]:
    """An object is created once: the second statement fails."""
    for duplicate in project.state.duplicate_creations:
        message = f"creates {duplicate.creation.object_type} {readable_name(duplicate.creation.name)} again"
        remedy = "remove one of the two, or give it another name"
        yield violation_at(duplicate.origin, message, remedy, others=(duplicate.first.place("is created here"),))
    for statement in project.statements("create_schema_stmt"):
        name = statement.tree.schemaname
        if project.state.builtins.is_builtin("schema", "", name) and not statement.tree.if_not_exists:
            yield violation(statement, f"creates schema {name}, which every database has", "remove it")


def _once_per_file(references: Iterable[MissingReference]) -> Iterator[MissingReference]:
    """Yield the first reference to each name in each file, and the first of all to each schema."""
    reported: set[tuple[str, ...]] = set()
    for missing in references:
        kind, name = missing.reference.kind, missing.reference.name
        key = (kind, *name, "" if kind == "schema" else missing.origin.statement.file.path)
        if key not in reported:
            reported.add(key)
            yield missing


def _later_creation(state: SchemaState, missing: MissingReference) -> Origin | None:
    """Return where a later statement creates what is missing, None if none does."""
    created = _find_origin(state.first_created, missing)
    is_later = created and state.numbers[created.statement] > state.numbers[missing.origin.statement]
    return created if is_later else None


def _find_origin(origins: Mapping[NamedObject, Origin], missing: MissingReference) -> Origin | None:
    """Return the origin of the object that is missing; without a schema, of one in public before any other."""
    kind, (schema, name) = missing.reference.kind, missing.reference.name
    kinds = (kind, "relation") if kind == "type" else (kind,)  # a table's rows have a type of its name
    if schema or kind == "schema":
        return next((origins[key, (schema, name)] for key in kinds if (key, (schema, name)) in origins), None)
    return next((origin for key in kinds if (origin := _find_in_any_schema(origins, key, name))), None)


def _find_in_any_schema(origins: Mapping[NamedObject, Origin], kind: str, name: str) -> Origin | None:
    in_public = origins.get((kind, ("public", name)))
    others = (origin for (other_kind, (_, bare)), origin in origins.items() if (other_kind, bare) == (kind, name))
    return in_public or next(others, None)


def _sentence(missing: MissingReference) -> str:
    kind, name = missing.reference.kind, missing.reference.name
    return f"{REFERENCE_VERBS.get(kind, 'refers to')} {readable_name(name)}"


def _file_or_line(origin: Origin, other: Origin) -> str:
    """Return how a message at an origin calls another one: by its line in the same file, otherwise by its file."""
    file = other.statement.file
    if origin.statement.file is file:
        return f"line {other.place().line}"
    return PurePath(file.name).stem if file.number is not None else file.name


def _file_and_line(origin: Origin, other: Origin) -> str:
    line = other.place().line
    return f"line {line}" if origin.statement.file is other.statement.file else f"{other.statement.file.name}:{line}"
