"""A database whose modules are all applied: the point that whoever needs the schema waits for, with its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, readable_errors, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres.connection.session import Session

TARGET = ("host", "port", "options", "database", "user", "password")


class SchemaReadyProvider(Provider):
    """Reads the whole catalog once, after the last module, and gives its fingerprint and what no module made."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add to a preview the objects that no module made, once for the database."""
        looking = bool(news.pop("look", False)) and all(is_known(news.get(name)) for name in TARGET)
        inputs = {**news, "unmanaged": _unmanaged(news) if looking else _olds.get("unmanaged", [])}
        return CheckResult(inputs, [])

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Read the fingerprint."""
        return CreateResult(props["database"], _ready(props))

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when a module's statements did, the way to the database, or what no module made."""
        return DiffResult(changes=bool(changed(_olds, _news, *TARGET, "statements", "allowed", "unmanaged")))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Read the fingerprint again."""
        return UpdateResult(_ready(_news))

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the fingerprint again, so that a refresh shows when the schema is another one."""
        return ReadResult(id_, _ready(props))


def _session(props: Properties) -> Session:
    from infra.postgres.connection.session import Session  # noqa: PLC0415 (the driver: only where a server is asked)
    from infra.resources.console import logger  # noqa: PLC0415

    target = target_of(props, props["user"], props["password"])
    tell = logger(props["stack"], "SchemaReady", f"{props['database']}-ready")
    return Session(target=target, admin=target, owner="", stack=props["stack"], tell=tell)


def _unmanaged(props: Properties) -> list[str]:
    from infra.postgres.apply.preview import cached_status  # noqa: PLC0415 (the driver: only where a server is asked)

    live = cached_status(_session(props))
    return [str(one) for one in live.unmanaged(props["allowed"])] if live else []


def _ready(props: Properties) -> Properties:
    from infra.catalog.catalog import NOT_COMPARED, fingerprint  # noqa: PLC0415 (only where a server is asked)
    from infra.postgres.apply.status import read_status  # noqa: PLC0415
    from infra.postgres.connection.target import connect  # noqa: PLC0415

    session = _session(props)
    with connect(session.target, autocommit=True) as connection:
        live = read_status(connection, session.stack)
    found = [str(one) for one in live.unmanaged(props["allowed"])]
    if found and found != props.get("unmanaged"):
        session.tell(f"no module made {', '.join(found)}; name it in modules.unmanaged when that is right")
    return {
        **props,
        "fingerprint": fingerprint(live.catalog),
        "tables": sum(one.kind == "table" for one in live.catalog.objects),
        "unmanaged": found,
        "not_compared": list(NOT_COMPARED),
    }


class SchemaReady(DynamicResource, module="postgres", name="SchemaReady"):
    """The schema of one database, complete: `fingerprint` of its structure, `tables`, and what no module made."""

    fingerprint: pulumi.Output[str]
    tables: pulumi.Output[int]
    unmanaged: pulumi.Output[list[str]]

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        stack: str,
        statements: Sequence[pulumi.Output[str]],
        allowed: Sequence[str],
        look: bool,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **target,
            "stack": stack,
            "statements": list(statements),
            "allowed": list(allowed),
            **dict.fromkeys(("fingerprint", "tables", "unmanaged", "not_compared")),
        }
        if pulumi.runtime.is_dry_run() and look:
            props["look"] = True
        super().__init__(SchemaReadyProvider, name, props, opts)
