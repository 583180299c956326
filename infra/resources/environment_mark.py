"""The mark of an environment on its databases and roles, for those who find them without their stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from infra.resources.base import DynamicResource, LazyModule, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres import marks
else:
    marks = LazyModule("infra.postgres.marks")

_COMPARED = ("text", "databases", "roles")


class EnvironmentMarkProvider(Provider):
    """Writes the mark as a comment."""

    def create(self, props: Properties) -> CreateResult:
        """Write the mark on all objects."""
        _write(props, props["text"])
        return CreateResult("mark", props)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change of the text or of the objects."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the new mark; what is no longer the stack's is dropped by its own resource."""
        _write(_news, _news["text"])
        return UpdateResult(_news)

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the mark from what stays."""
        _write(_props, None)


def _write(props: Properties, text: str | None) -> None:
    marks.write_marks(admin_target(props), text, props["databases"], props["roles"])


class EnvironmentMark(DynamicResource, module="postgres", name="EnvironmentMark"):
    """A comment on databases and roles of one server."""

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        text: str,
        databases: Sequence[str],
        roles: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        objects = {"text": text, "databases": list(databases), "roles": list(roles)}
        super().__init__(EnvironmentMarkProvider, name, {**target, **objects}, opts)
