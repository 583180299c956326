"""A database whose modules are all applied: what needs the schema is ordered after it, and it has the fingerprint."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.modules.digests import text_digest
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, without
from infra.sdk_tuning import without_dependencies

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.resources.actions import schema_ready as actions
else:
    actions = LazyModule("infra.resources.actions.schema_ready")

_TARGET = ("host", "port", "options", "database", "user", "password")


class SchemaReadyProvider(Provider):
    """Reads the whole catalog once, after the last module: its fingerprint, and the objects that no module made."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Add the objects that no module made, where this process has looked at the database."""
        unmanaged: list[str] | None = None
        if _olds and news["look"] and all(is_known(news.get(name)) for name in _TARGET):
            unmanaged = actions.unmanaged(news)
        inputs = without(news, "look")
        return CheckResult({**inputs, "unmanaged": _olds.get("unmanaged", []) if unmanaged is None else unmanaged}, [])

    def create(self, props: Properties) -> CreateResult:
        """Read the fingerprint, and write the last revision, to which the modules are equal."""
        return CreateResult(props["database"], actions.ready(props, stamp=True))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when a module's statements differ, the last revision, the connection, or what no one made."""
        return DiffResult(
            changes=bool(changed(_olds, _news, *_TARGET, "statements", "allowed", "unmanaged", "head", "recreated"))
        )

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Read the fingerprint again, and write the last revision."""
        return UpdateResult(actions.ready(_news, stamp=True))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the fingerprint again: a refresh shows when the schema differs; without the database it is gone."""
        outputs = actions.read(props)
        return ReadResult("", {}) if outputs is None else ReadResult(id_, outputs)


class SchemaReady(DynamicResource, module="postgres", name="SchemaReady"):
    """The complete schema of one database: `fingerprint` of its structure, `tables`, and what no module made.

    `head` is the last revision, '' where there are none; `recreated` counts how often the database was created again.
    `beside` is the stack to which the ledger belongs, where that is another one; what modules of another one made is no
    part of the fingerprint.
    """

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
        owner: pulumi.Input[str],
        head: str,
        look: bool,
        recreated: pulumi.Input[Mapping[str, int]],
        beside: str = "",
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props: Properties = {
            **target,
            "stack": stack,
            **({"beside": beside} if beside else {}),
            "recreated": recreated,
            "statements": without_dependencies(
                pulumi.Output.all(*statements).apply(lambda digests: text_digest("\n".join(digests)))
            ),
            "allowed": list(allowed),
            "owner": owner,
            "head": head,
            "look": look,
            **dict.fromkeys(("fingerprint", "tables", "unmanaged")),
        }
        super().__init__(SchemaReadyProvider, name, props, opts)
