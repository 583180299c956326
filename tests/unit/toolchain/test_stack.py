"""The commands that a target runs, as a stand-in for `pulumi` is given them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import closing_line
import pytest
import stack
from environment import environment
from parts import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.toolchain.conftest import Machine

ONE, SEVERAL = "127.0.0.1", "127.0.0.1,127.0.0.1"
SCRIPT = """\
case "$1" in
    version) ;;
    stack) echo '{{"host": "{hosts}", "port": "1,2"}}';;
    *) echo "$@" >>{log};;
esac
"""


@pytest.mark.parametrize(
    ("hosts", "case"),
    [
        (ONE, ("destroy", ["destroy --diff"])),
        (SEVERAL, ("destroy", ["refresh --run-program --target **::server --target **::admin", "destroy --diff"])),
        (ONE, ("refresh", ["refresh --diff --target **::server"])),  # nothing answers on these ports
        (SEVERAL, ("refresh", ["refresh --run-program --diff --target **::server"])),
        (SEVERAL, ("up", ["up --diff"])),
    ],
)
def test_of_several_hosts_the_primary_is_found_before_the_plugin_uses_it(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hosts: str, *, case: tuple[str, list[str]]
) -> None:
    """`up` runs the program, which looks for it; `refresh` and `destroy` do not by themselves."""
    verb, expected = case
    log = tmp_path / "log"
    machine.program("pulumi", SCRIPT.format(hosts=hosts, log=log))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///somewhere")
    stack.run(verb, "prod", ["--diff"], environment())
    everywhere = {"--stack", "prod", *stack.OPTIONS["up"]}
    given = [" ".join(word for word in line.split() if word not in everywhere) for line in log.read_text().splitlines()]
    assert given == expected


TARGETS = re.findall(r"^([a-z-]+):.*##", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize("verb", [*stack.OPTIONS, "outputs", "cancel"])
def test_a_target_ends_with_one_line_whose_commands_can_be_typed(verb: str, *, failed: bool) -> None:
    """It says how it went, as the target's name and a sentence; what it proposes is a target for the same stack."""
    line = closing_line.closing_line(verb, "prod", failed=failed)
    assert line.startswith(f"{verb}: ")
    assert "\n" not in line
    proposed = re.findall(r"`(.*?)`", line)
    assert all(
        re.fullmatch(rf"make ({'|'.join(TARGETS)}) STACK=prod( ARGS=--show-secrets)?", text) for text in proposed
    )


def test_a_refresh_without_its_server_is_one_sentence(
    machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Only the server is refreshed; of all that is inside it nothing is read, and nothing fails by itself."""
    log = tmp_path / "log"
    machine.program("pulumi", SCRIPT.format(hosts=ONE, log=log))
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file:///somewhere")
    assert stack.run("refresh", "prod", [], environment()) == 1
    text = "".join(capfd.readouterr())
    sentence = "refresh: the server does not answer, so nothing inside it was read; run `make up STACK=prod`"
    assert text.splitlines() == [sentence]
    assert log.read_text().splitlines() == [
        "refresh --stack prod --yes --skip-preview --suppress-outputs --target **::server"
    ]
