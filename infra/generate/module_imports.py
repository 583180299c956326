"""Imports Python modules by name, afresh and with their submodules; a failure has the place in the project's files."""

from __future__ import annotations

import importlib
import os
import pkgutil
import sys
import traceback
from contextlib import contextmanager
from inspect import currentframe
from pathlib import Path
from typing import TYPE_CHECKING

from infra.errors import InfraError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator
    from types import ModuleType

_PACKAGES = ("site-packages", "dist-packages")


@contextmanager
def imported_afresh(names: tuple[str, ...]) -> Generator[None]:
    """Forget modules that were imported before, for the block; afterwards they are what they were."""
    before = {name: module for name, module in sys.modules.items() if is_within(name, names)}
    for name in before:
        del sys.modules[name]
    try:
        yield
    finally:
        if before:
            for name in [name for name in sys.modules if is_within(name, names)]:
                del sys.modules[name]
            for name, module in before.items():
                sys.modules[name] = module
                parent, _, child = name.rpartition(".")
                if parent in sys.modules:
                    setattr(sys.modules[parent], child, module)


@contextmanager
def first_in_path(directories: Iterable[str]) -> Generator[None]:
    """Search these directories for modules first, within the block."""
    before = list(sys.path)
    sys.path[:0] = [str(Path(directory).resolve()) for directory in directories]
    try:
        yield
    finally:
        sys.path[:] = before


def is_within(module: str, names: tuple[str, ...]) -> bool:
    """Return whether a module is one of those that are named, or in one of these packages."""
    return any(module == name or module.startswith(f"{name}.") for name in names)


def import_with_submodules(name: str) -> Iterator[ModuleType]:
    """Import a module, and all that are in it where it is a package; raises InfraError with the place of an error."""
    module = _import(name)
    yield module
    for found in pkgutil.iter_modules(getattr(module, "__path__", ())):
        if found.name != "__main__":
            yield from import_with_submodules(f"{name}.{found.name}")


def _import(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except SyntaxError as error:
        place = f"{shown_path(error.filename or name)}:{error.lineno or 0}"
        raise InfraError(f"cannot be imported: {error.msg}", place=place, remedy="correct it") from None
    except ModuleNotFoundError as error:
        if error.name and (name == error.name or name.startswith(f"{error.name}.")):
            remedy = "run the command in the root of the project, or correct `models` or `python_path`"
            raise InfraError(f"there is no Python module {name}", place="models", remedy=remedy) from None
        raise InfraError(
            f"cannot be imported: {error}",
            place=innermost_place(error, name),
            remedy="install it, or correct the import",
        ) from None
    except (Exception, SystemExit) as error:  # noqa: BLE001 (whatever the models' own code raises)
        message = str(error).partition("\n")[0]
        what = f"cannot be imported: {type(error).__name__}{': ' if message else ''}{message}"
        raise InfraError(what, place=innermost_place(error, name), remedy="correct it") from None


def innermost_place(error: BaseException, default: str) -> str:
    """Return the innermost line of an error that is in the project's files, not in those of an installed package."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if not frame.filename.startswith("<") and frame.filename != __file__ and not _is_installed(frame.filename)
    ]
    return f"{shown_path(own[-1].filename)}:{own[-1].lineno}" if own else default


def place_of_caller(outermost: str) -> str:
    """Return the innermost line of the project's files that runs within a function of the caller's, '' for none."""
    frame = currentframe()
    own = frame.f_back.f_code.co_filename if frame and frame.f_back else ""
    while frame is not None and frame.f_code.co_name != outermost:
        path = frame.f_code.co_filename
        if path not in {own, __file__} and not _is_installed(path):
            return f"{shown_path(path)}:{frame.f_lineno}"
        frame = frame.f_back
    return ""


def _is_installed(path: str) -> bool:
    return any(part in _PACKAGES for part in Path(path).parts) or Path(path).is_relative_to(sys.base_prefix)


def shown_path(path: str) -> str:
    """Return a path relative to the working directory, if it is below that and not in an installed package."""
    relative = os.path.relpath(path)
    return path if relative.startswith("..") or _is_installed(path) else relative
