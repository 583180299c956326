"""`make setup`: installs or builds what a run needs and what is missing on this machine."""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

import parts
from environment import environment
from make_arguments import stack_variable
from parts import Plugin, SetupError, report, sentence_of


def main() -> int:
    """Run the setup; the exit status is 0, or 2 after one sentence that says what to install."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true", help="also what the tests need")
    arguments = parser.parse_args()
    try:
        set_up(development=arguments.development, stack="" if arguments.development else stack_variable())
    except (SetupError, OSError) as error:
        report(f"setup: {sentence_of(error)}")
        return 2
    return 0


def set_up(*, development: bool, stack: str = "") -> None:
    """Install or build what is missing of .venv, the Pulumi CLI with its language host, and the plugins.

    The Docker plugin is for stacks with that kind of server, and for tests on machines where `dockerd` is installed.
    """
    kinds = ["embedded", "docker"] if development else [parts.server_kind(stack)]
    parts.make_venv(*kinds, development=development)
    if not parts.installed_pulumi():
        _build_cli()
    docker = shutil.which("dockerd") is not None if development else kinds == ["docker"]
    for plugin in parts.plugins(*(["docker"] if docker else [])):
        if not _is_installed(plugin):
            _install(plugin)


def _build_cli() -> None:
    tools = parts.TOOLS / "bin"
    built = tools / f".pulumi-{parts.version_text()}"
    if built.exists():
        return
    go = parts.require_go()
    version = f"v{parts.version_text()}"
    flags = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={version}"
    report("setup: there is no Pulumi CLI, so it is built once from Go modules into .tools/ (about 8 min in all)")
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


def _is_installed(plugin: Plugin) -> bool:
    """Return whether a plugin is where runs of this project look for it; a plugin of the user's own is linked there."""
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


def _install(plugin: Plugin) -> None:
    name = f"pulumi-resource-{plugin.name}"
    if os.environ.get("SETUP") == "online":
        _download(plugin)
        return
    go = parts.require_go()
    binary = parts.TOOLS / "build" / name
    flags = f"-X main.version={plugin.version}"
    parts.build(go, plugin.name, ".", binary, flags=flags, expected="2 min")
    parts.own_home().mkdir(parents=True, exist_ok=True)
    _run_install(plugin, ["--file", str(binary)], {"PULUMI_HOME": str(parts.own_home())})
    binary.unlink()


def _download(plugin: Plugin) -> None:
    """Install the released plugin with the user's own pulumi, which downloads it; only with SETUP=online."""
    if not parts.installed_pulumi():
        raise SetupError(f"SETUP=online needs the Pulumi CLI {parts.version_text()} or newer on PATH; install it first")
    report(f"setup: pulumi downloads the {plugin.name} plugin {plugin.version} …")
    _run_install(plugin, [], {})


def _run_install(plugin: Plugin, arguments: list[str], variables: dict[str, str]) -> None:
    command = ["pulumi", "plugin", "install", "resource", plugin.name, plugin.version, *arguments]
    result = subprocess.run(
        command, env={**environment(), **variables}, capture_output=True, text=True, check=False, cwd=Path("/")
    )
    if result.returncode:
        report(result.stderr.strip())
        raise SetupError(f"`{' '.join(command[:6])}` failed; its output is above")


if __name__ == "__main__":
    sys.exit(main())
