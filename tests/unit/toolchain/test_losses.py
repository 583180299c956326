"""What `make up` and the program have in common about rows that would be lost."""

from __future__ import annotations

import losses

from infra.resources.actions import session


def test_both_name_the_same_variable() -> None:
    """The toolchain runs before anything is installed, and cannot import the program's constant."""
    assert losses.LOSSES == session.LOSSES
