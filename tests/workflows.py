"""The steps of this project's workflows, with the values that a runner fills in for their expressions."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

import yaml

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path


class RunStep(NamedTuple):
    """A step that runs something: its job, its script, and its variables."""

    job: str
    run: str
    variables: Mapping[str, str]


def steps(path: Path, context: Mapping[str, str]) -> Iterator[RunStep]:
    """Yield the steps of a workflow that run something; `context` has the value of each expression by its text."""
    for job, content in yaml.safe_load(path.read_text("utf-8"))["jobs"].items():
        for step in content["steps"]:
            if "run" in step:
                variables = {name: _filled_in(str(text), context) for name, text in step.get("env", {}).items()}
                yield RunStep(job, step["run"], variables)


def _filled_in(text: str, context: Mapping[str, str]) -> str:
    return re.sub(r"\$\{\{ (.+?) \}\}", lambda expression: context[expression[1]], text)
