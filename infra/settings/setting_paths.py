"""Paths of settings: which setting, or group of settings, one names in the model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

from pydantic import BaseModel

from infra.settings.model import DATABASES, Settings
from infra.settings.servers import SERVERS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic.fields import FieldInfo

    Path = tuple[int | str, ...]

_TAGS: Mapping[str, tuple[int, Mapping[str, type[BaseModel]]]] = {"server": (1, SERVERS), "databases": (2, DATABASES)}
"""The settings of several kinds: where pydantic puts the kind into the path of an error, and the kinds."""


def keys_of(group: type[BaseModel]) -> list[str]:
    """Return the keys of a group of settings as a stack's file has them."""
    return sorted(field.alias or name for name, field in group.model_fields.items())


def setting_at(path: Path) -> tuple[FieldInfo | None, type[BaseModel]]:
    """Return the setting that a path names, or the last one on the path, and the group in which the path ends."""
    field = None
    group: type[BaseModel] | None = Settings
    tag, kinds = _TAGS.get(str(path[0]), (0, {}))
    for position, name in enumerate(path):
        if isinstance(name, int):  # the number of an item in a list
            continue
        if position and position == tag:
            group = kinds[name]
            continue
        fields = {known.alias or key: known for key, known in group.model_fields.items()} if group else {}
        if name not in fields:  # a key of a map, or of nobody
            break
        field = fields[name]
        group = _group_in(field.annotation)
    return field, group or Settings


def without_tag(path: Path) -> Path:
    """Return a path without the kind of server or database, which pydantic puts into it."""
    tag, _ = _TAGS.get(str(path[0]), (len(path), {}))
    return (*path[:tag], *path[tag + 1 :])


def _group_in(annotation: Any) -> type[BaseModel] | None:  # noqa: ANN401 (a type of any form)
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    inner = (_group_in(argument) for argument in get_args(annotation))
    return next((group for group in inner if group), None)
