"""What will be done to a server in a container, as a resource: looks before anything is made, and keeps the port."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import pulumi
from pulumi.dynamic import CheckResult, CreateResult, DiffResult, UpdateResult

from infra.errors import InfraError, SettingsError
from infra.resources.base import DynamicResource, Properties, Provider, changed, is_known, readable_errors, refused
from infra.resources.extension_check import missing_extensions

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from infra.settings.model import DockerSettings

_INPUTS = ("image", "volume", "data_volume", "port", "settings", "extensions", "initdb_args", "retain")
_DECIDED = ("listen_port", "version")
_ADMIN = "postgres"
RESTARTING = (
    "image",
    "image_id",
    "settings",
    "port",
    "address",
    "memory",
    "shm_size",
    "network",
    "alias",
    "labels",
    "tls",
)
_FOUND = ("version", "major")
_REMEDY = "take it out of the settings, or set server.image to an image that has it"


class DockerPlanProvider(Provider):
    """Looks at engine, image and volume, and refuses what would fail later; touches nothing."""

    @readable_errors
    def check(self, _olds: Properties, news: Properties) -> CheckResult:
        """Refuse in a sentence what could not be made, and say what a changed setting will do."""
        try:
            return self._looked(_olds, news)
        except InfraError as error:
            return refused(news, [str(error)])

    def _looked(self, olds: Properties, news: Properties) -> CheckResult:
        from infra.server.docker import container, upgrade  # noqa: PLC0415
        from infra.server.docker import engine as docker_engine  # noqa: PLC0415
        from infra.server.docker import image as docker_image  # noqa: PLC0415

        engine = docker_engine.engine_of(news["docker_host"])
        names = {"container": news["container"], "volume": news["volume"]}
        if not olds:
            container.refuse_names(engine, **names, adopt=news["adopt"])
        _refuse_moves(olds, news)
        known = int(olds.get("listen_port") or 0)
        inputs = {
            **news,
            "listen_port": container.port_for(engine, names["container"], wanted=int(news["port"]), known=known),
            "data_volume": _data_volume(olds or news),
        }
        container.reachable_at(engine, news["address"])
        pulled = is_known(news["image_id"]) and bool(news["image_id"])
        image = str(news["image_id"] if pulled else news["image"])
        if olds and not changed(olds, news, "image", "image_id", "settings", "extensions"):
            inputs |= {name: olds[name] for name in _FOUND}
        elif pulled or engine.image(image) is not None:
            volume = names["volume"] if not olds and engine.volume(names["volume"]) is not None else ""
            found = docker_image.inspect_image(engine, image, news["settings"], volume)
            inputs["data_volume"] = upgrade.volume_after(
                found,
                news["image"],
                first_volume=names["volume"],
                now=(_data_volume(olds or news), int(olds.get("major") or found.data_major)),
                how=news["upgrade"] if olds else "",
            )
            if olds and inputs["data_volume"] != _data_volume(olds):
                upgrade.refuse_taken(engine, names["container"], names["volume"], inputs["data_volume"])
            wrong = docker_image.setting_problems(found, news["settings"])
            if wrong:
                raise SettingsError("server.settings", wrong)
            missing = missing_extensions(news["extensions"], found.extensions, news["image"], _REMEDY)
            if missing:
                return refused(news, missing)
            inputs |= {"version": found.version, "major": found.major}
        else:
            container.refuse_missing(engine, image)
        effect = _effect(olds, inputs)
        return CheckResult({**inputs, "plan": effect} if effect else inputs, [])

    @readable_errors
    def diff(self, _id: str, _olds: Properties, _news: Properties) -> DiffResult:
        """Change when what was looked at did; a plan that was carried out is in the inputs until the next run."""
        return DiffResult(changes=bool(changed(_olds, _news, *_INPUTS, *_DECIDED, *RESTARTING)))

    @readable_errors
    def create(self, props: Properties) -> CreateResult:
        """Remember what was found."""
        return CreateResult(props["container"], _without_plan(props))

    @readable_errors
    def update(self, _id: str, _olds: Properties, _news: Properties) -> UpdateResult:
        """Remember what is found now; before that, move the data where they have to be moved."""
        if _news["data_volume"] != _data_volume(_olds):
            _upgrade(_olds, _news)
        return UpdateResult(_without_plan(_news))

    @readable_errors
    def delete(self, _id: str, _props: Properties) -> None:
        """Remove the volumes that upgrades have made; the first one is a resource of its own."""
        from infra.server.docker import engine as docker_engine  # noqa: PLC0415
        from infra.server.docker import upgrade  # noqa: PLC0415

        if not _props.get("retain"):
            upgrade.remove_moved(docker_engine.engine_of(_props["docker_host"]), _props["volume"])


def _data_volume(props: Properties) -> str:
    """Give the volume that the data are in: the settings' one until they are moved."""
    return str(props.get("data_volume") or props["volume"])


def _upgrade(olds: Properties, news: Properties) -> None:
    from infra.resources.console import logger  # noqa: PLC0415 (seldom needed)
    from infra.server.docker import engine as docker_engine  # noqa: PLC0415
    from infra.server.docker import upgrade  # noqa: PLC0415

    move = upgrade.Move(
        engine=docker_engine.engine_of(news["docker_host"]),
        container=news["container"],
        first_volume=news["volume"],
        volume=_data_volume(olds),
        image=news["image_id"],
        majors=(int(olds["major"]), int(news["major"])),
        stack=news["stack"],
        user=_ADMIN,
        initdb_args=news["initdb_args"],
        settings=news["settings"],
    )
    upgrade.upgrade(move, logger(news["stack"], "DockerPlan", "server-plan"))


def _without_plan(props: Properties) -> Properties:
    return {name: value for name, value in props.items() if name != "plan"}


def _refuse_moves(olds: Properties, news: Properties) -> None:
    """Raise SettingsError for a change that would leave the data behind, or could have no effect on them."""
    from infra.errors import SettingProblem  # noqa: PLC0415 (seldom needed)

    reasons = {
        "volume": "cannot be changed, the data would stay behind; copy the volume, or make a second stack",
        "initdb_args": "cannot be changed, they were used when the data were made; put it back, or make a second stack",
    }
    wrong = [
        SettingProblem(f"server.{name}", f'"{news[name]}" and was "{olds[name]}"', reason)
        for name, reason in reasons.items()
        if olds and changed(olds, news, name)
    ]
    if wrong:
        raise SettingsError("server", wrong)


def _effect(olds: Properties, news: Properties) -> str:
    """Say what a change does to a server that is there, '' for nothing."""
    if olds and news["data_volume"] != _data_volume(olds):
        return (
            f"upgrade from PostgreSQL {int(olds['major'])} to {news['major']}: the server stops, all databases are "
            f"dumped, restored into volume {news['data_volume']} and compared; those of before stay in "
            f"{_data_volume(olds)}"
        )
    differ = [name for name in changed(olds, news, *RESTARTING) if olds and (olds.get(name) or news[name])]
    what = [_difference(name, olds.get(name), news.get(name)) for name in differ]
    return f"restart in a new container, the data stay: {'; '.join(what)}" if what else ""


def _difference(name: str, old: object, new: object) -> str:
    if name == "settings" and isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, str]", old), cast("dict[str, str]", new)
        names = [one for one in sorted({*before, *after}) if before.get(one) != after.get(one)]
        return ", ".join(f"{one} {before.get(one, 'default')} -> {after.get(one, 'default')}" for one in names)
    return name if name in {"image_id", "labels"} else f"{name} {old or 'none'} -> {new or 'none'}"


class DockerPlan(DynamicResource, module="postgres", name="DockerPlan"):
    """What was found and decided before the container is made; `listen_port` is the port that it publishes."""

    listen_port: pulumi.Output[int]
    data_volume: pulumi.Output[str]
    version: pulumi.Output[str]
    major: pulumi.Output[int]

    def __init__(
        self,
        name: str,
        settings: DockerSettings,
        *,
        engine: str,
        image_id: pulumi.Input[str],
        stack: str,
        names: Mapping[str, str],
        extensions: Sequence[str],
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        given = settings.model_dump(exclude={"kind", "restart"})
        given |= {"docker_host": engine, "image_id": image_id, "stack": stack, "extensions": list(extensions), **names}
        given |= dict.fromkeys(("listen_port", "data_volume", *_FOUND))
        super().__init__(DockerPlanProvider, name, given, opts)
