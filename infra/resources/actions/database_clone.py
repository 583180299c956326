"""What a DatabaseClone does in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.postgres.access import Access
from infra.postgres.apply.plan_cache import cache
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.groups.environment_template import finish_clone_of_template
from infra.resources.actions.session import session_of_text

if TYPE_CHECKING:
    from infra.resources.base import Properties


def finish(props: Properties) -> bool:
    """Make a clone the stack's own, and return whether it was one."""
    session = session_of_text(props["session"], props["lifecycle"], props["modules"], lambda _: None)
    access = Access(
        *(props["roles"][role] for role in ("owner", "app", "readonly", "migrator")),
        further=props["further"],
        allowed=session.allowed,
    )
    with translated_errors(session.place):
        is_clone = finish_clone_of_template(session, access, props["template"])
    cache.forget(session.key)
    return is_clone
