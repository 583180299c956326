"""The comment on GitHub: written once, edited in place, or only in the summary; against a real HTTP server."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, ClassVar

import pytest

from infra.errors import InfraError
from infra.review.comment import MARK
from infra.review.github import publish

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

TEXT = f"{MARK}\n### a review\n"


class GitHub(BaseHTTPRequestHandler):
    """A stand-in of the API: the comments of pull request 7, of which the first hundred are other people's."""

    comments: ClassVar[list[dict[str, Any]]] = []
    read_only: ClassVar[bool] = False
    calls: ClassVar[list[tuple[str, str, str | None]]] = []

    def do_GET(self) -> None:
        page = int(self.path.rpartition("page=")[2])
        self.answer(200, self.comments[(page - 1) * 100 : page * 100])

    def do_POST(self) -> None:
        self.write({"id": 1000 + len(self.comments), **self.body()})

    def do_PATCH(self) -> None:
        self.write({"id": int(self.path.rpartition("/")[2]), **self.body()})

    def write(self, comment: dict[str, Any]) -> None:
        if self.read_only:
            self.answer(403, {"message": "Resource not accessible by integration"})
            return
        self.comments[:] = [other for other in self.comments if other["id"] != comment["id"]] + [comment]
        self.answer(200, comment)

    def body(self) -> dict[str, Any]:
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def answer(self, status: int, value: object) -> None:
        self.calls.append((self.command, self.path, self.headers["Authorization"]))
        text = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 (the base class's name)
        """Write nothing."""


@pytest.fixture
def job(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[GitHub]]:
    """Set what GitHub Actions sets in a job of pull request 7, with an API of our own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    GitHub.comments[:] = [{"id": number, "body": "well done"} for number in range(100)]
    GitHub.calls.clear()
    GitHub.read_only = False
    event = tmp_path / "event.json"
    event.write_text(json.dumps({"pull_request": {"number": 7}}))
    for name, value in {
        "GITHUB_API_URL": f"http://127.0.0.1:{server.server_port}",
        "GITHUB_REPOSITORY": "shop/platform",
        "GITHUB_EVENT_PATH": str(event),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "GITHUB_TOKEN": "token-of-the-job",
    }.items():
        monkeypatch.setenv(name, value)
    yield GitHub
    server.shutdown()
    thread.join()
    server.server_close()


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
