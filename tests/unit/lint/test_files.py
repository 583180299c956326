"""Files and directories as they are on disk: names, numbers, encodings, purposes, and which files are linted."""

from __future__ import annotations

import io
import re
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from bench.generated import generated_modules
from infra.errors import InfraError
from infra.findings.text import as_text
from infra.lint.linter import lint_files
from infra.lint.options import LintSettings
from tests.unit.lint.texts import lint_texts, places

ROOT = Path(__file__).parents[3]


def write(directory: Path, files: dict[str, bytes | str]) -> Path:
    """Write files, and return their directory."""
    for name, content in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return directory


A = "-- a\nSELECT 1;\n"

ON_DISK: list[tuple[str, dict[str, bytes | str], str, dict[str, bytes | str]]] = [
    ("M101", {"01-a.sql": A, "notes.txt": "x"}, "notes.txt", {"01-a.sql": A, ".hidden": "x"}),
    ("M101", {"01_a.sql": A}, "01_a.sql", {"01-a.sql": A}),
    ("M102", {"01-a.sql": A, "03-c.sql": A}, "03-c.sql", {"01-a.sql": A, "02-b.sql": A}),
    ("M102", {"00-a.sql": A}, "00-a.sql", {"01-a.sql": A}),
    ("M103", {"01-a.sql": A, "01-b.sql": A}, "01-b.sql", {"01-a.sql": A, "02-a.sql": A}),
    ("M104", {"01-a.sql": b"-- a\nSELECT '\xe4';\n"}, "01-a.sql:2", {"01-a.sql": "-- a\nSELECT 'ä';\n"}),
    ("M104", {"01-a.sql": b"\xef\xbb\xbf" + A.encode()}, "01-a.sql:1", {"01-a.sql": A.replace("\n", "\r\n")}),
    ("M104", {"01-a.sql": b"-- a\n\0SELECT 1;\n"}, "01-a.sql:2", {"01-a.sql": A}),
]  # fmt: skip


@pytest.mark.parametrize(("code", "bad", "at", "good"), ON_DISK)
def test_rules_on_files(
    tmp_path: Path, code: str, bad: dict[str, bytes | str], at: str, good: dict[str, bytes | str]
) -> None:
    """A file that violates a rule is reported by its path, and a similar one that is correct is not."""
    findings = [finding for finding in lint_files([write(tmp_path / "bad", bad)]) if finding.code == code]
    shown = [f"{finding.place.path}:{finding.place.line}".removesuffix(":0") for finding in findings]
    assert shown == [str(tmp_path / "bad" / at)]
    assert code not in {finding.code for finding in lint_files([write(tmp_path / "good", good)])}


PURPOSES = LintSettings(purposes={(1, 1): "extensions", (2, 2): "tables", (3, 3): "indexes", (4, 4): "constraints"})
TABLES = """CREATE TYPE k AS ENUM ('a');
CREATE TABLE t (a k);
COMMENT ON TABLE t IS 'x';
INSERT INTO t VALUES ('a');
ALTER TABLE t ADD CONSTRAINT p PRIMARY KEY (a);
COMMENT ON CONSTRAINT p ON t IS 'x';
GRANT SELECT ON t TO r;"""
BELONGING_TEXTS: tuple[str, ...] = (
    "CREATE EXTENSION pg_trgm;",
    TABLES,
    "CREATE INDEX i ON t (a);\nCOMMENT ON INDEX i IS 'x';",
    "ALTER TABLE t ADD CONSTRAINT c CHECK (a IS NOT NULL);",
)


def test_what_belongs_to_a_purpose_is_not_reported() -> None:
    """Types, comments, first rows, keys and privileges belong to tables, and comments to indexes."""
    assert places(lint_texts(BELONGING_TEXTS, PURPOSES), "M107") == []


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (1, "CREATE TABLE u (a int);"),
        (2, "CREATE INDEX j ON t (a);"),
        (2, "CREATE EXTENSION pgcrypto;"),
        (2, "ALTER TABLE elsewhere ADD CONSTRAINT c CHECK (true);"),
        (2, "COMMENT ON CONSTRAINT c ON elsewhere IS 'x';"),
        (3, "CREATE TABLE u (a int);"),
        (3, "ALTER TABLE t ADD CONSTRAINT d CHECK (true);"),
        (4, "CREATE INDEX j ON t (a);"),
        (4, "ALTER TABLE t ADD COLUMN b int;"),
    ],
)
def test_what_does_not_belong_is_reported(number: int, text: str) -> None:
    """A statement of another purpose is reported at its line."""
    texts = list(BELONGING_TEXTS)
    texts[number - 1] = f"{texts[number - 1]}\n{text}"
    assert places(lint_texts(texts, PURPOSES), "M107") == [f"{number}:{len(texts[number - 1].splitlines())}"]


def test_the_name_is_the_purpose_without_settings(tmp_path: Path) -> None:
    """Without settings, a module named …-indexes is for indexes, and a module with another name for anything."""
    text = "-- a\nCREATE TABLE t (a int);\nCREATE INDEX i ON t (a);\n"
    write(tmp_path, {"01-all.sql": text, "02-init-indexes.sql": text.replace(" t ", " u ")})
    (finding,) = [finding for finding in lint_files([tmp_path]) if finding.code == "M107"]
    assert (Path(finding.place.path).name, finding.place.line) == ("02-init-indexes.sql", 2)


def test_a_single_module_is_linted_with_the_others(tmp_path: Path) -> None:
    """Only the named file has findings, but what the other modules of its directory create exists."""
    write(tmp_path, {"01-a.sql": "CREATE TABLE t (a timestamp);", "02-b.sql": "-- b\nCOMMENT ON TABLE t IS 'x';"})
    assert lint_files([tmp_path / "02-b.sql"]) == []
    assert {finding.code for finding in lint_files([tmp_path / "01-a.sql"])} == {"M106", "M506"}


def test_a_path_without_sql_is_an_error(tmp_path: Path) -> None:
    """A path that does not exist and a directory without SQL are errors, not free of findings."""
    with pytest.raises(InfraError, match="no such file or directory"):
        lint_files([tmp_path / "nowhere"])
    with pytest.raises(InfraError, match="no SQL files"):
        lint_files([tmp_path])


def test_many_modules_are_linted_quickly(tmp_path: Path) -> None:
    """A hundred modules of five tables take less than ten seconds."""
    directory = write(tmp_path, dict(generated_modules(100)))
    started = time.monotonic()
    findings = lint_files([directory])
    assert time.monotonic() - started < 10
    assert {finding.code for finding in findings} == {"M304", "M305", "M510"}


@pytest.mark.full
def test_time_grows_in_proportion_to_rows() -> None:
    """Ten times the rows take about ten times as long, not a hundred times, and every statement is linted."""
    insert = "INSERT INTO t VALUES (1, 'a text; with (', '" + "x" * 400 + "');\n"

    def seconds(rows: int) -> float:
        started = time.process_time()
        findings = lint_texts(["-- a\nCREATE TABLE t (a int, b text, c text);\n" + insert * rows])
        assert len(places(findings, "M511")) == rows
        return time.process_time() - started

    small = seconds(2_000)  # more than is parsed at once, like the large number
    assert seconds(20_000) < 30 * small + 1


def test_standard_input_is_linted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The path - is standard input, which is linted like a file except for its name."""
    monkeypatch.chdir(tmp_path)  # where no lint.yaml ignores anything
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"-- a\nCREATE TABLE t (a json);\n")))
    (finding,) = lint_files([Path("-")])
    assert (finding.code, str(finding.place)) == ("M507", "-:2:19")


def test_the_page_shows_what_lint_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first block of output in docs/lint.md is exactly what lint prints for a table that is used too early."""
    page = ROOT.joinpath("docs/lint.md").read_text(encoding="utf-8")
    shown = re.search(r"^```\n(sql/.*?)^```$", page, re.MULTILINE | re.DOTALL)
    early = """-- Content: documents.
CREATE TABLE documents (
  id        bigint CONSTRAINT documents_pkey PRIMARY KEY,
  corpus_id bigint CONSTRAINT documents_corpus
    REFERENCES corpora (id) ON DELETE NO ACTION
);
CREATE INDEX documents_by_corpus ON documents (corpus_id);
"""
    late = "-- Demo: corpora.\nCREATE TABLE corpora (id bigint CONSTRAINT corpora_pkey PRIMARY KEY);\n"
    write(tmp_path, {"sql/01-init-content.sql": early, "sql/02-init-demo.sql": late})
    monkeypatch.chdir(tmp_path)
    assert shown
    assert as_text(lint_files([Path("sql")])) == shown[1]
