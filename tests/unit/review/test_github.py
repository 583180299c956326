"""The comment on GitHub: written once, edited in place, or only in the summary; against a real HTTP server."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest

from infra.errors import InfraError
from infra.review.comment import MARK
from infra.review.github import publish
from tests.github import GitHub, served

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = f"{MARK}\n### a review\n"


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[GitHub]]:
    """Set what GitHub Actions sets in a job of pull request 7, with an API of our own."""
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    with served(100) as address:
        for name, value in {
            "GITHUB_API_URL": address,
            "GITHUB_REPOSITORY": "shop/platform",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
            "GITHUB_TOKEN": "token-of-the-job",
        }.items():
            monkeypatch.setenv(name, value)
        yield GitHub


def test_a_comment_is_written_once_and_then_edited(job: type[GitHub], tmp_path: Path) -> None:
    """Also behind a hundred others; the token is in a header alone, and the summary has every review."""
    assert publish(TEXT) == "a comment was written"
    assert publish(TEXT + "more\n") == "comment 1100 was edited"
    assert [comment["body"] for comment in job.comments[100:]] == [TEXT + "more\n"]
    assert job.calls[0][1].startswith("/repos/shop/platform/issues/7/comments?")
    assert {authorization for _, _, authorization in job.calls} == {"Bearer token-of-the-job"}
    assert (tmp_path / "summary.md").read_text() == TEXT + TEXT + "more\n"


def test_without_the_right_the_summary_has_it(job: type[GitHub], tmp_path: Path) -> None:
    """A job for a branch of a fork may only read."""
    job.read_only = True
    assert publish(TEXT) == "the token may not write comments; the job's summary has the review"
    assert (tmp_path / "summary.md").read_text() == TEXT


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("GITHUB_API_URL", "http://127.0.0.1:1", "GitHub does not answer"),
        ("GITHUB_API_URL", "file:///etc", "is not an https address"),
        ("GITHUB_EVENT_PATH", "/nowhere", "the job is not one of a pull request; leave out --github"),
    ],
)
def test_what_cannot_be_reached_is_one_sentence(
    job: type[GitHub], monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    """An API that is down, a wrong address, a job of another event; the token is in no message."""
    monkeypatch.setenv(name, value)
    with pytest.raises(InfraError, match=re.escape(message)) as caught:
        publish(TEXT)
    assert "token-of-the-job" not in str(caught.value)
    assert not job.calls
