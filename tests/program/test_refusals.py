"""Bad input: one clear text with place and remedy, and nothing is changed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project


pytestmark = pytest.mark.every_kind


def test_six_wrong_settings_are_six_lines_of_one_message(bare: Project) -> None:
    """Six wrong settings are named in one message with a line each, and nothing is created."""
    bare.configure(
        lifecycle="forever",
        server={"kind": "embedded", "port": 70000, "prot": 1},
        databases=["app_db", "postgres", "app_db"],
        password_rotation="often",
    )
    text = bare.refused("up")
    assert "6 wrong settings; no server and no database was changed" in text
    lines = re.findall(r"^ +(platform-postgres:\S+): (.*)$", text, re.MULTILINE)
    assert len(set(lines)) == 6, text
    assert [
        resource for resource in bare.exported()["deployment"].get("resources", []) if "dynamic" in resource["type"]
    ] == []


def test_a_wrong_server_setting_is_refused_before_the_server_is_made(bare: Project) -> None:
    """PostgreSQL's own check of names, units and ranges comes before the first file is written."""
    bare.serve(settings={"max_conections": 5, "work_mem": "4 bananas"})
    text = bare.refused("preview")
    assert "max_conections" in text
    assert "work_mem" in text


def test_an_extension_that_the_server_does_not_offer_is_refused_at_preview(bare: Project) -> None:
    """A missing extension is named at preview, together with those that there are."""
    bare.configure(extensions=["pgcrypto", "postgis"])
    text = bare.refused("preview")
    assert "extension postgis is not offered by this PostgreSQL" in text
    assert "pg_trgm" in text


def test_a_bad_module_stops_up_at_its_place_and_leaves_nothing(bare: Project) -> None:
    """A wrong module is an error with file, line, column and caret; what came before stays, and the fix goes on."""
    bare.edit("sql/03-init-catalogue.sql", "CREATE TABLE categories", "CREATE TABEL categories")
    line = bare.folder.joinpath("sql/03-init-catalogue.sql").read_text().split("TABEL")[0].count("\n") + 1
    text = bare.refused("up")
    assert f'sql/03-init-catalogue.sql:{line}:8: syntax error at or near "TABEL" [42601]' in text
    assert "Exception calling application" not in text
    assert re.search(r"^ +CREATE TABEL categories \($\n^ +\^$", text, re.MULTILINE), text
    assert bare.ledger() == ["01", "02"]
    bare.edit("sql/03-init-catalogue.sql", "CREATE TABEL categories", "CREATE TABLE categories")
    bare.edit("sql/03-init-catalogue.sql", "CREATE TABLE products (", "CREATE TABLE no_such.products (")
    text = bare.refused("up")
    assert re.search(r'sql/03-init-catalogue\.sql:\d+:\d+: schema "no_such" does not exist \[3F000\]', text), text
    assert bare.ledger() == ["01", "02"]
    assert bare.tables("categories") == []
    bare.edit("sql/03-init-catalogue.sql", "CREATE TABLE no_such.products (", "CREATE TABLE products (")
    bare.up()
    assert bare.ledger() == ["01", "02", "03", "04", "05", "06", "07", "08"]


def test_bad_files_are_all_named_before_anything_is_declared(bare: Project) -> None:
    """Files that are no modules are one message with a line each, at preview, and nothing is created."""
    sql = bare.folder / "sql"
    (sql / "notes.txt").write_text("a note")
    (sql / "03-other.sql").write_bytes(b"SELECT '\xff';")
    (sql / "09-marked.sql").write_bytes(b"\xef\xbb\xbfSELECT 1;")
    (sql / "10-nothing.sql").write_bytes(b"SELECT '\0';")
    (sql / "11-folder.sql").mkdir()
    (sql / "13-gap.sql").symlink_to("nowhere.sql")
    text = bare.refused("preview")
    for problem in (
        "sql/notes.txt: is not named like a module",
        "sql/03-other.sql: has the number of 03-init-catalogue.sql",
        "sql/03-other.sql:1: is not UTF-8",
        "sql/09-marked.sql:1:1: begins with a byte order mark",
        "sql/10-nothing.sql:1: holds a NUL byte",
        "sql/11-folder.sql: is not a file",
        "sql/13-gap.sql: cannot be read",
        "sql/13-gap.sql: leaves out number 12",
    ):
        assert problem in text


def test_bad_statements_are_refused_at_preview_in_a_project_that_runs(project: Project) -> None:
    """What would break a module's transaction, or is not SQL, is a failed check with its line, and nothing runs."""
    project.add("sql/09-new.sql", "-- nothing\nBEGIN;\nCREATE TABLE nine (a int);\nCOMMIT;\nVACUUM nine;\n")
    text = project.refused("preview")
    assert "sql/09-new.sql:2:1: controls the transaction" in text
    assert "sql/09-new.sql:4:1: controls the transaction" in text
    assert "sql/09-new.sql:5:1" in text
    project.add("sql/09-new.sql", "-- psql's\n\\copy customers from 'x'\n")
    assert "sql/09-new.sql:2" in project.refused("preview")
    assert project.tables("nine") == []


def test_a_taken_port_is_refused_in_one_sentence(project: Project, bare: Project) -> None:
    """A port that somebody else listens on is said so."""
    bare.serve(port=project.outputs()["port"])
    assert re.search(r"port \d+.*already in use", bare.refused("up"))
