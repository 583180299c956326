"""What Pulumi writes into a log: each error once."""

from __future__ import annotations

from run_pulumi import without_repetitions

MODULE = "pulumi-python:dynamic/postgres:SqlModule shop-06-demo"
ERROR = 'error: sql/06-demo.sql:37:22: type "txet" does not exist [42704]'
PROGRESS = f"""\
Updating (dev):
@ updating....
 ~  {MODULE} updating (0s) [diff: ~text_digest]
 ~  {MODULE} updating (0s) [diff: ~text_digest]; {ERROR}
 ~  {MODULE} **updating failed** [diff: ~text_digest]; {ERROR}
    pulumi:pulumi:Stack shop-dev running error: update failed
    pulumi:pulumi:Stack shop-dev **failed** 1 error
"""
DIAGNOSTICS = f"""\
Diagnostics:
  {MODULE.replace(" ", " (")}):
    {ERROR}
          message          txet,
                           ^
"""


def test_an_error_is_in_the_diagnostics_alone() -> None:
    """The lines of progress lose what the diagnostics repeat with its details; how a resource ended stays."""
    text = "".join(without_repetitions((PROGRESS + DIAGNOSTICS).splitlines(keepends=True)))
    assert text.count("txet") == 2  # the message, and the line of the module below it
    assert f" ~  {MODULE} **updating failed** [diff: ~text_digest]\n" in text
    assert f" ~  {MODULE} updating (0s) [diff: ~text_digest]\n" in text
    assert text.endswith(DIAGNOSTICS)


def test_nothing_is_lost_where_there_are_no_diagnostics() -> None:
    """A run that ends before them has its errors at the end."""
    text = "".join(without_repetitions(PROGRESS.splitlines(keepends=True)))
    assert ERROR in text
    assert "error: update failed" in text


def test_diagnostics_are_passed_on_as_they_are() -> None:
    """What only looks like a line of progress in a message is part of the message."""
    text = DIAGNOSTICS + PROGRESS
    assert "".join(without_repetitions(text.splitlines(keepends=True))) == text
