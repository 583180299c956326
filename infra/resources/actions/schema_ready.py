"""What SchemaReady's verbs read of a database."""

from __future__ import annotations

from typing import TYPE_CHECKING

from infra.catalog.catalog import fingerprint
from infra.lazy_module import LazyModule
from infra.plan.ledger_rows import Program
from infra.postgres.apply.live_status import read_status
from infra.postgres.apply.plan_cache import cache
from infra.postgres.connection.connect import connect, connect_where_there
from infra.postgres.connection.error_messages import translated_errors
from infra.resources.base import admin_target
from infra.resources.console import logger

if TYPE_CHECKING:
    from infra.postgres.apply import revisions
    from infra.postgres.connection.pool import Connection
    from infra.resources.base import Properties
else:
    revisions = LazyModule("infra.postgres.apply.revisions")


def unmanaged(props: Properties) -> list[str] | None:
    """Return the objects that no module made, None where this process has not looked at the database."""
    known = cache.known(program_of(props).key(admin_target(props)))
    return [str(identity) for identity in known.status.unmanaged(props["allowed"])] if known else None


def program_of(props: Properties) -> Program:
    """Return whose rows in the ledger a resource's modules have."""
    return Program(props["stack"], props.get("beside") or "")


def read(props: Properties) -> Properties | None:
    """Return what `ready` does; None where the database is gone."""
    with translated_errors(f"database {props['database']}"):
        connection = connect_where_there(admin_target(props), autocommit=True)
        if connection is None:
            return None
        with connection:
            return _ready(props, connection)


def ready(props: Properties, *, stamp: bool = False) -> Properties:
    """Return the properties with fingerprint, number of tables, and what no module made; report the last where new.

    With `stamp` the last revision is written into the database: all its modules are as in their files.
    """
    with connect(admin_target(props), autocommit=True) as connection:
        if stamp and props.get("head"):
            revisions.stamp_head(connection, props["owner"], props["head"])
        return _ready(props, connection)


def _ready(props: Properties, connection: Connection) -> Properties:
    status = read_status(connection, program_of(props))
    found = [str(identity) for identity in status.unmanaged(props["allowed"])]
    if found and found != props.get("unmanaged"):
        tell = logger(props, "SchemaReady", f"{props['database']}-ready")
        tell(f"no module made {', '.join(found)}; name it in modules.unmanaged when that is right")
    return {
        **props,
        "fingerprint": fingerprint(status.own_catalog),
        "tables": sum(identity.kind == "table" for identity in status.own_catalog.objects),
        "unmanaged": found,
    }
