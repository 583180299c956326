"""Bad input: one clear text with place and remedy, and nothing is changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.program.project import Project


def test_six_wrong_settings_are_six_lines_of_one_message(project: Project) -> None:
    """Six wrong settings are named in one message with a line each, and nothing is created."""
    project.configure(
        lifecycle="forever",
        server={"kind": "embedded", "port": 70000, "prot": 1},
        databases=["app_db", "postgres", "app_db"],
        password_rotation="often",
    )
    done = project.verb("up")
    assert done.status != 0
    assert "6 wrong settings, nothing was changed" in done.text
    lines = re.findall(r"^ +(platform-postgres:\S+): (.*)$", done.text, re.MULTILINE)
    assert len(set(lines)) == 6, done.text
    assert "Traceback" not in done.text
    assert [one for one in project.exported()["deployment"].get("resources", []) if "dynamic" in one["type"]] == []


def test_a_wrong_server_setting_is_refused_before_the_server_is_made(project: Project) -> None:
    """PostgreSQL's own check of names, units and ranges comes before the first file is written."""
    project.configure(server={**project.settings["server"], "settings": {"max_conections": 5, "work_mem": "4 bananas"}})
    done = project.verb("preview")
    assert done.status != 0
    assert "max_conections" in done.text
    assert "work_mem" in done.text
    assert "Traceback" not in done.text


def test_an_extension_that_the_server_does_not_offer_is_refused_at_preview(project: Project) -> None:
    """A missing extension is named at preview, together with those that there are."""
    project.configure(extensions=["pgcrypto", "postgis"])
    done = project.verb("preview")
    assert done.status != 0
    assert "extension postgis is not offered by this PostgreSQL" in done.text
    assert "pg_trgm" in done.text


def test_a_syntax_error_names_file_line_and_column_and_what_came_before_stays(project: Project) -> None:
    """A module that cannot be parsed stops `up` at its turn; after the fix `up` goes on from there."""
    project.edit("sql/05-init-content.sql", "CREATE TABLE analyses", "CREATE TABEL analyses")
    line = project.folder.joinpath("sql/05-init-content.sql").read_text().split("TABEL")[0].count("\n") + 1
    done = project.verb("up")
    assert done.status != 0
    assert f'sql/05-init-content.sql:{line}:8: syntax error at or near "TABEL" [42601]' in done.text
    assert re.search(r"^ +CREATE TABEL analyses \($\n^ +\^$", done.text, re.MULTILINE), done.text
    assert "Traceback" not in done.text
    assert project.ledger() == ["01", "02", "03", "04"]
    project.edit("sql/05-init-content.sql", "CREATE TABEL analyses", "CREATE TABLE analyses")
    project.up()
    assert project.ledger() == ["01", "02", "03", "04", "05", "06", "07", "08"]


def test_a_statement_that_fails_leaves_nothing_of_its_module(project: Project) -> None:
    """What PostgreSQL refuses is shown with place, detail and hint; the module's transaction leaves no trace."""
    project.edit("sql/05-init-content.sql", "CREATE TABLE corpora (", "CREATE TABLE no_such.corpora (")
    done = project.verb("up")
    assert done.status != 0
    assert re.search(r'sql/05-init-content\.sql:\d+:\d+: schema "no_such" does not exist \[3F000\]', done.text), (
        done.text
    )
    assert project.ledger() == ["01", "02", "03", "04"]
    assert project.tables("analyses") == []
    project.edit("sql/05-init-content.sql", "CREATE TABLE no_such.corpora (", "CREATE TABLE corpora (")
    project.up()
    assert project.ledger() == ["01", "02", "03", "04", "05", "06", "07", "08"]


def test_bad_module_files_are_all_named_before_anything_is_declared(project: Project) -> None:
    """Wrong names, a number given twice and a file that is no text are one message, and nothing is created."""
    sql = project.folder / "sql"
    (sql / "notes.txt").write_text("a note")
    (sql / "03-other.sql").write_bytes(b"SELECT '\xff';")
    done = project.verb("up")
    assert done.status != 0
    assert "sql/notes.txt: is not named like a module" in done.text
    assert "sql/03-other.sql:1: is not UTF-8" in done.text
    assert "Traceback" not in done.text


def test_a_taken_port_is_refused_in_one_sentence(project: Project, standing: Project) -> None:
    """A port that somebody else listens on is said so."""
    project.configure(server={**project.settings["server"], "port": standing.outputs()["port"]})
    done = project.verb("up")
    assert done.status != 0
    assert re.search(r"port \d+.*already in use", done.text), done.text
