"""Reading a directory of numbered SQL files: which are modules, which are ignored, and the messages of a refusal."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from infra.errors import ModuleFileError
from infra.modules.module import Module, ModuleDirectoryError, decode, load_modules


def write(directory: Path, **contents: bytes) -> Path:
    """Write files; in a name `_` stands for the first hyphen, and `.sql` is added."""
    for name, content in contents.items():
        (directory / f"{name.removeprefix('m').replace('_', '-', 1)}.sql").write_bytes(content)
    return directory


def refusal(directory: Path) -> ModuleDirectoryError:
    with pytest.raises(ModuleDirectoryError) as refused:
        load_modules(directory, shown_as="sql")
    return refused.value


def problems(directory: Path) -> list[str]:
    return [str(problem) for problem in refusal(directory).problems]


def test_modules_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    """A module has its number, its name without `.sql`, the path to show and its text; 9 comes before 10 and 100."""
    names = [f"{number:02}-part-{number}" for number in range(1, 101)]
    for name in reversed(names):
        (tmp_path / f"{name}.sql").write_text(f"-- {name}\n", encoding="utf-8")
    assert load_modules(tmp_path, shown_as="sql") == [
        Module(number, name, f"sql/{name}.sql", f"-- {name}\n") for number, name in enumerate(names, 1)
    ]


@pytest.mark.parametrize(
    ("directory", "shown"), [("sql", "sql"), ("sql/", "sql"), ("./a//b/", "a/b"), ("../c", "../c")]
)
def test_a_directory_is_shown_as_it_is_called_without_slashes_to_spare(
    tmp_path: Path, directory: str, shown: str
) -> None:
    """The path to show does not change with a trailing or doubled slash, since it is kept in the stack's state."""
    write(tmp_path, m01_one=b"SELECT 1;\n")
    assert load_modules(tmp_path, shown_as=directory)[0].path == f"{shown}/01-one.sql"


def test_a_directory_is_shown_by_its_own_path_when_no_name_is_given(tmp_path: Path) -> None:
    """Without `shown_as` the path is the directory's."""
    write(tmp_path, m01_one=b"SELECT 1;\n")
    assert load_modules(tmp_path)[0].path == str(tmp_path / "01-one.sql")


@pytest.mark.parametrize("name", ["01-a.sql", "01-a1-b2.sql", "001-a.sql", "0001-0.sql", "01-" + "a" * 200 + ".sql"])
def test_names_of_modules(tmp_path: Path, name: str) -> None:
    """A name is a number of two to four digits, a hyphen, words in small letters and digits, and `.sql`."""
    (tmp_path / name).write_text("SELECT 1;\n", encoding="utf-8")
    assert [module.name for module in load_modules(tmp_path)] == [name.removesuffix(".sql")]


@pytest.mark.parametrize(
    "name",
    [
        "1-a.sql",
        "00001-a.sql",
        "01.sql",
        "01-.sql",
        "01_a.sql",
        "01-a_b.sql",
        "01-A.sql",
        "01-ä.sql",
        "01--a.sql",
        "01-a-.sql",
        "01-a b.sql",
        "01-a.SQL",
        "01-a.sql~",
        "01-a.sql.bak",
        "01-a",
        "a-01.sql",
        "\u0660\u0661-a.sql",
        "01-a.sql\n",
        "README.md",
    ],
)
def test_other_names_are_refused(tmp_path: Path, name: str) -> None:
    """Anything else is refused by name, so that no file is silently left out, with the name on one line."""
    (tmp_path / name).write_text("SELECT 1;\n", encoding="utf-8")
    shown = "'01-a.sql\\n'" if name.endswith("\n") else name
    assert problems(tmp_path) == [
        f"sql/{shown}: is not named like a module; name it NN-lower-case-words.sql or move it elsewhere"
    ]


def test_a_name_that_is_not_utf_8_can_be_printed(tmp_path: Path) -> None:
    """A name of bytes that are no text is shown with escapes, because the message itself has to be text."""
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/01-\xff.sql")).touch()
    (problem,) = problems(tmp_path)
    assert problem.startswith("sql/'01-\\udcff.sql': is not named like a module; ")
    assert problem.encode("utf-8")


def test_hidden_files_are_left_alone(tmp_path: Path) -> None:
    """Names that begin with a dot are no modules: .gitkeep, .01-a.sql.swp, .git."""
    write(tmp_path, m01_one=b"SELECT 1;\n")
    (tmp_path / ".gitkeep").touch()
    (tmp_path / ".01-one.sql.swp").write_bytes(b"\0")
    (tmp_path / ".git").mkdir()
    assert [module.name for module in load_modules(tmp_path)] == ["01-one"]


def test_a_missing_directory_is_refused(tmp_path: Path) -> None:
    """A missing directory is refused in one sentence, with the setting that names it."""
    with pytest.raises(ModuleFileError) as refused:
        load_modules(tmp_path / "nowhere", shown_as="nowhere")
    assert str(refused.value) == (
        "nowhere: cannot be read (No such file or directory); create it or set `modules.directory`"
    )


def test_a_file_in_place_of_the_directory_is_refused(tmp_path: Path) -> None:
    """A file in place of the directory is refused in the same sentence, with the system's reason."""
    (tmp_path / "sql").touch()
    with pytest.raises(ModuleFileError) as refused:
        load_modules(tmp_path / "sql", shown_as="sql")
    assert str(refused.value) == "sql: cannot be read (Not a directory); create it or set `modules.directory`"


def test_an_empty_directory_is_refused(tmp_path: Path) -> None:
    """A directory without a module, hidden files apart, is refused: a schema of nothing is a mistake."""
    (tmp_path / ".gitkeep").touch()
    assert str(refusal(tmp_path)) == (
        "sql: 1 problem with the SQL modules, nothing was run\n  sql: holds no module; add 01-….sql"
    )


def test_a_number_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    """Every module after the first with one number is refused, also when the numbers have different widths."""
    write(tmp_path, m01_one=b"", m02_a=b"", m02_b=b"", m002_c=b"", m03_three=b"")
    assert problems(tmp_path) == [
        "sql/02-a.sql: has the number of 002-c.sql; give each module a number of its own",
        "sql/02-b.sql: has the number of 02-a.sql; give each module a number of its own",
    ]


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        (["02"], ["sql/02-x.sql: leaves out number 01"]),
        (["01", "03"], ["sql/03-x.sql: leaves out number 02"]),
        (["01", "04", "06"], ["sql/04-x.sql: leaves out numbers 02 to 03", "sql/06-x.sql: leaves out number 05"]),
        (["01", "9999"], ["sql/9999-x.sql: leaves out numbers 02 to 9998"]),
    ],
)
def test_a_gap_in_the_numbers_is_refused(tmp_path: Path, numbers: list[str], expected: list[str]) -> None:
    """Numbers count from 01 without a gap; what is left out is named at the module that follows."""
    for number in numbers:
        (tmp_path / f"{number}-x.sql").touch()
    assert problems(tmp_path) == [f"{problem}; number the modules without a gap" for problem in expected]


def test_the_number_zero_is_refused(tmp_path: Path) -> None:
    """Numbers begin with 01; 00 is refused as itself and makes no gap of the rest."""
    write(tmp_path, m00_zero=b"", m01_one=b"")
    assert problems(tmp_path) == ["sql/00-zero.sql: has the number 0; number the modules from 01"]


@pytest.mark.parametrize(
    ("raw", "problem"),
    [
        (b"\xef\xbb\xbfSELECT 1;", ":1:1: begins with a byte order mark; save it as plain UTF-8"),
        ("SELECT 1;".encode("utf-16"), ":1:1: begins with a byte order mark; save it as plain UTF-8"),
        (b"\xfe\xff\0S", ":1:1: begins with a byte order mark; save it as plain UTF-8"),
        ("SELECT 1;\n".encode("utf-16-le"), ":1: holds a NUL byte; save it as UTF-8"),
        (b"SELECT 1;\n\nSELECT '\0';\n", ":3: holds a NUL byte; save it as UTF-8"),
        (b"-- a\n-- b\n-- caf\xe9\n-- \xff", ":3: is not UTF-8 (byte 0xe9); save it as UTF-8"),
        (b"SELECT '\xc3", ":1: is not UTF-8 (byte 0xc3); save it as UTF-8"),
        (b"\r\n\r\n'\xed\xa0\x80'", ":3: is not UTF-8 (byte 0xed); save it as UTF-8"),
    ],
    ids=["UTF-8 mark", "UTF-16 mark", "UTF-16 BE", "UTF-16", "NUL", "Latin-1", "cut short", "surrogate"],
)
def test_text_that_postgresql_would_not_take_is_refused_with_its_line(tmp_path: Path, raw: bytes, problem: str) -> None:
    """A byte order mark, NUL and what is not UTF-8 are refused where they first stand."""
    assert problems(write(tmp_path, m01_one=raw)) == [f"sql/01-one.sql{problem}"]


def test_text_is_given_with_unix_line_ends() -> None:
    """CRLF becomes LF, so that a checkout on Windows has the same digest; a lone CR and all else stay as they are."""
    assert decode("SELECT 'ä\r\n€';\r\n\r-- 😀\r\r\n\ufeff".encode(), "x") == "SELECT 'ä\n€';\n\r-- 😀\r\n\ufeff"


def test_a_directory_or_pipe_among_the_modules_is_refused(tmp_path: Path) -> None:
    """A directory or pipe with the name of a module is refused, without waiting for a writer of the pipe."""
    (tmp_path / "01-one.sql").mkdir()
    os.mkfifo(tmp_path / "02-two.sql")
    assert problems(tmp_path) == [
        "sql/01-one.sql: is not a file; a module is one SQL file",
        "sql/02-two.sql: is not a file; a module is one SQL file",
    ]


def test_a_link_to_a_file_is_a_module_and_a_link_to_nowhere_is_refused(tmp_path: Path) -> None:
    """Links are followed; a broken link and a circle of links are refused as such."""
    (tmp_path / "shared").write_text("SELECT 1;\n", encoding="utf-8")
    directory = tmp_path / "sql"
    directory.mkdir()
    (directory / "01-one.sql").symlink_to("../shared")
    assert [module.text for module in load_modules(directory)] == ["SELECT 1;\n"]
    (directory / "02-two.sql").symlink_to("nowhere")
    (directory / "03-three.sql").symlink_to("03-three.sql")
    remedy = "repair or remove the symbolic link"
    assert problems(directory) == [
        f"sql/02-two.sql: cannot be read (No such file or directory); {remedy}",
        f"sql/03-three.sql: cannot be read (Too many levels of symbolic links); {remedy}",
    ]


@pytest.mark.parametrize("linked", [False, True], ids=["file", "link to a file"])
def test_a_file_that_may_not_be_read_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, linked: bool
) -> None:
    """A file that cannot be read is refused with the system's reason, also if it is the target of a link."""
    if linked:
        (tmp_path / "01-one.sql").symlink_to(__file__)
    else:
        (tmp_path / "01-one.sql").touch()

    def refuse(_path: Path) -> bytes:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "read_bytes", refuse)
    assert problems(tmp_path) == ["sql/01-one.sql: cannot be read (Permission denied); make it readable"]


def test_every_problem_is_in_one_message(tmp_path: Path) -> None:
    """Wrong names, wrong texts, numbers that occur twice and gaps are reported at once, a line each, files in order."""
    write(tmp_path, m01_one=b"\0", m02_two=b"\xff", m02_zwei=b"SELECT 2;", m05_five=b"SELECT 5;")
    (tmp_path / "README.md").touch()
    (tmp_path / "03-three").mkdir()
    refused = refusal(tmp_path)
    assert refused.exit_status == 1
    assert str(refused) == (
        "sql: 6 problems with the SQL modules, nothing was run\n"
        "  sql/01-one.sql:1: holds a NUL byte; save it as UTF-8\n"
        "  sql/02-two.sql:1: is not UTF-8 (byte 0xff); save it as UTF-8\n"
        "  sql/03-three: is not named like a module; name it NN-lower-case-words.sql or move it elsewhere\n"
        "  sql/README.md: is not named like a module; name it NN-lower-case-words.sql or move it elsewhere\n"
        "  sql/02-zwei.sql: has the number of 02-two.sql; give each module a number of its own\n"
        "  sql/05-five.sql: leaves out numbers 03 to 04; number the modules without a gap"
    )
