"""What the short-lived processes do about garbage."""

from __future__ import annotations

import subprocess
import sys


def _said(program: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_the_program_looks_for_no_garbage() -> None:
    """Neither while it runs nor at its end: what there is then is out of the collector's sight."""
    assert _said(
        "import atexit, gc; from infra.sdk_tuning import collect_none;"
        "atexit.register(lambda: print(gc.isenabled(), gc.get_freeze_count() > 1000));"
        "collect_none()"
    ) == ["False", "True"]


def test_the_host_looks_through_what_is_new() -> None:
    """It may live long: what was there when the first provider was made is left alone, the rest is not."""
    assert _said(
        "import gc; from infra.sdk_tuning import collect_what_is_new;"
        "collect_what_is_new(); before = gc.get_freeze_count(); kept = [[] for _ in range(500)];"
        "collect_what_is_new(); print(gc.isenabled(), before > 1000, gc.get_freeze_count() == before)"
    ) == ["True", "True", "True"]
