"""What a plain `pulumi preview` says, without --diff, and that `up` then does it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.program.project import Project

pytestmark = pytest.mark.full

LINES = "".join(f"-- line {number} of a long comment\n" for number in range(4000))
LARGE = f"{LINES}CREATE TABLE large (id integer NOT NULL) PARTITION BY RANGE (id);\n"
BY_HAND = """
CREATE TABLE large_1 PARTITION OF large FOR VALUES FROM (0) TO (10);
CREATE SEQUENCE counted OWNED BY large.id;
INSERT INTO large VALUES (1), (2), (3);
"""


def plain(project: Project) -> str:
    """Return what a preview prints that has to succeed."""
    done = project.verb("preview")
    assert done.status == 0, done.text
    return done.text


def test_a_large_module_has_its_changed_lines_and_a_removed_one_what_goes_with_it(project: Project) -> None:
    """More than 64 KiB are compared line by line; of a file that goes, rows and parts that somebody made are named."""
    assert len(LARGE) > 65_536
    project.add("sql/09-large.sql", LARGE)
    project.up()
    project.edit("sql/09-large.sql", "-- line 2000 of", "-- line 2000, edited, of")
    text = plain(project)
    assert "+-- line 2000, edited, of a long comment" in text
    assert "-- line 2100 of" not in text
    project.up()
    project.admin(f"SET ROLE app_db_owner; {BY_HAND}")
    (project.folder / "sql/09-large.sql").unlink()
    text = plain(project)
    print(text)
    assert "warning: `up` will lose 3 rows in app_db:" in text
    assert "drop 09-large: its file was removed" in text
    assert "- table public.large" in text
    assert "large_1 3" in text
    made = ("table public.large_1", "sequence public.counted")
    assert all(part in text for part in made), text
    text = project.up()
    print(text)
    assert "dropped with it, made by no module: " in text
    assert all(part in text for part in made), text
    assert project.tables("large") == project.tables("large_1") == []


def test_the_order_is_that_of_the_settings_in_every_run(project: Project) -> None:
    """Databases in which other things happen are one after the other as the settings name them."""
    names = ["app_db", "zebra", "aardvark"]
    project.configure(databases=names)
    project.up()
    for name in names:
        project.admin(f"CREATE TABLE by_hand_{name} (id integer)", database=name)
    texts = {shown(plain(project)) for _ in range(3)}
    assert len(texts) == 1
    (text,) = texts
    assert re.findall(r"^    (\w+):$", text, re.MULTILINE) == names, text


MODELS = """
from sqlalchemy import MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

class Base(DeclarativeBase):
    metadata = MetaData()

class Note(Base):
    __tablename__ = "notes"
    id: Mapped[int] = mapped_column(primary_key=True)
    text: Mapped[str] = mapped_column(Text)
"""


def test_an_edited_model_is_a_line_in_the_preview_until_its_modules_are_generated(project: Project) -> None:
    """The preview says nothing of it otherwise: a module that was not generated again is unchanged."""
    project.add("notes.py", MODELS)
    project.add("sql/modules.yaml", "models: [notes]\n")
    generate = ("-m", "infra", "generate")
    assert project.run_python(*generate).status == 0
    project.up()
    line = "sql/02-notes.sql: not what the models generate"
    assert line not in plain(project)
    project.edit("notes.py", "    text: Mapped", "    more: Mapped[int]\n    text: Mapped")
    text = plain(project)
    assert text.partition("Diagnostics:")[2].count(line) == 1, text
    assert "to update" not in text
    assert project.run_python(*generate).status == 0
    text = plain(project)
    assert line not in text
    assert "rebuild 02-notes" in text


def shown(text: str) -> str:
    """Return what SchemaPlan shows in a preview."""
    return text.partition("(schema-plan):")[2].partition("Outputs:")[0]
