"""The files of pictures and documents of a schema, from its SQL modules on."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from infra.schema_docs import schema_files
from tests.fixture_schema import SQL, shop
from tests.infra_command import run_command

pytestmark = pytest.mark.database

ROOT = Path(__file__).parents[3]

FIRST = """\
-- People, & <b>their</b> things.
CREATE TABLE "People" (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    "full name" varchar(80) COLLATE "C" DEFAULT 'A
comment ''x''' NOT NULL,
    upper_name text GENERATED ALWAYS AS (upper("full name")) STORED,
    boss bigint REFERENCES "People" ON DELETE SET NULL,
    price numeric(10, 2)[] DEFAULT '{}',
    CONSTRAINT positive CHECK (boss > 0)
);
COMMENT ON TABLE "People" IS '<script>hurt=1</script> | it''s
two lines';
COMMENT ON COLUMN "People"."full name" IS E'back\\\\slash `code` *star*';
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE VIEW names AS SELECT "full name" FROM "People";
"""
SECOND = """\
CREATE SCHEMA shop;
CREATE TABLE shop.things (
    owner bigint NOT NULL REFERENCES public."People",
    day date NOT NULL,
    feeling public.mood,
    PRIMARY KEY (owner, day)
) PARTITION BY RANGE (day);
CREATE TABLE shop.parts (owner bigint, day date, FOREIGN KEY (owner, day) REFERENCES shop.things);
CREATE INDEX lower_names ON public."People" (lower("full name")) WHERE boss IS NULL;
ALTER TABLE public."People" ADD COLUMN favourite date;
ALTER TABLE public."People" ADD FOREIGN KEY (boss, favourite) REFERENCES shop.things;
"""


@pytest.fixture(scope="module")
def awkward_schema(tmp_path_factory: pytest.TempPathFactory) -> schema_files.BuiltSchema:
    """Return the schema of two modules with quoted names, markup, generated columns, partitions and a second schema."""
    directory = tmp_path_factory.mktemp("sql")
    (directory / "01-first.sql").write_text(FIRST, encoding="utf-8")
    (directory / "02-second.sql").write_text(SECOND, encoding="utf-8")
    return schema_files.build_schema(directory)


@pytest.mark.parametrize("command", ["diagram", "docs"])
def test_a_second_run_gives_the_same_files(command: str, tmp_path: Path) -> None:
    """Files that a run has written are current for the next one, byte for byte."""
    for check in ([], ["--check"]):
        arguments = [command, *check, "--directory", str(SQL), "--output", str(tmp_path)]
        result = run_command(*arguments)
        assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == ""


def test_outdated_files_are_named_and_then_written(
    tmp_path: Path,
) -> None:
    """--check names the files that differ and exits 1; a run writes them, removes old ones, and keeps other files."""
    output = tmp_path / "out"
    arguments = ("diagram", "--directory", str(SQL), "--output", str(output))
    assert run_command(*arguments).returncode == 0
    outdated = output / "schema.svg"
    outdated.write_text(outdated.read_text(encoding="utf-8").replace("customers", "clients"), encoding="utf-8")
    (output / "09-old.svg").write_text(f"<!-- {schema_files.DIAGRAMS.words} -->\n", encoding="utf-8")
    (output / "own.svg").write_text("<svg/>\n", encoding="utf-8")
    (output / "02-init-customers.mmd").unlink()
    shown = run_command(*arguments, "--check")
    assert shown.returncode == 1
    names = ["02-init-customers.mmd: outdated", "09-old.svg: no longer generated", "schema.svg: outdated"]
    assert shown.stdout == "".join(f"{output}/{name}\n" for name in names)
    assert shown.stderr == "files differ from what the modules create; run: python -m infra diagram\n"
    assert run_command(*arguments).returncode == 0
    assert not (output / "09-old.svg").exists()
    assert (output / "own.svg").exists()
    assert run_command(*arguments, "--check").returncode == 0


def test_the_pictures_are_complete(awkward_schema: schema_files.BuiltSchema) -> None:
    """Every table, column, type and foreign key is in the picture of its module and in that of the whole schema."""
    files = schema_files.diagram_files(awkward_schema)
    assert sorted(files) == sorted(
        f"{name}.{kind}" for name in ("schema", "01-first", "02-second") for kind in ("svg", "mmd")
    )
    texts = {
        name: [text.text for text in ET.fromstring(files[f"{name}.svg"]).iter() if text.text]
        for name in ("schema", "02-second")
    }
    for text in ('"People"', '"full name"', "varchar(80)", "numeric(10,2)[]", "shop.things", "mood", "shop.parts"):
        assert {text, f"public.{text}"} & {*texts["schema"]}, text
    assert "upper_name" not in texts["02-second"]
    description = ET.fromstring(files["schema.svg"]).findtext("{http://www.w3.org/2000/svg}desc")
    assert description
    links = description.partition("Foreign keys: ")[2].rstrip(".").split("; ")
    assert sorted(links) == [
        '"People" (boss) → "People" (id) ON DELETE SET NULL',
        '"People" (boss, favourite) → shop.things (owner, day)',
        "shop.parts (owner, day) → shop.things (owner, day)",
        'shop.things (owner) → "People" (id)',
    ]


def test_the_documents_are_complete(awkward_schema: schema_files.BuiltSchema, tmp_path: Path) -> None:
    """Columns, defaults, comments, constraints and other objects are described by module, and escaped."""
    files = schema_files.document_files(awkward_schema, shop().models, output=tmp_path)
    page = files["schema.html"]
    assert "<script>hurt" not in page
    assert "&lt;script&gt;hurt=1&lt;/script&gt; | it&#39;s\ntwo lines" in page
    assert "People, &amp; &lt;b&gt;their&lt;/b&gt; things." in page
    document = files["schema.md"]
    assert '| <a id="~22~People~22~:~22~full~20~name~22~"></a>`"full name"` | `varchar(80) collate "C"`' in document
    assert "`'A comment ''x'''::character varying`" in document
    assert "back\\\\slash \\`code\\* \\*star\\*" not in document
    assert r"back\\slash \`code\` \*star\*" in document
    assert '`generated always as (upper(("full name")::text)) stored`' in document
    assert "`partition by RANGE (day)`" in document
    assert re.search(r"lower_names` \| `btree \(lower\(\(\"full name\"\)::text\)\) WHERE .* \| 02-second \|", document)
    assert "`enum`" not in document
    assert "| `mood` | enum |" in document
    assert "| `names` | view |" in document
    for line in (FIRST + SECOND).splitlines():
        if match := re.match(r"    (\w+|\"[^\"]+\") \w", line):
            assert match[1] in document or match[1] in ("CONSTRAINT", "PRIMARY"), line


def document_of(schema: schema_files.BuiltSchema) -> list[str]:
    """Return the lines of the Markdown, with the names of files in place of their temporary paths."""
    text = schema_files.document_files(schema, None, output=ROOT)["schema.md"]
    return re.sub(r"[^\[( ]*/(?=0\d-)", "", text).splitlines()


def test_one_column_changes_few_lines(
    awkward_schema: schema_files.BuiltSchema, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A new column is its row and the numbers of columns; lines of comments before it change no document at all."""
    before = document_of(awkward_schema)
    first_line, _, rest = FIRST.partition("\n")
    commented = f"{first_line}\n\n-- more\n-- lines\n{rest}"
    changed: list[list[str]] = []
    for first in (commented, commented.replace("    price ", "    locale text,\n    price ")):
        directory = tmp_path_factory.mktemp("changed")
        (directory / "01-first.sql").write_text(first, encoding="utf-8")
        (directory / "02-second.sql").write_text(SECOND, encoding="utf-8")
        after = document_of(schema_files.build_schema(directory))
        changed.append([line for line in difflib.ndiff(before, after) if line[:2] in {"- ", "+ "}])
    assert changed[0] == []
    assert len(changed[1]) == 5, changed[1]


def test_documents_link_to_the_project_wherever_the_program_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An installed program describes a project elsewhere: paths begin in the folder where the command runs."""
    monkeypatch.chdir(tmp_path)
    Path("sql").mkdir()
    Path("sql/01-a.sql").write_text("CREATE TABLE a (id integer);\n", encoding="utf-8")
    files = schema_files.document_files(schema_files.build_schema(Path("sql")), None, output=Path("docs/schema"))
    assert "[sql/01-a.sql](../../sql/01-a.sql): 1 column, 1 table." in files["schema.md"]


def test_a_module_that_does_not_run_is_an_error_at_its_line(tmp_path: Path) -> None:
    """PostgreSQL's message is shown with file, line and column, and nothing is written."""
    (tmp_path / "01-a.sql").write_text("-- One.\nCREATE TABLE t (a nosuchtype);\n", encoding="utf-8")
    result = run_command("diagram", "--directory", str(tmp_path), "--output", str(tmp_path / "out"))
    assert result.returncode == 1
    assert '01-a.sql:2:19: type "nosuchtype" does not exist [42704]' in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "out").exists()
