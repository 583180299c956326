"""Refuses wrong server settings before anything is changed, by asking the very binary that shall run with them."""

from __future__ import annotations

import difflib
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import ServerError, SettingProblem, SettingsError
from infra.server.embedded import configuration, spawn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from infra.server.embedded.distribution import Distribution

_SECONDS = 30
SETTING_NAME = re.compile(r"[A-Za-z_][\w$]*(\.[A-Za-z_][\w$]*)*", re.ASCII)
PRELOAD = ("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries")


def refuse_wrong(distribution: Distribution, settings: Mapping[str, str], *, place: str) -> None:
    """Raise SettingsError with a line for every wrong setting; takes about 0.03 s, or nothing without settings."""
    problems = find_problems(distribution, settings)
    if problems:
        raise SettingsError(place, problems)


def find_problems(distribution: Distribution, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Give every wrong setting: name, syntax, range, unit, choice, library, or not a setting's to decide."""
    if not settings:
        return []
    problems = _by_name(settings)
    left = {name: value for name, value in settings.items() if name not in {problem.key for problem in problems}}
    complaints = _try(distribution, left)
    unknown = {name for name, text in complaints.items() if text.startswith("unrecognized")}
    if unknown:  # PostgreSQL stops there and has not looked at the values yet
        rest = {name: value for name, value in left.items() if name not in unknown}
        complaints = {name: complaints[name] for name in unknown} | _try(distribution, rest)
        known = contexts(distribution)
        complaints |= {name: _not_known(name, distribution, known) for name in unknown}
    problems += [SettingProblem(name, _found(left, name), text) for name, text in complaints.items()]
    return sorted([*problems, *_libraries(distribution, left)], key=lambda problem: problem.key)


def contexts(distribution: Distribution) -> dict[str, str]:
    """Give what each parameter needs to change, by name in small letters: "postmaster" is a restart.

    Of `postgres --describe-config` (PostgreSQL manual, 53.24 has the words), which leaves out developers' parameters;
    those of extensions are known only to a server that has loaded them.
    """
    result = spawn.run_command([str(distribution.tool("postgres")), "--describe-config"], seconds=_SECONDS)
    rows = [line.split("\t") for line in result.output.splitlines()]
    return {row[0].lower(): row[1] for row in rows if len(row) > 1}


def _by_name(settings: Mapping[str, str]) -> list[SettingProblem]:
    problems: list[SettingProblem] = []
    seen: dict[str, str] = {}
    for name, value in settings.items():
        found = f'"{value}"'
        if not SETTING_NAME.fullmatch(name):
            problems.append(SettingProblem(name, found, "this is not the name of a server parameter"))
        elif "\0" in value:
            problems.append(SettingProblem(name, "NUL", "a value cannot hold it"))
        elif configuration.decided(name):
            problems.append(SettingProblem(name, found, f"cannot be set: {configuration.decided(name)}"))
        elif name.lower() in seen:
            problems.append(SettingProblem(name, found, f"is set twice, also as {seen[name.lower()]}"))
        seen[name.lower()] = name
    return problems


def _try(distribution: Distribution, settings: Mapping[str, str]) -> dict[str, str]:
    """Let the server read the settings as its configuration file (`postgres -C`), and give its complaints by name.

    It stops before it would need a data directory. `-C` has to come first: then root may run it.
    """
    with tempfile.TemporaryDirectory(prefix="platform-postgres-") as directory:
        file = Path(directory, "postgresql.conf")
        file.write_text(configuration.lines(settings), encoding="utf-8")
        arguments = ["-C", "data_directory", "-D", directory, "-c", "log_line_prefix=", "-c", "lc_messages=C"]
        result = spawn.run_command([str(distribution.tool("postgres")), *arguments], seconds=_SECONDS)
        complaints = parse_complaints(result.output, settings)
    if result.status != 0 and not complaints:
        raise ServerError(f"the server refuses its settings: {result.last_lines()}", place=str(distribution.bin))
    return complaints


def parse_complaints(output: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Give PostgreSQL's complaint for each setting it names, with its detail and hint."""
    names = {name.lower(): name for name in settings}
    complaints: dict[str, str] = {}
    current = ""
    for line in output.splitlines():
        level, _, text = line.partition(":  ")
        if level in {"LOG", "FATAL", "ERROR", "WARNING"}:
            mentioned = [names[word.lower()] for word in re.findall(r'"([^"]*)"', text) if word.lower() in names]
            current = mentioned[0] if mentioned else ""
            if current:
                complaints[current] = re.sub(r' in file ".*" line \d+$', "", text)
        elif level in {"DETAIL", "HINT"} and current:
            complaints[current] += f" ({text})"
    return complaints


def _not_known(name: str, distribution: Distribution, known: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name.lower(), known, n=1)
    meant = f", perhaps {near[0]} is meant" if near else ""
    return f"PostgreSQL {distribution.version} has no such parameter{meant}"


def _libraries(distribution: Distribution, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Find preloaded libraries that are not there: the server would notice only when it starts."""
    problems: list[SettingProblem] = []
    for name in (name for name in settings if name.lower() in PRELOAD):
        wanted = [word.strip().strip('"') for word in settings[name].split(",")]
        missing = [library for library in wanted if library and not distribution.has_library(library)]
        if missing:
            required = f"PostgreSQL {distribution.version} has no library {', '.join(missing)}"
            problems.append(SettingProblem(name, _found(settings, name), required))
    return problems


def _found(settings: Mapping[str, str], name: str) -> str:
    return f'"{settings[name]}"'
