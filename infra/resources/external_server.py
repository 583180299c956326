"""A server that is already there, as a resource: looked at in every run, never made, changed or removed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, readable_errors, refused
from infra.resources.extension_check import missing_extensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.server.external import Reached
    from infra.settings.model import ExternalSettings

_INPUTS = ("dsn", "password")
_FOUND = (
    "host",
    "port",
    "first_host",
    "first_port",
    "user",
    "database",
    "version",
    "system_identifier",
    "superuser",
    "sslmode",
    "options",
)
_REMEDY = "take it out of the settings, or install it there (Debian: the package postgresql-contrib)"


class ExternalServerProvider(Provider):
    """Connects, and says what is there; a server that has taken another's place is refused before any write."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Look at the server: what is found is known to previews too."""
        if not all(is_known(news.get(name)) for name in _INPUTS):
            return CheckResult(news, [])
        from infra.server import external  # noqa: PLC0415 (only where a server is asked)

        try:
            reached = external.reach(news["dsn"], news.get("password") or "")
            external.refuse_another(reached, _olds.get("system_identifier", ""), news.get("accept") or "")
        except InfraError as error:
            return refused(news, [str(error)])
        missing = missing_extensions(news["extensions"], reached.extensions, f"{reached.host}:{reached.port}", _REMEDY)
        if missing:
            return refused(news, missing)
        return CheckResult({**news, **_found(reached)}, [])

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the way in did, or what was found there."""
        return DiffResult(changes=bool(changed(_olds, _news, *_INPUTS, *_FOUND)))

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Remember what was found."""
        return CreateResult(f"{props['host']}:{int(props['port'])}", props)

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Remember what is found now."""
        return UpdateResult(_news)

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Look again; another server in its place is an error here too."""
        from infra.server import external  # noqa: PLC0415 (only where a server is asked)

        reached = external.reach(props["dsn"], props.get("password") or "")
        external.refuse_another(reached, props["system_identifier"], props.get("accept") or "")
        return ReadResult(id_, {**props, **_found(reached)})


def _found(reached: Reached) -> Properties:
    """Give what the rest of the stack needs.

    With several hosts `options` has libpq's lists of them, and what stands for them elsewhere is the first: it stays
    the same when another one becomes the primary.
    """
    options = dict(reached.options)
    several = "," in reached.hosts
    if several:
        options |= {"host": reached.hosts, "port": reached.ports}
        options.setdefault("target_session_attrs", "read-write")
    return {
        "host": reached.host,
        "port": reached.port,
        "first_host": reached.hosts.partition(",")[0] if several else reached.host,
        "first_port": int(reached.ports.partition(",")[0]) if several else reached.port,
        "password": reached.password,  # a key that is secret in the inputs is kept secret by the engine
        "user": reached.user,
        "database": reached.database,
        "version": reached.version,
        "system_identifier": reached.system_identifier,
        "superuser": reached.superuser,
        "sslmode": _strict_mode(options) or ("require" if reached.encrypted else "disable"),
        "options": options,
    }


def _strict_mode(options: dict[str, Any]) -> str:
    """Give the wanted mode if the postgresql plugin's driver knows it too: it has no `prefer`."""
    mode = options.get("sslmode", "")
    return mode if mode in {"disable", "require", "verify-ca", "verify-full"} else ""


class ExternalServer(DynamicResource, module="postgres", name="ExternalServer"):
    """The server; everything of it is known as soon as it answers, in previews too."""

    host: pulumi.Output[str]
    port: pulumi.Output[int]
    first_host: pulumi.Output[str]
    first_port: pulumi.Output[int]
    password: pulumi.Output[str]
    user: pulumi.Output[str]
    database: pulumi.Output[str]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]
    superuser: pulumi.Output[bool]
    sslmode: pulumi.Output[str]
    options: pulumi.Output[dict[str, str]]

    def __init__(
        self,
        name: str,
        settings: ExternalSettings,
        *,
        password: str,
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        secret = pulumi.ResourceOptions(additional_secret_outputs=["dsn", "password"])
        props: Properties = {
            "dsn": pulumi.Output.secret(settings.dsn),
            "password": pulumi.Output.secret(password),
            "accept": settings.accept,
            "extensions": list(extensions),
            **dict.fromkeys(_FOUND),
        }
        super().__init__(ExternalServerProvider, name, props, pulumi.ResourceOptions.merge(opts, secret))
