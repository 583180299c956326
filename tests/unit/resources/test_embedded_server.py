"""What the resource makes of a stack's settings, before any server is asked."""

from __future__ import annotations

from pathlib import Path

from infra.resources.actions.embedded_server import _specification  # pyright: ignore[reportPrivateUsage]
from infra.settings.servers import EmbeddedSettings

PLACE = {"name": "dev-1", "owner": "a stack", "root": "/var/lib/x", "user": "postgres", "password": "p"}


def test_by_default_nobody_in_particular_runs_the_server() -> None:
    """Only root may name another user, so that a default name would keep everybody else from running a server."""
    given = {name: value for name, value in EmbeddedSettings().model_dump().items() if value is not None}
    specification = _specification({**PLACE, **given})
    assert specification.run_as == ""
    assert specification.bin_dir is None
    assert specification.root == Path("/var/lib/x")


def test_a_named_user_runs_it() -> None:
    """A name is taken as it is."""
    given = EmbeddedSettings(run_as="postgres", port=5432).model_dump()
    specification = _specification({**PLACE, **given, "port": 5432.0})
    assert (specification.run_as, specification.port) == ("postgres", 5432)
