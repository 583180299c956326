"""The extensions of a database, as a resource: the plugin's own would log in there with the settings of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pulumi

    from infra.postgres import extensions
else:
    extensions = LazyModule("infra.postgres.extensions")

_COMPARED = ("host", "port", "options", "user", "recreated", "extensions")


class DatabaseExtensionsProvider(Provider):
    """Creates the extensions that are missing; what it made stays when the settings name it no longer."""

    def create(self, props: Properties) -> CreateResult:
        """Create the extensions."""
        return CreateResult(props["database"], _created(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when there is another administrator, server or extension, or when a refresh missed one."""
        dropped = _olds["installed"].keys() < set(_olds["extensions"])
        return DiffResult(changes=dropped or bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Create the extensions that the server does not have."""
        return UpdateResult(_created(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return schema and version of those that are there; without the database the resource is gone."""
        found = extensions.installed_extensions(admin_target(props), props["extensions"])
        return ReadResult("", {}) if found is None else ReadResult(id_, {**props, "installed": found})


def _created(props: Properties) -> Properties:
    return {**props, "installed": extensions.ensure_extensions(admin_target(props), props["extensions"])}


class DatabaseExtensions(DynamicResource, module="postgres", name="DatabaseExtensions"):
    """Extensions by their names; `target` is the administrator's. `installed` has schema and version of each."""

    def __init__(
        self, name: str, *, target: Properties, extensions: Sequence[str], opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: Properties = {**target, "extensions": list(extensions), "installed": None}
        super().__init__(DatabaseExtensionsProvider, name, props, opts)
