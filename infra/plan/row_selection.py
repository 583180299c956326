"""Which rows of the ledger belong to which files, and which modules are torn down together."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.catalog.catalog import NOTES
from infra.catalog.changes import created_objects
from infra.modules.module import order
from infra.plan.ledger_rows import ORPHANED

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.modules.module_file import ModuleFile
    from infra.plan.database_status import DatabaseStatus
    from infra.plan.ledger_rows import LedgerEntry


def assign_rows(files: Sequence[ModuleFile], rows: Mapping[str, LedgerEntry]) -> dict[str, LedgerEntry]:
    """Return each file's row in the ledger, without the files that have none.

    That is the row of its name; else one without a file that has its statements (the file was renamed or renumbered);
    else one without a file, and not orphaned, that has its title (it was renumbered and changed), or its number (it was
    renamed and changed).
    """
    assigned = {file.name: rows[file.name] for file in files if file.name in rows}
    free = {name: row for name, row in rows.items() if name not in assigned}

    def assign(file: ModuleFile, candidates: list[LedgerEntry]) -> None:
        if candidates:
            nearest = min(candidates, key=lambda row: (abs(order(row.module)[0] - file.module.number), row.module))
            assigned[file.name] = free.pop(nearest.module)

    for file in files:
        if free and file.name not in assigned:
            assign(file, [row for row in free.values() if row.digests.statements == file.statements_digest])
    for key in (_title, _number):
        for file in files:
            if free and file.name not in assigned:
                same = [row for row in free.values() if key(row.module) == key(file.name)]
                assign(file, [row for row in same if row.outcome != ORPHANED])
    return assigned


def _title(module: str) -> str:
    return module.partition("-")[2]


def _number(module: str) -> int:
    return order(module)[0]


def entries_to_rebuild(entries: Sequence[LedgerEntry], module: str) -> list[LedgerEntry]:
    """Return the rows of the modules that are rebuilt with `module`, in the order given: itself and the later ones.

    Where one of these changed an object of an earlier module, or rows in its tables, that module and those after it are
    rebuilt as well, because a change is only undone by creating the object again, and a row that was inserted would be
    there twice, or not at all (duplicate key). Orphaned modules are left out: they have no file.
    """
    creators = {
        identity: entry.module
        for entry in entries
        for identity in entry.effect.objects
        if identity not in entry.effect.changed
    }
    orphans = {entry.module for entry in entries if entry.outcome == ORPHANED}
    first = module
    while True:
        selection = [entry for entry in entries if order(entry.module) >= order(first) and entry.outcome != ORPHANED]
        changed = {identity for entry in selection for identity in entry.effect.changed if identity.kind not in NOTES}
        reached = {creators[identity] for identity in changed if identity in creators}
        written = {identity for entry in selection for identity in entry.tables_written}
        reached |= {creators[identity] for identity in written if identity in creators} - orphans
        earliest = min(reached, default=first, key=order)
        if order(earliest) >= order(first):
            return selection
        first = earliest


def current_rows(status: DatabaseStatus, rows: Mapping[str, LedgerEntry]) -> list[LedgerEntry]:
    """Return all rows, unfinished ones too, under their files' names, in the modules' order."""
    names = {row.module: name for name, row in rows.items()}
    entries = {**status.unfinished, **status.entries}
    current = [replace(entry, module=names.get(entry.module, entry.module)) for entry in entries.values()]
    return sorted(current, key=lambda entry: order(entry.module))


def rows_to_tear_down(
    current: Sequence[LedgerEntry], rebuilt: Sequence[str], without_file: Sequence[LedgerEntry]
) -> list[LedgerEntry]:
    """Return the rows of what is dropped: modules to rebuild with all that follows from it, and modules without a file.

    A module without a file that changed an object of an earlier one brings that one back by a rebuild.
    """
    names = {entry.module for module in rebuilt for entry in entries_to_rebuild(current, module)}
    for entry in without_file:
        selection = entries_to_rebuild(current, entry.module)
        reaches_back = any(order(other.module) < order(entry.module) for other in selection)
        names |= {other.module for other in selection} if reaches_back else {entry.module}
    return [entry for entry in current if entry.module in names]


def filled_by_later(teardown: Sequence[LedgerEntry], *, before: str) -> list[str]:
    """Return the modules before `before` in whose tables one wrote rows that is torn down, and not before it."""
    written = {table for entry in teardown if order(entry.module) >= order(before) for table in entry.tables_written}
    return [
        entry.module
        for entry in teardown
        if order(entry.module) < order(before) and not written.isdisjoint(created_objects(entry.effect))
    ]
