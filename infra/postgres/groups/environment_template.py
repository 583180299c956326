"""The template of a project's environments on a server: new databases of environments with its modules are clones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from infra.modules.template_name import TEMPLATES
from infra.postgres.connection.connect import connect
from infra.postgres.groups.clones_of_templates import pass_clone
from infra.postgres.groups.group import GroupSpec
from infra.postgres.groups.templates import FEWEST_WITH_ROWS, drop_templates, usable_template
from infra.postgres.introspection.copied_rows import copied_rows
from infra.postgres.ledger.identity import ledger_exists

if TYPE_CHECKING:
    from infra.postgres.access import Access
    from infra.postgres.connection.session import Session

_OWNER = "SELECT pg_catalog.pg_get_userbyid(nspowner)::text FROM pg_catalog.pg_namespace WHERE nspname = 'sqlmodule'"


def make_template(session: Session) -> str:
    """Return the template with the modules of a session, which is made where it is missing; others are dropped.

    '' where databases cannot be clones: modules insert other rows each time, or refer to roles. The session is that of
    the administrator in the maintenance database, and has the stack to which the template's ledger belongs.
    """
    group = _group(session)
    return usable_template(group, session.read_modules(), session.extensions, new=FEWEST_WITH_ROWS)


def drop_template(session: Session) -> None:
    """Drop the template, and what is left of others."""
    drop_templates(_group(session))


def finish_clone_of_template(session: Session, access: Access, stack: str) -> bool:
    """Make the clone of a template the stack's own, and return whether that was due: its ledger is still of `stack`."""
    with connect(session.admin, autocommit=True) as connection:
        if not ledger_exists(connection) or copied_rows(connection, "sqlmodule.identity", ["stack"]) != [(stack,)]:
            return False
        ((owner,),) = connection.execute(_OWNER).fetchall()
    pass_clone(session, access, str(owner), session.read_modules())
    return True


def _group(session: Session) -> GroupSpec:
    return GroupSpec(TEMPLATES, replace(session, owner="", roles=()), key="")
