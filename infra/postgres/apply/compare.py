"""What modules make on a scratch database, compared with what is there: the proof behind `adopt` and `verify`."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from infra.catalog.catalog import Catalog
from infra.catalog.changes import CatalogChange, fold, is_structure
from infra.catalog.difference import Difference, differences
from infra.modules.digests import text_digest
from infra.modules.module import Module, load_modules
from infra.postgres.apply.scratch import effects_on_scratch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.catalog.catalog import ObjectId
    from infra.postgres.apply.status import DatabaseStatus
    from infra.postgres.connection.session import Session

NAMED_DIFFERENCES = 5

_made: dict[tuple[str, ...], dict[str, CatalogChange]] = {}
_lock = threading.Lock()


class ModuleEffects:
    """What each module makes, and what all of them together leave."""

    def __init__(self, effects: Mapping[str, CatalogChange]) -> None:
        self.effects = effects
        self.last = fold(effects.items()).definitions


def effects_of_modules(session: Session) -> ModuleEffects:
    """Run all modules of the directory on a scratch database; the same files are run once in a process."""
    modules = modules_of(session)
    key = (str(session.target), *(text_digest(module.text) for module in modules))
    with _lock:
        if key not in _made:
            _made.clear()
            _made[key] = effects_on_scratch(
                session.admin, modules, owner=session.owner, like=session.target, seconds=session.statement_timeout
            )
        return ModuleEffects(_made[key])


def modules_of(session: Session) -> list[Module]:
    """Read the modules' files."""
    return load_modules(Path(session.directory), shown_as=session.directory)


def differences_of(
    live: DatabaseStatus, made: ModuleEffects, module: str, before: CatalogChange | None
) -> list[Difference]:
    """Compare what a module makes now, and what it had made before, with what is there; structure alone counts."""
    wanted: set[ObjectId] = {one for one in made.effects[module].objects if is_structure(one)}
    if before:
        wanted |= {one for one in before.objects if is_structure(one) and one not in before.changed}
    expected = Catalog({one: made.last[one] for one in wanted if one in made.last})
    found = Catalog({one: live.catalog.objects[one] for one in wanted if one in live.catalog.objects})
    return differences(expected, found)


def in_one_line(found: list[Difference]) -> str:
    """Name differences in a few words, the first five of them."""
    named = ", ".join(f"{one.identity} is {one.verdict}" for one in found[:NAMED_DIFFERENCES])
    return named + (f" and {len(found) - NAMED_DIFFERENCES} more" if len(found) > NAMED_DIFFERENCES else "")
