"""A server that exists already, as a resource: read in every run, never created, changed or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, refused
from infra.resources.extension_check import missing_extensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.resources.actions import external_server as actions
else:
    actions = LazyModule("infra.resources.actions.external_server")

_INPUTS = ("dsn", "password")
_OUTPUTS = (
    "host",
    "port",
    "first_host",
    "first_port",
    "user",
    "role",
    "database",
    "version",
    "system_identifier",
    "superuser",
    "sslmode",
    "options",
)
_REMEDY = "take it out of the settings, or install it there (Debian: the package postgresql-contrib)"


class ExternalServerProvider(Provider):
    """Connects and returns what is there; another server in the same place is refused before any write."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Read the server, so that previews know its address and identity too."""
        if not all(is_known(news.get(name)) for name in _INPUTS):
            return CheckResult(news, [])
        outputs, reached = actions.reach(news, known=_olds.get("system_identifier", ""))
        source = f"{outputs['host']}:{outputs['port']}"
        missing = missing_extensions(news["extensions"], reached.extensions, source, _REMEDY)
        if not _olds or changed(_olds, news, "extensions"):
            actions.show_untrusted(news, reached)
        return refused(news, missing) if missing else CheckResult({**news, **outputs}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change of what the connection string says, or of what was found there; its order says nothing."""
        return DiffResult(changes=bool(changed(_olds, _news, "password", *_OUTPUTS)))

    def create(self, props: Properties) -> CreateResult:
        """Store what was found."""
        return CreateResult(f"{props['host']}:{int(props['port'])}", props)

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Store what is found now."""
        return UpdateResult(_news)

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Read the server again; another one in its place is an error here too."""
        outputs, _ = actions.reach(props, known=props["system_identifier"])
        return ReadResult(id_, {**props, **outputs})


class ExternalServer(DynamicResource, module="postgres", name="ExternalServer"):
    """The server; everything of it is known as soon as it answers, in previews too."""

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    first_host: pulumi.Output[str]
    first_port: pulumi.Output[int]
    password: pulumi.Output[str]
    user: pulumi.Output[str]
    role: pulumi.Output[str | None]
    database: pulumi.Output[str]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]
    superuser: pulumi.Output[bool]
    sslmode: pulumi.Output[str]
    options: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        *,
        dsn: pulumi.Input[str],
        password: pulumi.Input[str],
        accept: str | None,
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["dsn", "password"])
        props: Properties = {
            "dsn": pulumi.Output.secret(dsn),
            "password": pulumi.Output.secret(password),
            "accept": accept,
            "extensions": list(extensions),
            **dict.fromkeys(_OUTPUTS),
        }
        super().__init__(ExternalServerProvider, name, props, pulumi.ResourceOptions.merge(opts, secret))
