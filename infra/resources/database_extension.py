"""An extension in a database, as a resource: the plugin's own would log in there with the settings of its owner."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pulumi.dynamic import CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, admin_target, changed

if TYPE_CHECKING:
    import pulumi

    from infra.postgres import extensions
else:
    extensions = LazyModule("infra.postgres.extensions")

_COMPARED = ("host", "port", "options", "user", "recreated")


class DatabaseExtensionProvider(Provider):
    """Creates the extension where it is missing; what it made stays when the resource goes."""

    def create(self, props: Properties) -> CreateResult:
        """Create the extension."""
        return CreateResult(f"{props['database']}.{props['extension']}", _created(props))

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when there is another administrator or server."""
        return DiffResult(changes=bool(changed(_olds, _news, *_COMPARED)))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Create the extension where the other server does not have it."""
        return UpdateResult(_created(_news))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Return the schema and version that it has; it is gone where somebody dropped it."""
        found = extensions.installed_extension(admin_target(props), props["extension"])
        return ReadResult(id_, _with(props, found)) if found else ReadResult("", {})


def _created(props: Properties) -> Properties:
    return _with(props, extensions.ensure_extension(admin_target(props), props["extension"]))


def _with(props: Properties, found: tuple[str, str] | None) -> Properties:
    schema, version = found or ("", "")
    return {**props, "schema": schema, "version": version}


class DatabaseExtension(DynamicResource, module="postgres", name="DatabaseExtension"):
    """An extension by its name; `target` is the administrator's."""

    def __init__(
        self, name: str, *, target: Properties, extension: str, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        props: Properties = {**target, "extension": extension, "schema": None, "version": None}
        super().__init__(DatabaseExtensionProvider, name, props, opts)
