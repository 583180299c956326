"""`make setup`: everything a run needs, from an empty machine or in a moment when nothing is missing."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import parts
from environment import environment
from parts import Plugin, SetupError, say


def main() -> int:
    """Set up; the exit status is 0, or 2 with one sentence that says what to install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true", help="what the tests need as well")
    parser.add_argument("--stack", default="", help="what this stack needs as well")
    wanted = parser.parse_args()
    try:
        set_up(development=wanted.development, stack=wanted.stack)
    except SetupError as error:
        say(f"setup: {error}")
        return 2
    return 0


def set_up(*, development: bool, stack: str = "") -> None:
    """Make what is missing: .venv, the CLI with its language host, the plugins.

    The docker plugin is made for stacks with that kind of server, and for tests where an engine for them is installed.
    """
    docker = bool(stack) and parts.is_docker(stack)
    parts.make_venv(development=development, docker=docker or development)
    if not parts.installed_pulumi():
        _build_cli()
    engine = development and shutil.which("dockerd") is not None
    for plugin in parts.plugins(docker=docker or engine):
        if not _has(plugin):
            _get(plugin)


def _build_cli() -> None:
    tools = parts.TOOLS / "bin"
    built = tools / f".pulumi-{parts.version_text()}"
    if built.exists():
        return
    go = parts.need_go()
    version = f"v{parts.version_text()}"
    flags = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    say("setup: no Pulumi CLI here, so it is built once from Go modules into .tools/ (about 8 min in all)")
    parts.build(go, "pulumi", parts.CLI, tools / "pulumi", flags=flags, expected="5 min")
    host = tools / "pulumi-language-python"
    parts.build(go, "language-python", parts.LANGUAGE_HOST, host, flags="", expected="20 s")
    sdk = parts.module_folder(go, f"github.com/pulumi/pulumi/sdk/v3@{version}") / "python"
    for script in (sdk / "cmd" / "pulumi-language-python-exec", sdk / "dist" / "pulumi-resource-pulumi-python"):
        target = tools / script.name
        target.unlink(missing_ok=True)
        shutil.copyfile(script, target)
        target.chmod(0o755)
    built.touch()


def _has(plugin: Plugin) -> bool:
    """Say whether the plugin is installed where this project's runs will look."""
    own = parts.own_home() / "plugins" / plugin.folder
    users = parts.user_home() / "plugins" / plugin.folder
    if own.exists():
        return True
    if not users.exists():
        return False
    if parts.own_home().exists():
        own.parent.mkdir(parents=True, exist_ok=True)
        own.symlink_to(users)
    return True


def _get(plugin: Plugin) -> None:
    name = f"pulumi-resource-{plugin.name}"
    if os.environ.get("SETUP") == "online":
        _fetch(plugin)
        return
    go = parts.need_go()
    binary = parts.TOOLS / "build" / name
    flags = f"-X main.version={plugin.version}"
    parts.build(go, plugin.name, ".", binary, flags=flags, expected="2 min")
    parts.own_home().mkdir(parents=True, exist_ok=True)
    _install(plugin, ["--file", str(binary)], {"PULUMI_HOME": str(parts.own_home())})
    binary.unlink()


def _fetch(plugin: Plugin) -> None:
    """Let the user's own pulumi download the released plugin, because SETUP=online asks for it."""
    if not parts.installed_pulumi():
        raise SetupError(f"SETUP=online needs the Pulumi CLI {parts.version_text()} or newer on PATH; install it first")
    say(f"setup: pulumi downloads the {plugin.name} plugin {plugin.version} …")
    _install(plugin, [], {})


def _install(plugin: Plugin, arguments: list[str], variables: dict[str, str]) -> None:
    command = ["pulumi", "plugin", "install", "resource", plugin.name, plugin.version, *arguments]
    done = subprocess.run(
        command, env={**environment(), **variables}, capture_output=True, text=True, check=False, cwd=Path("/")
    )
    if done.returncode:
        say(done.stderr.strip())
        raise SetupError(f"`{' '.join(command[:6])}` failed, its own words stand above")


if __name__ == "__main__":
    sys.exit(main())
