"""A PostgreSQL server of this machine's own, as a resource."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.lazy_module import LazyModule
from infra.resources.base import DynamicResource, Properties, Provider, changed, login_password, refused
from infra.resources.extension_check import missing_extensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.resources.actions import embedded_server as actions
    from infra.settings.servers import EmbeddedSettings
else:
    actions = LazyModule("infra.resources.actions.embedded_server")

_INPUTS = ("port", "bin_dir", "run_as", "settings", "password", "retain", "lifecycle")
_REPLACING = ("root", "name")
_REMEDY = "take it out of the settings, or set server.bin_dir to an installation that has it"


class EmbeddedServerProvider(Provider):
    """Creates, starts, changes, stops and removes the server; a preview only looks."""

    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Fix the server's folder for good, refuse what could not be started, and show what a new one begins with."""
        inputs = {**news, **actions.place(_olds, news), "login_password": login_password(_olds, news)}
        if _olds:
            actions.refuse_lost_data(inputs)
        _, distribution = actions.plan(inputs)
        if not _olds or changed(_olds, news, "extensions", "bin_dir"):
            missing = missing_extensions(news["extensions"], distribution.extensions(), distribution.source, _REMEDY)
            if missing:
                return refused(news, missing)
        if not _olds:
            actions.show_plan(inputs)
        return CheckResult({**inputs, **actions.known_address(inputs)}, [])

    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Report a change when the inputs differ, or when the server is not as it should be, and show how."""
        moved = changed(_olds, _news, *_REPLACING)
        out_of_order = actions.show_plan(_news)
        return DiffResult(
            changes=out_of_order
            or bool(moved)
            or bool(changed(_olds, _news, *_INPUTS))
            or not {"login_password", "certificate"} <= _olds.keys(),  # of an earlier version
            replaces=moved,
            delete_before_replace=True,
        )

    def create(self, props: Properties) -> CreateResult:
        """Create the server, or adopt the one that a destroyed stack retained."""
        return CreateResult(props["name"], actions.create(props))

    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Start it when it is stopped, restart or reload it for new settings, set a new administrator's password."""
        return UpdateResult(actions.update(_news, password=_olds["password"]))

    def read(self, id_: str, props: Properties) -> ReadResult:
        """Start it when it is stopped, because the refresh of everything inside needs it; without data it is gone.

        Those of a persistent stack are an error: the next run would create an empty server.
        """
        outputs = actions.read(props)
        return ReadResult("", {}) if outputs is None else ReadResult(id_, outputs)

    def delete(self, _id: str, _props: Properties) -> None:
        """Stop it and remove its files, or keep the data where `retain` says so; harmless when it is gone."""
        actions.delete(_props)


class EmbeddedServer(DynamicResource, module="postgres", name="EmbeddedServer"):
    """The server; `host` and `listen_port` are known when it listens there, and where its certificate is.

    The output `login_password` is the administrator's that counts: in a preview of a rotation still the old one.
    """

    host: pulumi.Output[str]
    listen_port: pulumi.Output[int]
    certificate: pulumi.Output[str]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]
    log_file: pulumi.Output[str]
    psql: pulumi.Output[str]
    uuid_ossp: pulumi.Output[str]
    login_password: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: EmbeddedSettings,
        *,
        stack: str,
        label: str,
        lifecycle: str,
        user: str,
        password: pulumi.Input[str],
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        props = settings.model_dump(exclude={"kind"})
        props |= {"stack": stack, "label": label, "lifecycle": lifecycle, "user": user, "password": password}
        props["login_password"] = pulumi.Output.secret("")
        props["extensions"] = list(extensions)
        outputs = (
            "host",
            "listen_port",
            "certificate",
            "version",
            "system_identifier",
            "log_file",
            "psql",
            "uuid_ossp",
        )
        super().__init__(EmbeddedServerProvider, name, {**props, **dict.fromkeys(outputs)}, opts)
