"""The mark of an environment on its databases and roles, for those who find them without their stack."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CreateResult, DiffResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.postgres import marks
    from infra.postgres.connection.target import Target
else:
    marks = LazyModule("infra.postgres.marks")

_COMPARED = ("project", "stack", "expires", "databases", "roles")


class EnvironmentMarkProvider(Provider):
    """Writes the mark as a comment."""

    def create(self, props: Properties) -> CreateResult:
        """Write the mark on all objects."""
        marks.write_marks(*_objects(props), _mark(props))
        return CreateResult("mark", props)

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change of the mark or of the objects."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Write the new mark; what is no longer the stack's is dropped by its own resource."""
        marks.write_marks(*_objects(_news), _mark(_news))
        return UpdateResult(_news)

    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the mark from what stays."""
        marks.write_marks(*_objects(_props), None)


def _objects(props: Properties) -> tuple[Target, list[str], list[str]]:
    return admin_target(props), props["databases"], props["roles"]


def _mark(props: Properties) -> marks.Mark:
    return marks.Mark(props["project"], props["stack"], marks.parse_clock(props["expires"]))


class EnvironmentMark(DynamicResource, module="postgres", name="EnvironmentMark"):
    """A comment on databases and roles of one server; `expires` is a time in UTC as settings have it."""

    def __init__(
        self,
        name: str,
        *,
        target: Properties,
        project: str,
        stack: str,
        expires: str,
        databases: Sequence[str],
        roles: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        mark = {"project": project, "stack": stack, "expires": expires}
        objects = {"databases": list(databases), "roles": list(roles)}
        super().__init__(EnvironmentMarkProvider, name, {**target, **mark, **objects}, opts)
