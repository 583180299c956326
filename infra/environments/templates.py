"""The template of environments on a server that is there: their new databases are clones of it.

It belongs to the project, not to an environment: none makes or drops it, so that what one leaves behind can be proved.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.check.stack_files import program_of_stack, settings_of_stack
from infra.modules.decision import Lifecycle
from infra.modules.template_name import templates_stack
from infra.postgres.connection.error_messages import translated_errors
from infra.postgres.connection.session import Session
from infra.postgres.connection.target import Target
from infra.postgres.groups.environment_template import drop_template, make_template
from infra.server.external import reach_server
from infra.settings.admin_password import admin_password
from infra.settings.servers import ExternalSettings

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from infra.settings.model import Settings

NO_TEMPLATE = "there is no template: modules insert other rows each time, or refer to roles; databases are made by them"


def make_template_of_environments(root: Path, template: str, *, tell: Callable[[str], None]) -> str:
    """Make the database that the server of Pulumi.<template>.yaml needs for clones; return how that went.

    It has the modules and extensions of that stack. Those of other modules are dropped. Raises InfraError.
    """
    session = _session(root, template, tell)
    if not session:
        return "each environment has a server of its own: no template is needed"
    with translated_errors(_place(session)):
        name = make_template(session)
    return f"database {name} is the template of environments" if name else NO_TEMPLATE


def drop_template_of_environments(root: Path, template: str, *, tell: Callable[[str], None]) -> str:
    """Drop what `make_template_of_environments` makes; return how that went. Raises InfraError."""
    session = _session(root, template, tell)
    if session:
        with translated_errors(_place(session)):
            drop_template(session)
    return "there is no template of environments"


def server_of_template(settings: Settings) -> Target | None:
    """Return the administrator's target on the server of a template, None where each environment has its own."""
    server = settings.server
    if not isinstance(server, ExternalSettings):
        return None
    reached = reach_server(server.dsn, admin_password(server))
    return Target(reached.host, reached.port, reached.database, reached.user, reached.password, reached.options)


def _session(root: Path, template: str, tell: Callable[[str], None]) -> Session | None:
    settings = settings_of_stack(root, template)
    server = server_of_template(settings)
    if server is None:
        return None
    modules = settings.modules
    return Session(
        target=server,
        admin=server,
        owner="",
        stack=templates_stack(program_of_stack(root, template).partition("/")[0]),
        lifecycle=Lifecycle.EPHEMERAL,
        directory=str(root / modules.directory),
        migrations=str(root / modules.migrations),
        allowed=modules.unmanaged,
        private_schemas=modules.private_schemas,
        extensions=settings.extensions,
        lock_timeout=modules.lock_timeout,
        statement_timeout=modules.statement_timeout,
        wait=modules.wait,
        tell=tell,
    )


def _place(session: Session) -> str:
    return f"server {session.admin.host}:{session.admin.port}"
