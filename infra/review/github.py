"""The review as one comment of a pull request on GitHub, edited in place, and as the summary of the job.

Everything about the job comes from the variables that GitHub Actions sets; the token is in GITHUB_TOKEN.
"""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from infra.errors import InfraError
from infra.review.comment import MARK

_PLACE = "the comment on GitHub"
_SECONDS = 30
_PAGE = 100
_NOT_ALLOWED = (401, 403, 404)


def publish(text: str) -> str:
    """Write the review into the job's summary, and into its comment; return in a sentence what was done.

    Where the token may not write comments, as for a branch of a fork, only the summary has it. Raises InfraError for a
    job that is not one of a pull request, and for an API that does not answer.
    """
    summary = os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(text)
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_text("utf-8"))
        number = int(event["pull_request"]["number"])
        comments = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/issues"
    except (KeyError, OSError, ValueError):
        raise InfraError("the job is not one of a pull request", place=_PLACE, remedy="leave out --github") from None
    try:
        own = _own_comment(comments, number)
        if own:
            _call("PATCH", f"{comments}/comments/{own}", {"body": text})
            return f"comment {own} was edited"
        _call("POST", f"{comments}/{number}/comments", {"body": text})
    except urllib.error.HTTPError as error:
        if error.code in _NOT_ALLOWED:
            return "the token may not write comments; the job's summary has the review"
        raise InfraError(f"GitHub answered with status {error.code}", place=_PLACE) from None
    except urllib.error.URLError as error:
        raise InfraError(f"GitHub does not answer ({error.reason})", place=_PLACE, remedy="run the job again") from None
    return "a comment was written"


def _own_comment(comments: str, number: int) -> int | None:
    """Return the number of the comment that an earlier run wrote, None for none."""
    page = 1
    while True:
        found = _call("GET", f"{comments}/{number}/comments?per_page={_PAGE}&page={page}")
        for comment in found:
            if str(comment["body"]).startswith(MARK):
                return int(comment["id"])
        if len(found) < _PAGE:
            return None
        page += 1


def _call(method: str, url: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 (JSON)
    if not url.startswith(("https://", "http://127.0.0.1:")):
        raise InfraError("GITHUB_API_URL is not an https address", place=_PLACE)
    request = urllib.request.Request(  # noqa: S310 (checked above)
        url,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={
            "Authorization": f"Bearer {os.environ.get('GITHUB_TOKEN', '')}",
            "Accept": "application/vnd.github+json",
            "Content-Type": "application/json",
        },
    )
    with urllib.request.urlopen(request, timeout=_SECONDS) as response:  # noqa: S310 (checked above)
        return json.loads(response.read() or b"null")
