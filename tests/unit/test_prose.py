"""How the program reads: docstrings in the common form, names that mean one thing, the field's words."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[2]
FOLDERS = ("infra", "models", "platform_postgres", "toolchain", "bench", "examples", "tests")
FILES = {
    str(path.relative_to(ROOT)): ast.parse(path.read_text(encoding="utf-8"))
    for path in [ROOT / "__main__.py", *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))]
}

OPENINGS = "Give|Say|Let|Have|Take|Be|Find out|Know|Tell|Ask|Look|Hand|Bring|Put|Keep"
"""What no docstring of a function begins with: the common form is `Return …`, `Raise …`, `Apply …`."""

WORDS = (
    "outlook glance seen succession lifeline trouble persistently virgin touched patience keeper trampoline strays "
    "plainly undirected teller boundary acceptance removal ownership"
)
"""Words of the former names that puzzled readers; CONTRIBUTING.md and docs/glossary.md have the field's."""

QUALIFIED = (
    "infra/lint/rules/",  # a rule's function is found by its code
    "infra/resources/actions/",  # named after Pulumi's verbs, and always written `actions.create`
)

TWO_MEANINGS = {
    "create": "ledger.create and cluster.create: always written with their module",
    "main": "the entry of a command, as Python names it",
    "Step": "a model of the application (models/) has this name too",
    "Run": "a model of the application (models/) has this name too",
    "Reference": "a model of the application (models/) has this name too",
}
"""Public names that more than one file of infra/ and models/ defines, each with its reason."""


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    """Yield every function and method."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield node


def identifiers(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield every name that a file defines or assigns, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.lineno, node.id
        elif isinstance(node, ast.arg):
            yield node.lineno, node.arg
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.lineno, node.name


def public_names(tree: ast.Module) -> Iterator[str]:
    """Yield the public functions, classes and constants of a file."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [target.id for target in node.targets if isinstance(target, ast.Name)]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        else:
            names = []
        yield from (name for name in names if not name.startswith("_"))


def test_docstrings_open_in_the_common_form() -> None:
    """A function's docstring says what the caller gets, or what is done, by a plain verb."""
    found = [
        f"{file}:{function.lineno} {function.name}"
        for file, tree in FILES.items()
        for function in functions(tree)
        if re.match(rf"({OPENINGS})\b", ast.get_docstring(function) or "")
    ]
    assert found == []


def test_a_loop_variable_is_a_noun() -> None:
    """Nothing is called `one`."""
    found = [f"{file}:{line}" for file, tree in FILES.items() for line, name in identifiers(tree) if name == "one"]
    assert found == []


def test_a_public_name_means_one_thing() -> None:
    """No two files define the same public name, but for the listed ones, all of which are needed."""
    homes: dict[str, list[str]] = defaultdict(list)
    for file, tree in FILES.items():
        if file.startswith(("infra/", "models/")) and not file.startswith(QUALIFIED):
            for name in set(public_names(tree)):
                homes[name].append(file)
    shared = {name: files for name, files in homes.items() if len(files) > 1}
    assert {name: files for name, files in shared.items() if name not in TWO_MEANINGS} == {}


def test_names_use_the_fields_words() -> None:
    """No identifier of the program has one of the words that puzzled readers."""
    word = re.compile(rf"(?:^|_)({'|'.join(WORDS.split())})(?:_|$)", re.IGNORECASE)
    found = [
        f"{file}:{line} {name}"
        for file, tree in FILES.items()
        if file.startswith(("infra/", "toolchain/", "__main__"))
        for line, name in identifiers(tree)
        if word.search(name)
    ]
    assert found == []
