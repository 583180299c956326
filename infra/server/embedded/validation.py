"""The validation of server settings before anything is changed, by the binary that will run with them."""

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
HIDDEN_VALUE = "[not shown]"
"""In place of the value of a parameter that there is not, or that is reserved: a password may be in the wrong place."""

PRELOAD = ("shared_preload_libraries", "session_preload_libraries", "local_preload_libraries")


def refuse_wrong_settings(distribution: Distribution, settings: Mapping[str, str], *, place: str) -> None:
    """Raise SettingsError with a line for every wrong setting; takes about 0.03 s, or nothing without settings."""
    problems = find_problems(distribution, settings)
    if problems:
        raise SettingsError(place, problems)


def find_problems(distribution: Distribution, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Return every wrong setting: name, syntax, range, unit, enumeration, library, or reserved for this program."""
    if not settings:
        return []
    problems = _name_problems(settings)
    wrong_names = {problem.key for problem in problems}
    remaining = {name: value for name, value in settings.items() if setting_key(name) not in wrong_names}
    complaints = _read_by_server(distribution, remaining)
    unknown = {name for name, text in complaints.items() if text.startswith("unrecognized")}  # lc_messages is C
    if unknown:  # PostgreSQL stops at unknown names, before it checks any value
        rest = {name: value for name, value in remaining.items() if name not in unknown}
        complaints = {name: complaints[name] for name in unknown} | _read_by_server(distribution, rest)
        names = parameter_contexts(distribution)
        complaints |= {name: _unknown_parameter(name, distribution, names) for name in unknown}
    shown = {name: HIDDEN_VALUE if name in unknown else _quoted_value(remaining, name) for name in complaints}
    problems += [SettingProblem(name, shown[name], text) for name, text in complaints.items()]
    return sorted([*problems, *_library_problems(distribution, remaining)], key=lambda problem: problem.key)


def parameter_contexts(distribution: Distribution) -> dict[str, str]:
    """Return the context of each parameter, by its name in lower case: "postmaster" needs a restart to change.

    The contexts are those of pg_settings (PostgreSQL manual, 53.24), printed by `postgres --describe-config`, which
    leaves out developers' parameters. Parameters of extensions are known only to a server that has loaded them.
    """
    result = spawn.run_command([str(distribution.tool("postgres")), "--describe-config"], seconds=_SECONDS)
    rows = [line.split("\t") for line in result.output.splitlines()]
    return {row[0].lower(): row[1] for row in rows if len(row) > 1}


def refuse_without_tls(distribution: Distribution) -> None:
    """Raise ServerError where the server was built without TLS, as some in a bin_dir were; takes 0.01 s."""
    with tempfile.TemporaryDirectory(prefix="platform-postgres-") as directory:
        Path(directory, "postgresql.conf").touch()
        command = [str(distribution.tool("postgres")), "-C", "ssl", "-D", directory, "-c", "ssl=on"]
        result = spawn.run_command(command, seconds=_SECONDS)
    if result.status != 0:
        raise ServerError(
            f"was built without TLS, by which Pulumi's plugin knows the server: {result.last_lines()}",
            place=str(distribution.bin),
            remedy="set bin_dir to a PostgreSQL that was built with it",
        )


def setting_key(name: str) -> str:
    """Return a parameter's name as messages have it: what is no name is not shown."""
    return name if SETTING_NAME.fullmatch(name) else HIDDEN_VALUE


def _name_problems(settings: Mapping[str, str]) -> list[SettingProblem]:
    problems: list[SettingProblem] = []
    spellings: dict[str, str] = {}
    for name, value in settings.items():
        if not SETTING_NAME.fullmatch(name):
            problems.append(
                SettingProblem(setting_key(name), HIDDEN_VALUE, "this is not the name of a server parameter")
            )
        elif "\0" in value:
            problems.append(SettingProblem(name, "NUL", "a value cannot hold it"))
        elif configuration.reserved_reason(name):
            problems.append(SettingProblem(name, HIDDEN_VALUE, f"cannot be set: {configuration.reserved_reason(name)}"))
        elif name.lower() in spellings:
            problems.append(SettingProblem(name, f'"{value}"', f"is set twice, also as {spellings[name.lower()]}"))
        spellings[name.lower()] = name
    return problems


def _read_by_server(distribution: Distribution, settings: Mapping[str, str]) -> dict[str, str]:
    """Return the server's complaints by setting after it has read the settings as its configuration file.

    `postgres -C` ends before it would need a data directory. `-C` has to be the first argument: root may run it then
    (main.c of PostgreSQL checks argv[1]).
    """
    with tempfile.TemporaryDirectory(prefix="platform-postgres-") as directory:
        file = Path(directory, "postgresql.conf")
        file.write_text(configuration.render_settings(settings), encoding="utf-8")
        arguments = ["-C", "data_directory", "-D", directory, "-c", "log_line_prefix=", "-c", "lc_messages=C"]
        result = spawn.run_command([str(distribution.tool("postgres")), *arguments], seconds=_SECONDS)
        complaints = parse_complaints(result.output, settings)
    if result.status != 0 and not complaints:
        raise ServerError(f"the server refuses its settings: {result.last_lines()}", place=str(distribution.bin))
    return complaints


def parse_complaints(output: str, settings: Mapping[str, str]) -> dict[str, str]:
    """Return PostgreSQL's complaint for each setting that it names, with its detail and hint."""
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


def _unknown_parameter(name: str, distribution: Distribution, names: Mapping[str, str]) -> str:
    near = difflib.get_close_matches(name.lower(), names, n=1)
    suggestion = f", perhaps {near[0]} is meant" if near else ""
    return f"PostgreSQL {distribution.version} has no such parameter{suggestion}"


def _library_problems(distribution: Distribution, settings: Mapping[str, str]) -> list[SettingProblem]:
    """Return the settings that preload missing libraries, which `postgres -C` does not check."""
    problems: list[SettingProblem] = []
    for name in (name for name in settings if name.lower() in PRELOAD):
        libraries = [word.strip().strip('"') for word in settings[name].split(",")]
        missing = [library for library in libraries if library and not distribution.has_library(library)]
        if missing:
            required = f"PostgreSQL {distribution.version} has no library {', '.join(missing)}"
            problems.append(SettingProblem(name, _quoted_value(settings, name), required))
    return problems


def _quoted_value(settings: Mapping[str, str], name: str) -> str:
    return f'"{settings[name]}"'
