"""The names of a scratch database and its roles, and what each of them stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from infra.catalog.catalog import Catalog, ObjectId
from infra.catalog.changes import CatalogChange
from infra.modules.generated_names import LONGEST_NAME

if TYPE_CHECKING:
    from infra.postgres.apply.likeness import Likeness
    from infra.postgres.connection.pool import Connection
    from infra.postgres.connection.scratch_target import ScratchTarget


class ScratchNames(NamedTuple):
    """The names of a scratch database, of its owner, of the login that runs modules, and of further roles."""

    database: str
    owner: str
    login: str
    others: tuple[str, ...]


def names_of_its_own(label: str, like: Likeness) -> ScratchNames:
    """Return names that begin with `label`; a role that is named after its database is so after the scratch one."""
    owner = f"{label}_owner"
    others = [
        f"{label}{role.removeprefix(like.database)}"
        for role in like.stack_roles
        if role.startswith(f"{like.database}_")
    ]
    return ScratchNames(
        label, owner, owner, tuple(name for name in others if len(name) <= LONGEST_NAME and name != owner)
    )


def names_stand_for(connection: Connection, names: ScratchNames, like: Likeness) -> dict[str, str]:
    """Return what each name of a scratch database stands for, roles quoted where PostgreSQL would quote them."""
    others = {role: f"{like.database}{role.removeprefix(names.database)}" for role in names.others}
    quoted = {
        role: str((connection.execute("SELECT pg_catalog.quote_ident(%s)", (name,)).fetchone() or ("",))[0])
        for role, name in {names.owner: like.owner, **others}.items()
    }
    return {names.database: like.database, **quoted}


def catalog_with_real_names(scratch: ScratchTarget, catalog: Catalog) -> Catalog:
    """Return a catalog of a scratch database with the names of the database that it stands for."""
    return Catalog(
        {_real(scratch, identity): scratch.with_real_names(text) for identity, text in catalog.objects.items()}
    )


def change_with_real_names(scratch: ScratchTarget, change: CatalogChange) -> CatalogChange:
    """Return a change of a scratch database with the names of the database that it stands for."""
    objects = {
        _real(scratch, identity): None if text is None else scratch.with_real_names(text)
        for identity, text in change.objects.items()
    }
    return CatalogChange(objects, frozenset(_real(scratch, identity) for identity in change.changed))


def _real(scratch: ScratchTarget, identity: ObjectId) -> ObjectId:
    return ObjectId(identity.kind, scratch.with_real_names(identity.name))
