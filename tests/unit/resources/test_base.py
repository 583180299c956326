"""What all providers share: errors leave as one text, unknown values change nothing, numbers arrive as floats."""

from __future__ import annotations

import sys
import traceback

import psycopg
import pytest
from pulumi.dynamic import CheckResult, ConfigureRequest
from pulumi.output import UNKNOWN

from infra.errors import InfraError, ModuleError, SourcePlace
from infra.postgres.connection.target import Target
from infra.resources.base import Failure, Properties, Provider, changed, is_known, readable_errors, refused, target_of


@readable_errors
def saying(error: BaseException | None) -> str:
    """Return, or raise."""
    if error:
        raise error
    return "done"


def failure(error: Exception) -> Failure:
    with pytest.raises(Failure) as failed:
        saying(error)
    return failed.value


def test_a_verb_that_succeeds_is_itself() -> None:
    """A verb's result, name and sentence stay."""
    assert saying(None) == "done"
    assert (saying.__name__, saying.__doc__) == ("saying", "Return, or raise.")


def test_what_this_program_refuses_is_said_in_its_own_words() -> None:
    """An error of this program's leaves as its text: place, what is wrong, remedy."""
    assert str(failure(InfraError("is wrong", place="x.sql:1:2", remedy="mend it"))) == "x.sql:1:2: is wrong; mend it"
    error = ModuleError("no", sqlstate="42P01", at=SourcePlace("x.sql", 1, 8, "SELECT a"), detail="d", hint="h")
    assert str(failure(error)) == "x.sql:1:8: no [42P01]\n  SELECT a\n         ^\n  detail: d\n  hint: h"


def test_what_the_driver_says_is_said_without_its_type() -> None:
    """An error of PostgreSQL's or of the connection leaves as its text; one without a text as its kind."""
    assert str(failure(psycopg.OperationalError("connection refused\n"))) == "connection refused"
    assert str(failure(psycopg.errors.LockNotAvailable())) == "LockNotAvailable"


def test_anything_else_is_named_as_a_defect() -> None:
    """What nobody foresaw is said to be this program's own fault, with its kind and its text."""
    assert str(failure(KeyError("host"))) == "a defect of platform-postgres: KeyError: 'host'; please report it"


def test_no_traceback_follows_a_failure() -> None:
    """A failure has neither a cause nor a context to show, and is called by its name alone."""
    shown = "".join(traceback.format_exception(failure(InfraError("is wrong"))))
    assert "InfraError" not in shown
    assert shown.endswith("\nFailure: is wrong\n")


def test_an_interruption_passes() -> None:
    """Ctrl-C and the end of the program are not turned into a Failure."""
    for interruption in (KeyboardInterrupt(), SystemExit(3)):
        with pytest.raises(type(interruption)):
            saying(interruption)


def test_a_provider_is_stored_in_the_open_and_shows_no_source_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    """A provider is no secret, so that its resources are not, and the host prints no tracebacks."""
    assert Provider.serialize_as_secret_always is False
    monkeypatch.setattr(sys, "tracebacklimit", 1000, raising=False)
    Provider().configure(ConfigureRequest(config=None))  # pyright: ignore[reportArgumentType] (not looked at)
    assert sys.tracebacklimit == 0


@pytest.mark.parametrize(
    ("value", "known"),
    [
        (None, True),
        ("", True),
        (0.0, True),
        ({}, True),
        ([], True),
        ({"a": [{"b": 1}]}, True),
        (UNKNOWN, False),
        ({"a": UNKNOWN}, False),
        ([1, UNKNOWN], False),
        ({"a": [{"b": UNKNOWN}]}, False),
    ],
)
def test_a_value_is_known_when_nothing_in_it_is_unknown(value: object, known: bool) -> None:  # noqa: FBT001 (a case)
    """An unknown value anywhere inside makes a value unknown."""
    assert is_known(value) is known


def test_properties_change_when_they_are_known_to_differ() -> None:
    """Of the properties asked about, those are named that differ; what a preview does not know yet does not."""
    olds = {"same": 1, "other": 1, "gone": 1, "unknown": 1, "inner": {"a": 1}, "unasked": 1, "none": None}
    news = {"same": 1.0, "other": 2, "new": 1, "unknown": UNKNOWN, "inner": {"a": UNKNOWN}, "unasked": 2}
    names = ("same", "other", "gone", "new", "unknown", "inner", "none")
    assert changed(olds, news, *names) == ["other", "gone", "new"]
    assert changed(olds, news) == []


def test_every_verb_of_a_provider_raises_readable_errors() -> None:
    """A provider's verbs need no decorator; what its `check` refuses becomes a failed check."""

    class Refusing(Provider):
        """Refuses everything."""

        def check(self, _olds: Properties, _news: Properties) -> CheckResult:
            raise InfraError("is wrong", place="here")

        def delete(self, _id: str, _props: Properties) -> None:
            raise InfraError("is wrong", place="there")

    result = Refusing().check({}, {"a": 1})
    assert [(failure.property, failure.reason) for failure in result.failures] == [("", "here: is wrong")]
    with pytest.raises(Failure, match="there: is wrong"):
        Refusing().delete("", {})


def test_a_refusal_hangs_on_no_property() -> None:
    """Pulumi prints the value of the property that a failure hangs on, which may be a secret."""
    result = refused({"password": "hunter2"}, ["a: is wrong", "b: is wrong"])
    assert result.inputs == {"password": "hunter2"}
    assert [(failure.property, failure.reason) for failure in result.failures] == [
        ("", "a: is wrong"),
        ("", "b: is wrong"),
    ]
    assert refused({}, []).failures == []


def test_a_target_is_read_from_properties() -> None:
    """Pulumi's numbers are floats; the rest of the properties is not looked at."""
    properties = {"host": "h", "port": 5432.0, "database": "d", "owner": "o"}
    target = target_of(properties, "u", "p")
    assert target == Target("h", 5432, "d", "u", "p")
    assert str(target) == "u@h:5432/d"
