"""Tests for the pure functions of the embedded server: specifications, steps, settings, ports, pid files."""

from __future__ import annotations

import os
import socket
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import ServerError
from infra.server import ports
from infra.server.embedded import processes
from infra.server.embedded.account import Account
from infra.server.embedded.configuration import command_line, quote_setting, render_configuration, reserved_reason
from infra.server.embedded.daemon import summarise_log
from infra.server.embedded.directory import Layout, Marker
from infra.server.embedded.distribution import Distribution
from infra.server.embedded.server_step import RequiredServer, ServerStep, changed_settings, decide_server_step
from infra.server.embedded.specification import ClusterSpec, default_root, refuse_invalid
from infra.server.embedded.validation import parse_complaints

if TYPE_CHECKING:
    from infra.server.embedded.directory import Phase

SPEC = ClusterSpec("dev-0123abcd", "project/dev", "secret-password", root=Path("/var/lib/x"))
BUILD = Distribution(Path("/d/bin"), Path("/d/share"), Path("/d/lib"), "17.10", "wheel", "replacement")
MARKER = Marker(
    name="dev",
    owner="project/dev",
    phase="live",
    run_as="somebody",
    admin_user="postgres",
    encoding="UTF8",
    locale="C",
    ctype="",
    port=15_500,
    settings={"work_mem": "4MB"},
    distribution=BUILD,
    tls=True,
)
REQUIRED = RequiredServer(port=0, settings={"work_mem": "4MB"}, distribution=BUILD)
CONTEXTS = {"work_mem": "user", "max_connections": "postmaster"}


def step(marker: Marker | None, required: RequiredServer = REQUIRED, *, alive: bool = True) -> ServerStep:
    return decide_server_step(marker, required, alive=alive, contexts=lambda: CONTEXTS)


@pytest.mark.parametrize(
    ("phase", "alive", "verb"),
    [
        ("creating", True, "create"),
        ("creating", False, "create"),
        ("removing", True, "create"),
        ("retained", False, "adopt"),
        ("retained", True, "adopt"),
        ("live", True, "keep"),
        ("live", False, "start"),
    ],
)
def test_step_by_phase(phase: Phase, verb: str, *, alive: bool) -> None:
    """Without differences the step depends on the marker's phase and on whether the server runs."""
    assert step(replace(MARKER, phase=phase), alive=alive).verb == verb


def test_step_without_server() -> None:
    """A missing server is created."""
    assert step(None, alive=False) == ServerStep("create", ("it does not exist",))


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"port": 15_500}, ServerStep("keep")),
        ({"port": 16_000}, ServerStep("restart", ("port 15500 becomes 16000",))),
        ({"settings": {"WORK_MEM": "4MB"}}, ServerStep("keep")),
        ({"settings": {}}, ServerStep("reload", ("changed setting: work_mem needs reload",))),
        (
            {"settings": {"work_mem": "4MB", "own.x": "1"}},
            ServerStep("reload", ("changed setting: own.x needs reload",)),
        ),
        (
            {"settings": {"work_mem": "5MB", "max_connections": "9"}},
            ServerStep(
                "restart", ("changed setting: max_connections needs restart", "changed setting: work_mem needs reload")
            ),
        ),
        (
            {"distribution": replace(BUILD, version="17.11", source="wheel 2")},
            ServerStep("restart", ("binaries: 17.10 (wheel) become 17.11 (wheel 2)",)),
        ),
        (
            {"distribution": replace(BUILD, stamp="updated")},
            ServerStep("restart", ("binaries: 17.10 (wheel) become 17.10 (wheel)",)),
        ),
        ({"written": False}, ServerStep("reload", ("its configuration files were changed by hand",))),
    ],
)
def test_step_by_difference(change: dict[str, object], expected: ServerStep) -> None:
    """Each difference leads to the least step that removes it, and is named in the reasons."""
    assert step(MARKER, replace(REQUIRED, **change)) == expected  # pyright: ignore[reportArgumentType] - of many types


def test_a_server_of_an_earlier_version_gets_its_certificate() -> None:
    """It is restarted for it."""
    assert step(replace(MARKER, tls=False)) == ServerStep("restart", ("it has no certificate",))


def test_step_of_a_stopped_server_names_all() -> None:
    """The start of a stopped server has every difference among its reasons."""
    decision = step(MARKER, replace(REQUIRED, port=16_000, settings={}), alive=False)
    assert decision == ServerStep(
        "start", ("it is not running", "port 15500 becomes 16000", "changed setting: work_mem needs reload")
    )


def test_contexts_are_asked_only_when_needed() -> None:
    """A decision without changed settings starts no program."""

    def refuse() -> dict[str, str]:
        raise AssertionError

    assert decide_server_step(MARKER, REQUIRED, alive=True, contexts=refuse).verb == "keep"


def test_changed_settings() -> None:
    """Names are compared without case, values with it."""
    assert changed_settings({"A": "1", "b": "x", "c": "1"}, {"a": "1", "B": "X", "d": "1"}) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"name": "../up"}, "name '../up': cannot be used; letters, digits, '.', '_' and '-' are allowed"),
        ({"name": "dist"}, "name 'dist': cannot be used"),
        ({"name": "a.lock"}, "name 'a.lock': cannot be used"),
        ({"name": ""}, "name '': cannot be used"),
        ({"name": "x" * 121}, f"name '{'x' * 121}': cannot be used"),
        ({"root": Path("relative")}, "data root 'relative': cannot be used; an absolute path"),
        ({"root": Path("/a/$(reboot)")}, "data root '/a/$(reboot)': cannot be used"),
        ({"root": Path("/a/it's")}, 'data root "/a/it\'s": cannot be used'),
        ({"port": 80}, "port 80: cannot be used; 0 (choose one) or 1024 to 65535 is required"),
        ({"port": 65_536}, "port 65536: cannot be used"),
        ({"port": -1}, "port -1: cannot be used"),
        ({"admin_user": "pg_boss"}, "admin user 'pg_boss': cannot be used"),
        ({"admin_user": 'a"b'}, "admin user 'a\"b': cannot be used"),
        ({"admin_user": "x" * 64}, f"admin user '{'x' * 64}': cannot be used"),
        ({"admin_password": ""}, "admin password: cannot be used; it must not be empty, and must not contain NUL"),
        ({"admin_password": "a\nb"}, "admin password: cannot be used"),
        ({"owner": ""}, "owner: cannot be used; it must not be empty"),
    ],
)
def test_impossible_specifications(change: dict[str, object], sentence: str) -> None:
    """A specification that is invalid on every machine is refused in a sentence."""
    refuse_invalid(SPEC)
    with pytest.raises(ServerError) as caught:
        refuse_invalid(replace(SPEC, **change))  # pyright: ignore[reportArgumentType] - of many types
    assert str(caught.value).startswith(sentence)


def test_password_is_not_shown() -> None:
    """No representation of a specification contains the password."""
    assert "secret-password" not in f"{SPEC!r} {SPEC.target(1)!r} {SPEC.target(1)}"


def test_default_root(monkeypatch: pytest.MonkeyPatch) -> None:
    """Root's servers live in /var/lib, other users' in XDG's state directory, which must be absolute."""
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert default_root() == Path("/var/lib/platform-postgres")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    monkeypatch.setenv("HOME", "/home/me")
    for state, expected in (("/s", "/s"), ("", "/home/me/.local/state"), ("rel", "/home/me/.local/state")):
        monkeypatch.setenv("XDG_STATE_HOME", state)
        assert default_root() == Path(expected, "platform-postgres")


def test_base_has_no_links(tmp_path: Path) -> None:
    """The base is named without symbolic links, as the kernel names working directories."""
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    assert replace(SPEC, root=tmp_path / "link").layout.base == tmp_path.resolve() / "real" / SPEC.name


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("PORT", "the port has a setting of its own"),
        ("listen_addresses", "the embedded server listens on 127.0.0.1 only"),
        ("include_if_exists", "settings are written out here, not taken from other files"),
        (
            "ssl",
            "the server has a certificate of its own",
        ),
        ("unix_socket_permissions", "the embedded server has no Unix sockets"),
        ("password_encryption", "it is scram-sha-256"),
        ("work_mem", ""),
    ],
)
def test_reserved_parameters(name: str, reason: str) -> None:
    """A parameter that only this program sets has a reason why it is no setting."""
    assert reserved_reason(name) == reason


def test_configuration_text() -> None:
    """The stack's settings follow initdb's own, sorted and quoted."""
    account = Account("somebody", 64_000, 64_000, switch=True)
    text = render_configuration(Layout(Path("/b")), {"work_mem": "4MB", "b": "it's \\"}, account)
    assert text.splitlines()[1:] == [
        "include '/b/data/postgresql.conf'",
        "",
        "",
        "b = 'it''s \\\\'",
        "work_mem = '4MB'",
    ]
    assert quote_setting("a\nb\rc\td") == r"'a\nb\rc\td'"


def test_shared_memory_that_a_logout_spares() -> None:
    """An ordinary user's server keeps its shared memory in a file, away from systemd; a setting can change that."""
    me = Account("me", 1000, 1000, switch=False)
    lines = render_configuration(Layout(Path("/b")), {"dynamic_shared_memory_type": "posix"}, me).splitlines()
    assert lines[3:] == ["dynamic_shared_memory_type = 'mmap'", "", "dynamic_shared_memory_type = 'posix'"]


def test_command_line_wins() -> None:
    """The parameters that close the server are arguments, which override files and ALTER SYSTEM."""
    words = command_line(Layout(Path("/b")), 5555)
    assert {"listen_addresses=127.0.0.1", "port=5555", "unix_socket_directories="} <= set(words)
    assert {"ssl=on", "ssl_cert_file=/b/conf/server.crt", "ssl_key_file=/b/conf/server.key"} <= set(words)


def test_complaints_are_attributed() -> None:
    """Each complaint of the server goes to the setting it names, with detail and hint and without its file and line."""
    output = (
        'LOG:  skipping missing configuration file "/t/postgresql.auto.conf"\n'
        'LOG:  invalid value for parameter "work_mem": "log_statement"\n'
        'HINT:  Valid units for this parameter are "B", "kB".\n'
        'LOG:  unrecognized configuration parameter "nosuch" in file "/t/postgresql.conf" line 3\n'
        'LOG:  invalid value for parameter "TimeZone": "x"\n'
        "DETAIL:  no zone\n"
        'FATAL:  configuration file "/t/postgresql.conf" contains errors\n'
    )
    settings = {"work_mem": "log_statement", "nosuch": "1", "timezone": "x", "log_statement": "all"}
    assert parse_complaints(output, settings) == {
        "work_mem": 'invalid value for parameter "work_mem": "log_statement" '
        '(Valid units for this parameter are "B", "kB".)',
        "nosuch": 'unrecognized configuration parameter "nosuch"',
        "timezone": 'invalid value for parameter "TimeZone": "x" (no zone)',
    }


def test_summary_of_a_log() -> None:
    """A log is summarised by its errors with their hints, else by its end, else as empty."""
    log = "2026 [1] LOG:  starting\n2026 [1] FATAL:  no memory\n2026 [1] HINT:  buy some\n2026 [1] LOG:  shut down\n"
    assert summarise_log(log) == "FATAL:  no memory HINT:  buy some"
    assert summarise_log("one\ntwo\n") == "one two"
    assert summarise_log("") == "it wrote nothing"


def test_port_in_use() -> None:
    """A port with a listener is not free, on loopback or on all addresses; one that was closed just now is."""
    for address in ("127.0.0.1", "0.0.0.0"):
        with socket.socket() as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind((address, 0))
            listener.listen()
            port = listener.getsockname()[1]
            assert not ports.is_free(port)
            with socket.create_connection(("127.0.0.1", port)):
                listener.accept()[0].close()
        assert ports.is_free(port)


def test_chosen_port() -> None:
    """A name gives the same port while that is free, below the ephemeral ports; `after` gives the next one."""
    port = ports.choose("some server")
    assert port == ports.choose("some server")
    assert ports.FIRST_PORT <= port < 32_768
    assert ports.choose("some server", after=port) != port
    assert ports.choose("x", after=ports.FIRST_PORT + ports.PORT_COUNT - 1) >= ports.FIRST_PORT


def test_no_free_port(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a free port the error is one sentence."""
    monkeypatch.setattr(ports, "is_free", lambda _: False)  # pyright: ignore[reportUnknownArgumentType, reportUnknownLambdaType]
    with pytest.raises(ServerError) as caught:
        ports.choose("x")
    assert str(caught.value) == "127.0.0.1: no port between 15432 and 25431 is free; set a port"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("12\n/d\n1700000000\n5432\n\n127.0.0.1\n  1 2\nready   \n", processes.Postmaster(12, 5432, "ready")),
        ("12\n/d\n1700000000\n5432\n\n*\n  1 2\nstopping\n", processes.Postmaster(12, 5432, "stopping")),
        ("12\n/d\n1700000000\n5432\n", processes.Postmaster(12, 5432, "starting")),
        ("12", processes.Postmaster(12, 0, "starting")),
        ("-12\n", None),
        ("0\n", None),
        ("12x\n", None),
        ("99999999999\n", None),
        ("", None),
        ("\x00\x00", None),
    ],
)
def test_pid_file(tmp_path: Path, text: str, expected: processes.Postmaster | None) -> None:
    """A file without the form of a pid file is ignored."""
    (tmp_path / "postmaster.pid").write_text(text)
    assert processes.read_pid_file(tmp_path) == expected
