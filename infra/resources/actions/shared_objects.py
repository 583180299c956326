"""What SharedObjects' verbs read of the server."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from infra.errors import ServerError
from infra.postgres import role_passwords, shared_objects
from infra.postgres.apply import losses
from infra.postgres.apply.live_status import with_time_limits
from infra.postgres.database_roles import DatabaseRoles
from infra.resources.actions.session import LOSSES
from infra.resources.base import admin_target, is_known
from infra.resources.console import logger

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from infra.postgres.connection.target import Target
    from infra.resources.base import Properties


def existing(
    props: Properties, recorded: Collection[str], renamed: Mapping[str, str], *, patient: bool
) -> list[str] | None:
    """Return the labels of what exists, and report what is taken over or renamed; None where the server cannot be read.

    That is an error for a `patient` run, which creates something. `renamed` has the new names of roles by the old ones.
    Raises RefusedError for what is not the stack's, and not to be taken over.
    """
    for old, new in renamed.items():
        _show(props, f"role {old} is renamed to {new}, and keeps what it owns and may do")
    passwords = props["passwords"]
    try:
        found, taken_over = shared_objects.find_ours(
            with_time_limits(admin_target(props)) if props.get("preview") or not patient else admin_target(props),
            _databases(props),
            recorded=recorded,
            renamed=renamed,
            passwords=passwords if is_known(passwords) else {},
            adopt=props["adopt"],
        )
    except ServerError:
        if props.get("preview") or not patient:
            return None
        raise
    if taken_over:
        _show(props, f"takes over {', '.join(taken_over)}")
    return found


def other_passwords(props: Properties) -> list[str]:
    """Return the roles to which somebody gave another password, and show them; [] where the server cannot be read."""
    passwords, verifiers = props["passwords"], props["verifiers"]
    if not is_known(passwords) or not is_known(verifiers):
        return []
    try:
        found = role_passwords.other_passwords(
            with_time_limits(admin_target(props)), _databases(props), passwords, verifiers
        )
    except ServerError:
        return []
    for role in found:
        _show(props, f"role {role} has another password than this stack gave it: it gets that again")
    return found


def refuse_losses(props: Properties, removed: Sequence[str]) -> None:
    """Raise RefusedError where databases that will be dropped have rows, and `make up` has to ask before."""
    file = os.environ.get(LOSSES, "")
    if removed and file:
        losses.refuse_dropped([admin_target(props).on(name) for name in removed], file)


def show_lost(props: Properties, lost: Sequence[str]) -> None:
    """Show what is created again."""
    _show(props, f"the server has no {', '.join(lost)} any more: created again, and what is inside it after that")


def bring_back(props: Properties) -> None:
    """Create the roles and databases that are gone, as the postgresql plugin has created them, and set passwords."""
    target, verifiers = admin_target(props), props["verifiers"]
    if props["lost"]:
        shared_objects.recreate(target, _databases(props), props["lost"], verifiers)
    role_passwords.set_passwords(target, props["refused"], verifiers)


def missing(props: Properties) -> list[str]:
    """Return the labels of what does not exist."""
    return _missing(props, admin_target(props))


def _missing(props: Properties, target: Target) -> list[str]:
    databases = _databases(props)
    found = shared_objects.find_existing(target, databases)
    return [label for database in databases for label in database.objects if label not in found]


def existing_template(props: Properties) -> str:
    """Return the template that the server has for new databases, '' where it has none or cannot be read."""
    if not all(is_known(props[name]) for name in ("host", "port", "user", "password")):
        return ""
    try:
        found = shared_objects.has_template(admin_target(props), props["template"], props["template_mark"])
    except ServerError:
        return ""
    return str(props["template"]) if found else ""


def is_incomplete(props: Properties) -> bool:
    """Return whether something does not exist; False where the server cannot be asked."""
    if not all(is_known(value) for value in props.values()):
        return False
    try:
        return bool(_missing(props, with_time_limits(admin_target(props))))
    except ServerError:
        return False


def _show(props: Properties, text: str) -> None:
    logger(props, "SharedObjects", "shared-objects")(text)


def _databases(props: Properties) -> list[DatabaseRoles]:
    return [DatabaseRoles(**database) for database in props["databases"]]
