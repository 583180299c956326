"""What a run needs is taken from the machine where it is installed; what is missing is one sentence with a remedy."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import parts
import pytest
import setup
from parts import Plugin, SetupError

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.toolchain.conftest import Machine


def hide_go(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Set PATH to the machine's own programs, where there is no Go."""
    monkeypatch.setenv("PATH", str(machine.bin))


@pytest.mark.parametrize(
    ("version", "is_used"), [("v3.259.0", True), ("v3.300.1", True), ("v4.0.0", True), ("v3.258.9", False), ("", False)]
)
def test_a_users_own_pulumi_is_used_when_it_is_new_enough(machine: Machine, version: str, is_used: bool) -> None:  # noqa: FBT001
    """A CLI of the pinned minor version or a later one is used; an older one is not."""
    own = machine.program("pulumi", f"echo {version}")
    assert parts.installed_pulumi() == (own if is_used else None)


def test_a_missing_go_is_one_sentence(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without Go the message says which version to install, and the alternative."""
    hide_go(machine, monkeypatch)
    with pytest.raises(SetupError, match=r"^`go` is not on PATH, .*; install Go 1\.\d+ or newer, or install"):
        parts.require_go()


def test_an_old_go_is_named_with_its_version(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Go that is too old to build Pulumi is refused before the build, with its version."""
    hide_go(machine, monkeypatch)
    machine.program("go", "echo go1.19.8")
    with pytest.raises(SetupError, match=r"go1\.19\.8 is too old to build Pulumi; install Go"):
        parts.require_go()


def test_a_full_disk_is_reported_before_anything_is_built(tmp_path: Path) -> None:
    """The message has the free and the needed space; nothing has been written."""
    with pytest.raises(SetupError, match=r"has [0-9.]+ GiB free and this needs [0-9]+ GiB; free some space there"):
        parts.require_space(tmp_path / "not" / "yet", 2**60)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_build_shows_its_output_and_leaves_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str]
) -> None:
    """Go's output is shown without its downloads; no partly written program has the final name."""
    go = machine.program("go", "echo 'go: downloading example.org/x v1'; echo 'no such package' >&2; exit 1")
    with pytest.raises(SetupError, match="thing could not be built"):
        parts.build(str(go), "pulumi", ".", machine.tools / "bin" / "thing", flags="", expected="1 s")
    output = capsys.readouterr().err
    assert "no such package" in output
    assert "downloading" not in output
    assert list((machine.tools / "bin").iterdir()) == []


def test_a_quick_command_is_quiet_but_for_its_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """A step prints what is done and how long it took, and nothing of the command's output."""
    parts.run_step("doing it (about 1 s)", [sys.executable, "-c", "print('noise')"], "failed")
    assert capsys.readouterr().err == "setup: doing it (about 1 s) …\nsetup: done in 0 s\n"


def test_plugins_are_those_of_the_requirements() -> None:
    """The plugin's version is that of its Python SDK, which requires exactly that one."""
    (plugin,) = [plugin for plugin in parts.plugins() if plugin.name == "postgresql"]
    text = parts.ROOT.joinpath("requirements.txt").read_text(encoding="utf-8")
    assert f"pulumi-postgresql=={plugin.version} " in text


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("config:\n  p:server:\n    kind: docker\n", "docker"),
        ("config:\n  p:server: {port: 0, 'kind': \"docker\"}\n", "docker"),
        ("config:\n  p:server:\n    kind: external\n", "external"),
        ("config:\n  p:server:\n    kind: embedded # not kind: docker\n", "embedded"),
        ("config:\n  p:server:\n    kind: dockerless\n", "embedded"),
        (None, "embedded"),
    ],
)
def test_the_docker_plugin_is_for_docker_stacks(
    text: str | None,
    kind: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A stack's file decides whether the Docker SDK and plugin are needed; all other stacks do without them."""
    assert "docker" not in [plugin.name for plugin in parts.plugins()]
    assert [plugin.name for plugin in parts.plugins("docker")] == ["postgresql", "docker"]
    monkeypatch.setattr(parts, "ROOT", tmp_path)
    if text is not None:
        (tmp_path / "Pulumi.a.yaml").write_text(text)
    assert parts.server_kind("organization/a") == kind


def test_an_installed_plugin_is_used(machine: Machine) -> None:
    """A plugin in the user's own Pulumi folder is not built again."""
    plugin = Plugin("postgresql", "1.2.3")
    assert not setup._is_installed(plugin)  # pyright: ignore[reportPrivateUsage]
    (machine.home / ".pulumi" / "plugins" / plugin.folder).mkdir(parents=True)
    assert setup._is_installed(plugin)  # pyright: ignore[reportPrivateUsage]
    assert not (machine.tools / "home").exists()
    (machine.tools / "home").mkdir(parents=True)
    assert setup._is_installed(plugin)  # pyright: ignore[reportPrivateUsage]
    assert (machine.tools / "home" / "plugins" / plugin.folder).is_symlink()


def test_online_lets_the_users_own_pulumi_fetch(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """With SETUP=online the released plugin of the pinned version is installed, and nothing is built."""
    hide_go(machine, monkeypatch)
    monkeypatch.setenv("SETUP", "online")
    arguments = machine.home / "arguments"
    machine.program("pulumi", f'case "$1" in version) echo v3.259.0;; *) echo "$@" > {arguments};; esac')
    setup._install(Plugin("postgresql", "1.2.3"))  # pyright: ignore[reportPrivateUsage]
    assert arguments.read_text() == "plugin install resource postgresql 1.2.3\n"


def test_online_without_pulumi_says_what_to_install(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    """SETUP=online requires a Pulumi CLI of the user's own."""
    hide_go(machine, monkeypatch)
    monkeypatch.setenv("SETUP", "online")
    with pytest.raises(SetupError, match=r"SETUP=online needs the Pulumi CLI .* on PATH; install it first"):
        setup._install(Plugin("postgresql", "1.2.3"))  # pyright: ignore[reportPrivateUsage]
