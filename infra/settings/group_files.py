"""The databases of groups that are named in files, and what is wrong with those files."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from infra.settings.databases import SOURCES, DatabaseSettings, GroupSettings, names_in_file
from infra.settings.values import is_database_name

if TYPE_CHECKING:
    from infra.settings.problems import SettingProblems
    from infra.settings.setting_paths import Path


def with_names_of_files(databases: object, problems: SettingProblems) -> object:
    """Return the databases with the names that the files of groups hold, and add what is wrong with those files.

    A group that has none or several of the settings that say which databases it has is added too.
    """
    if not isinstance(databases, list):
        return databases
    completed = cast("list[Any]", databases)
    return [_completed(database, ("databases", number), problems) for number, database in enumerate(completed)]


def _completed(database: Any, path: Path, problems: SettingProblems) -> Any:  # noqa: ANN401 (whatever the file has)
    if not isinstance(database, dict) or "group" not in database:
        return database  # pyright: ignore[reportUnknownVariableType]
    group = cast("dict[str, Any]", database)
    given = [source for source in SOURCES if source in group]
    if len(given) != 1:
        found = f"has {' and '.join(given)}" if given else "names no database"
        problems.add(path, found, f"must have one of {', '.join(SOURCES)}")
    file = group.get("from")
    return {**group, "names": _names(file, (*path, "from"), problems)} if isinstance(file, str) else group


def _names(file: str, path: Path, problems: SettingProblems) -> list[str]:
    """Return the valid names in a group's file, each once."""
    try:
        lines = names_in_file(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        problems.add_value(path, file, f"must be {GroupSettings.model_fields['file'].description} ({reason})")
        return []
    names: dict[str, int] = {}
    for line, name in lines:
        if not is_database_name(name):
            allowed = DatabaseSettings.model_fields["name"].description
            problems.add((*path, line), "is no name of a database", f"must be {allowed}")
        elif name in names:
            problems.add((*path, line), f"has the name of line {names[name]}", "must not be given twice")
        else:
            names[name] = line
    if not lines:
        problems.add_value(path, file, "must be a file with at least one name")
    return list(names)
