"""The commands that a target runs, as a stand-in for `pulumi` is given them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
import stack
from environment import environment

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
