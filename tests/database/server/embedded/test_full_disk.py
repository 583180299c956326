"""The disk with the data is full: a creation says so and leaves nothing, a removal frees the space."""

from __future__ import annotations

import subprocess
import tempfile
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.resources.base import text_of
from infra.server.embedded import cluster
from tests.database.server.conftest import PLACE, make_spec, remove_place

if TYPE_CHECKING:
    from collections.abc import Generator


@contextmanager
def disk(megabytes: int) -> Generator[Path]:
    """Yield a directory that is a disk of its own; skip where none can be mounted."""
    directory = Path(tempfile.mkdtemp(prefix="platform-postgres-disk-", dir=PLACE)).resolve()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=755", "tmpfs", str(directory)]
    result = subprocess.run(mount, check=False, capture_output=True, text=True)
    if result.returncode != 0:
        directory.rmdir()
        pytest.skip(f"a small disk cannot be mounted here: {result.stderr.strip()}")
    place = directory / "place"
    place.mkdir(mode=0o755)
    try:
        yield place
    finally:
        if place.exists():
            remove_place(place)
        subprocess.run(["umount", "--lazy", str(directory)], check=True)
        directory.rmdir()


def fill(place: Path) -> Path:
    """Write a file beside the servers until nothing more fits."""
    filler = place.parent / "filler"
    with filler.open("wb") as file:
        while True:
            try:
                file.write(bytes(1 << 16))
                file.flush()
            except OSError:
                return filler


@pytest.mark.parametrize("megabytes", [8, 44, 52, 60])
def test_a_creation_without_room_is_one_sentence_and_leaves_nothing(megabytes: int) -> None:
    """Whether the programs, initdb or the server itself did not fit: the disk is as it was, nothing is a defect."""
    with disk(megabytes) as place:
        spec = make_spec(place / "root")
        with pytest.raises((InfraError, OSError)) as caught:
            cluster.create(spec)
        text = text_of(caught.value)
        assert "No space left on device" in text, text
        assert "a defect" not in text
        assert not spec.layout.base.exists()


def test_a_removal_frees_a_full_disk() -> None:
    """No byte is free any more; the server is removed with its data all the same."""
    with disk(300) as place:
        spec = make_spec(place / "root")
        cluster.create(spec)
        filler = fill(place)
        cluster.destroy(spec.layout.base, owner=spec.owner)
        assert not spec.layout.base.exists()
        filler.unlink()
