"""A database whose modules are all applied: the point that whoever needs the schema waits for, with its fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.resources.boundary import DynamicResource, Properties, Provider, changed, plainly, target_of

if TYPE_CHECKING:
    from collections.abc import Sequence

COMPARED = ("host", "port", "user", "password", "statements")


class SchemaReadyProvider(Provider):
    """Reads the whole catalog once, after the last module, and gives its fingerprint."""

    @plainly
    def create(self, props: Properties) -> CreateResult:
        """Read the fingerprint."""
        return CreateResult(props["database"], _ready(props))

    @plainly
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when a module's statements did, or the way to the database."""
        return DiffResult(changes=bool(changed(_olds, _news, *COMPARED)))

    @plainly
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Read the fingerprint again."""
        return UpdateResult(_ready(_news))

    @plainly
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the fingerprint again, so that a refresh shows when the schema is another one."""
        return ReadResult(id_, _ready(props))


def _ready(props: Properties) -> Properties:
    from infra.catalog.catalog import fingerprint  # noqa: PLC0415 (only where a server is asked)
    from infra.postgres.snapshot import read_catalog  # noqa: PLC0415
    from infra.postgres.target import connect  # noqa: PLC0415

    with connect(target_of(props)) as connection:
        catalog = read_catalog(connection)
    tables = sum(identity.kind == "table" for identity in catalog.objects)
    return {**props, "fingerprint": fingerprint(catalog), "tables": tables}


class SchemaReady(DynamicResource, module="postgres", name="SchemaReady"):
    """The schema of one database, complete: `fingerprint` of its structure, number of `tables`."""

    fingerprint: pulumi.Output[str]
    tables: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        *,
        target: dict[str, pulumi.Input[str | int]],
        statements: Sequence[pulumi.Output[str]],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {**target, "statements": list(statements), "fingerprint": None, "tables": None}
        super().__init__(SchemaReadyProvider, name, props, opts)
