"""Where the DDL of listeners stands among the generated statements: what each of them needs exists when it runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from infra.errors import InfraError, ModuleError
from infra.modules.creations import creations
from infra.modules.references import references
from infra.modules.statements import parse
from infra.modules.tree import readable_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from infra.modules.tree import Name


@dataclass(frozen=True)
class ListenerDdl:
    """What a listener executes: its position in `create_all`, whether that is before its table, and its line."""

    text: str
    ordinal: int
    before: bool
    place: str


@dataclass(frozen=True)
class GeneratedStatement:
    """A statement of the models: the SQLAlchemy element that it creates, and its position in `create_all`."""

    element: Any
    text: str
    ordinal: int


@dataclass(frozen=True)
class _Names:
    """What a statement creates and what it refers to, as kinds and names with their schema."""

    ordinal: int
    created: frozenset[tuple[str, Name]]
    needed: frozenset[tuple[str, Name]]
    shown: str  # the name of what it creates

    def needs(self, other: _Names) -> bool:
        """Return whether this statement refers to what another one, executed earlier, creates."""
        return other.ordinal < self.ordinal and not other.created.isdisjoint(self.needed)


_Bound = tuple[int, str]
"""How many statements stand before something, and the name of what makes that so."""


def slots(
    ddl: Sequence[ListenerDdl], first: Sequence[GeneratedStatement], rest: Iterable[GeneratedStatement]
) -> list[int]:
    """Return for each statement of listeners how many of the statements `first` stand before it.

    `first` are those of the modules with tables, and `rest` those of the modules after them; a number greater than that
    of `first` is behind both. What is executed before its table stands as early as it can, everything else as late as
    it can. Raises InfraError for a statement that would have to be behind one that needs it.
    """
    listeners = [_names(statement.text, statement.ordinal, statement.place) for statement in ddl]
    if not listeners:
        return []
    generated = [(position, _names(statement.text, statement.ordinal)) for position, statement in enumerate(first)]
    generated += [(len(first), _names(statement.text, statement.ordinal)) for statement in rest]
    latest: list[_Bound] = [(len(first) + 1, "")] * len(ddl)
    for index in reversed(range(len(ddl))):
        bounds = [(position, other.shown) for position, other in generated if other.needs(listeners[index])]
        bounds += [latest[later] for later in range(index + 1, len(ddl)) if listeners[later].needs(listeners[index])]
        latest[index] = min(bounds, default=latest[index])
    chosen: list[_Bound] = []
    for index, names in enumerate(listeners):
        bounds = [(position + 1, other.shown) for position, other in generated if names.needs(other)]
        bounds += [chosen[earlier] for earlier in range(index) if names.needs(listeners[earlier])]
        earliest = max(bounds, default=(0, ""))
        if earliest[0] > latest[index][0]:
            raise InfraError(
                f"a listener executes a statement that needs {earliest[1]}, and that {latest[index][1]} needs, which "
                f"a module creates before {earliest[1]}: {ddl[index].text.strip().removesuffix(';')}",
                place=ddl[index].place,
                remedy=f"declare {earliest[1]} before {latest[index][1]}, or order `modules` so in modules.yaml",
            )
        chosen.append(earliest if ddl[index].before else latest[index])
    return [position for position, _ in chosen]


def _names(text: str, ordinal: int, place: str = "") -> _Names:
    try:
        statements = parse(text, "")
    except ModuleError as error:
        what = f"a listener executes what PostgreSQL cannot read: {error.what}"
        raise InfraError(what, place=place, remedy="correct its SQL") from None
    created = [creation for statement in statements for creation in creations(statement.kind, statement.tree)]
    needed = {
        _key(reference.kind, reference.name)
        for statement in statements
        for reference in references(statement.kind, statement.tree)
    }
    needed |= {_key("schema", ("", creation.name[0])) for creation in created if creation.name[0]}
    return _Names(
        ordinal,
        frozenset(_key(creation.kind, creation.name) for creation in created),
        frozenset(needed),
        readable_name(created[0].name) if created else "",
    )


def _key(kind: str, name: Name) -> tuple[str, Name]:
    """Return what equal names have in common: a table's rows have a type of its name."""
    if kind in {"schema", "extension"}:
        return kind, name
    return "relation" if kind == "type" else kind, (name[0] or "public", name[1])
