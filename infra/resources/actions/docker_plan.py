"""What DockerPlan's verbs look at and do, in the terms of infra/server/docker."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from infra.errors import SettingProblem, SettingsError
from infra.postgres.connection.target import ADMIN_USER
from infra.resources.base import changed, is_known
from infra.resources.console import Shown, logger
from infra.resources.docker_inputs import FOUND, RESTARTING
from infra.resources.extension_check import missing_extensions
from infra.server.docker import container, image, trial
from infra.server.docker import upgrade as upgrades
from infra.server.docker.engine import engine_of

if TYPE_CHECKING:
    from infra.resources.base import Properties

_TRIED = ("image_id", "settings", "memory", "shm_size")
"""The inputs with which a server may not start."""
_REMEDY = "take it out of the settings, or set server.image to an image that has it"


def look(olds: Properties, news: Properties) -> tuple[Properties, list[str]]:
    """Return the inputs with what was found and decided, and a sentence for each extension that the image lacks.

    Raises InfraError for what could not be created.
    """
    engine = engine_of(news["docker_host"])
    names = {"container": news["container"], "volume": news["volume"]}
    if not olds:
        container.refuse_names(engine, **names, adopt=news["adopt"])
    own = {names["container"], *upgrades.containers_of(names["container"])}
    container.refuse_other_users(engine, _data_volume(olds or news), own=own, stopped=not olds)
    _refuse_moves(olds, news)
    port = container.port_for(
        engine, names["container"], wanted=int(news["port"]), known=int(olds.get("listen_port") or 0)
    )
    inputs = {**news, "listen_port": port, "data_volume": _data_volume(olds or news)}
    container.reachable_at(engine, news["address"])
    pulled = is_known(news["image_id"]) and bool(news["image_id"])
    image_name = str(news["image_id"] if pulled else news["image"])
    is_there = pulled or engine.image(image_name) is not None
    if olds and not changed(olds, news, "image", "image_id", "settings", "extensions"):
        inputs |= {name: olds[name] for name in FOUND}
    elif is_there:
        volume = names["volume"] if not olds and engine.volume(names["volume"]) is not None else ""
        found = image.inspect_image(engine, image_name, news["settings"], volume)
        inputs["data_volume"] = upgrades.volume_after(
            found,
            news["image"],
            first_volume=names["volume"],
            now=(_data_volume(olds or news), int(olds.get("major") or found.data_major)),
            how=news["upgrade"] if olds else "",
        )
        if olds and inputs["data_volume"] != _data_volume(olds):
            upgrades.refuse_taken(engine, names["container"], names["volume"], inputs["data_volume"])
        problems = image.setting_problems(found, news["settings"])
        if problems:
            raise SettingsError("server.settings", problems)
        missing = missing_extensions(news["extensions"], found.extensions, news["image"], _REMEDY)
        if missing:
            return news, missing
        inputs |= {"version": found.version, "major": found.major}
    else:
        container.refuse_missing(engine, image_name)
    if is_there and (news["settings"] or news.get("memory")) and (not olds or changed(olds, news, *_TRIED)):
        trial.refuse_what_does_not_start(
            engine, image_name, news["settings"], memory=news.get("memory"), shm_size=news["shm_size"]
        )
    return inputs, []


def show_plan(olds: Properties, news: Properties) -> None:
    """Show what a change does to a server that exists."""
    text = _plan(olds, news)
    if text:
        logger(news, "DockerPlan", "server-plan", Shown.INFO)(text)


def upgrade(olds: Properties, news: Properties) -> None:
    """Move the data into a new volume under another major version of PostgreSQL."""
    move = upgrades.Move(
        engine=engine_of(news["docker_host"]),
        container=news["container"],
        first_volume=news["volume"],
        volume=_data_volume(olds),
        image=news["image_id"],
        majors=(int(olds["major"]), int(news["major"])),
        stack=news["stack"],
        user=ADMIN_USER,
        initdb_args=news["initdb_args"],
        settings=news["settings"],
    )
    upgrades.upgrade(move, logger(news, "DockerPlan", "server-plan"))


def remove_moved_volumes(props: Properties) -> None:
    """Remove the volumes that upgrades have created."""
    upgrades.remove_moved(engine_of(props["docker_host"]), props["volume"])


def _data_volume(props: Properties) -> str:
    """Return the volume that has the data: the settings' one until they are moved."""
    return str(props.get("data_volume") or props["volume"])


def _refuse_moves(olds: Properties, news: Properties) -> None:
    """Raise SettingsError for a change that would leave the data behind, or could have no effect on them."""
    reasons = {
        "volume": "cannot be changed, the data would stay behind; copy the volume, or make a second stack",
        "initdb_args": "cannot be changed, they were used when the data were made; put it back, or make a second stack",
    }
    problems = [
        SettingProblem(f"server.{name}", f'"{news[name]}" and was "{olds[name]}"', reason)
        for name, reason in reasons.items()
        if olds and changed(olds, news, name)
    ]
    if problems:
        raise SettingsError("server", problems)


def _plan(olds: Properties, news: Properties) -> str:
    """Return what a change does to a server that exists, '' for nothing."""
    if news["data_volume"] != _data_volume(olds):
        return (
            f"upgrade from PostgreSQL {int(olds['major'])} to {news['major']}: the server stops, all databases are "
            f"dumped, restored into volume {news['data_volume']} and compared; those of before stay in "
            f"{_data_volume(olds)}"
        )
    names = [name for name in changed(olds, news, *RESTARTING) if olds.get(name) or news[name]]
    differences = [_difference(name, olds.get(name), news.get(name)) for name in names]
    return f"restart in a new container, the data stay: {'; '.join(differences)}" if differences else ""


def _difference(name: str, old: object, new: object) -> str:
    if name == "settings" and isinstance(old, dict) and isinstance(new, dict):
        before, after = cast("dict[str, str]", old), cast("dict[str, str]", new)
        names = [setting for setting in sorted({*before, *after}) if before.get(setting) != after.get(setting)]
        return ", ".join(
            f"{setting} {before.get(setting, 'default')} -> {after.get(setting, 'default')}" for setting in names
        )
    return name if name in {"image_id", "labels"} else f"{name} {old or 'none'} -> {new or 'none'}"
