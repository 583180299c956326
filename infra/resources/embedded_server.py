"""A PostgreSQL server of this machine's own, as a resource; what it does is done in infra/server."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, ReadResult, UpdateResult

from infra.errors import InfraError
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, readable_errors, refused
from infra.resources.extension_check import missing_extensions

if TYPE_CHECKING:
    from collections.abc import Sequence

    from infra.server.embedded.cluster import ClusterSpec, Running
    from infra.settings.model import EmbeddedSettings

_INPUTS = ("port", "bin_dir", "run_as", "settings", "password", "retain")
REPLACING = ("root", "name")
_REMEDY = "take it out of the settings, or set server.bin_dir to an installation that has it"
UUID_OSSP = {
    "module": "uuid-ossp is PostgreSQL's own C module",
    "replacement": "uuid-ossp is this project's SQL replacement, equal but for v1's random node",
    "absent": "uuid-ossp is not offered",
}


class EmbeddedServerProvider(Provider):
    """Makes, starts, changes, stops and removes the server; a preview only looks."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Fix the server's folder for good, refuse what could not be started, and say what will be done to it."""
        from infra.server.embedded import cluster, distribution  # noqa: PLC0415

        inputs = {**news, **_place(_olds, news)}
        try:
            step = cluster.plan(_specification(inputs))
            offered = distribution.locate(_bin_dir(news))
        except InfraError as error:
            return refused(news, [str(error)])
        if not _olds or changed(_olds, news, "extensions", "bin_dir"):
            missing = missing_extensions(news["extensions"], offered.extensions(), offered.source, _REMEDY)
            if missing:
                return refused(news, missing)
        if step.verb != "keep":
            inputs["plan"] = f"{step.verb}: {'; '.join(step.reasons)}"
        return CheckResult({**inputs, **_foreseen(inputs)}, [])

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when the inputs do, or when the server is not as it should be: `plan` says what is the matter."""
        moved = changed(_olds, _news, *REPLACING)
        return DiffResult(
            changes=bool(moved) or bool(changed(_olds, _news, *_INPUTS)) or "plan" in _news,
            replaces=moved,
            delete_before_replace=True,
        )

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Make the server, or take up the one that a destroyed stack retained."""
        from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

        running = cluster.create(_specification(props), adopt=props["adopt"])
        return CreateResult(props["name"], _outputs(props, running))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Start it when it died, restart or reload it for new settings, set a new admin password."""
        from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

        running = cluster.set_password(_specification(_news), _olds["password"])
        return UpdateResult(_outputs(_news, running))

    @readable_errors
    def read(self, id_: str, props: Properties) -> ReadResult:
        """Start it when it died, because the refresh of everything inside it needs it; gone is gone."""
        from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

        if cluster.state(_base(props)) == "absent":
            return ReadResult("", {})
        return ReadResult(id_, _outputs(props, cluster.ensure(_specification(props))))

    @readable_errors
    def delete(self, _id: str, _props: Properties) -> None:
        """Stop it and remove all it had, or keep its data where `retain` says so; harmless when it is gone."""
        from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

        cluster.destroy(_base(_props), owner=_props["owner"], retain=_props["retain"])


def _place(olds: Properties, news: Properties) -> Properties:
    """Name the server's folder: after the stack and this checkout, and never otherwise once it has been made."""
    from infra.server.embedded.specification import default_root  # noqa: PLC0415 (only where a server is asked)

    checkout = hashlib.sha256(str(Path.cwd()).encode()).hexdigest()[:8]
    return {
        "name": olds.get("name") or f"{news['stack']}-{checkout}",
        "root": news.get("data_root") or ("" if olds.get("data_root") else olds.get("root")) or str(default_root()),
        "owner": olds.get("owner") or f"stack {news['stack']} of {Path.cwd().name} ({checkout})",
    }


def server_exists(settings: EmbeddedSettings, stack: str) -> bool:
    """Say whether a stack of this name in this checkout has a server, running or retained."""
    from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

    return cluster.state(_base(_place({}, {"stack": stack, "data_root": settings.data_root}))) != "absent"


def _foreseen(inputs: Properties) -> Properties:
    """Give the address where the server was last and will be again, so that a preview knows it."""
    from infra.server.embedded import cluster  # noqa: PLC0415 (only where a server is asked)

    found = cluster.listens_at(_base(inputs))
    if found is None or int(inputs["port"]) not in {0, found[1]}:
        return {}
    return {"host": found[0], "listen_port": found[1]}


def _base(props: Properties) -> Path:
    return Path(props["root"]) / props["name"]


def _bin_dir(props: Properties) -> Path | None:
    return Path(props["bin_dir"]) if props.get("bin_dir") else None


def _specification(props: Properties) -> ClusterSpec:
    from infra.server.embedded.cluster import ClusterSpec  # noqa: PLC0415 (only where a server is asked)

    return ClusterSpec(
        name=props["name"],
        owner=props["owner"],
        admin_password=props["password"] if is_known(props["password"]) else "not yet known",
        root=Path(props["root"]),
        bin_dir=_bin_dir(props),
        port=int(props["port"]),
        run_as=props.get("run_as") or "",
        settings=props["settings"],
        admin_user=props["user"],
    )


def _outputs(props: Properties, running: Running) -> Properties:
    return {
        **{name: value for name, value in props.items() if name != "plan"},
        "host": running.host,
        "listen_port": running.port,
        "version": running.version,
        "system_identifier": running.system_identifier,
        "log_file": str(running.log_file),
        "psql": str(running.distribution.tool("psql")),
        "uuid_ossp": UUID_OSSP[running.distribution.uuid_ossp],
    }


class EmbeddedServer(DynamicResource, module="postgres", name="EmbeddedServer"):
    """The server; `host` and `listen_port` are known when it listens there."""

    host: pulumi.Output[str]
    listen_port: pulumi.Output[int]
    version: pulumi.Output[str]
    system_identifier: pulumi.Output[str]
    log_file: pulumi.Output[str]
    psql: pulumi.Output[str]
    uuid_ossp: pulumi.Output[str]

    def __init__(
        self,
        name: str,
        settings: EmbeddedSettings,
        *,
        stack: str,
        user: str,
        password: pulumi.Input[str],
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = settings.model_dump(exclude={"kind"})
        given |= {"stack": stack, "user": user, "password": password}
        given["extensions"] = list(extensions)
        outputs = ("host", "listen_port", "version", "system_identifier", "log_file", "psql", "uuid_ossp")
        super().__init__(EmbeddedServerProvider, name, {**given, **dict.fromkeys(outputs)}, opts)
