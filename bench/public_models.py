"""Generates and checks modules of public models: `python bench/public_models.py airflow.models`.

It runs with the Python of an environment that has the package, and this project's requirements, embedded ones included.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def main(models: list[str]) -> int:
    """Print what `generate`, `lint` and `check` say, how long each took, and how many tables and files there are."""
    status = 0
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "sql").mkdir()
        (root / "Pulumi.yaml").write_text("name: public\n", encoding="utf-8")
        (root / "sql" / "modules.yaml").write_text(f"models: [{', '.join(models)}]\n", encoding="utf-8")
        for command in ("generate", "check"):
            started = time.perf_counter()
            done = subprocess.run(
                [sys.executable, "-m", "infra", command],
                cwd=root,
                env={**os.environ, "PYTHONPATH": str(ROOT)},
                capture_output=True,
                text=True,
                check=False,
            )
            print(done.stdout.strip(), done.stderr.strip(), sep="\n")
            print(f"{command}: exit status {done.returncode}, {time.perf_counter() - started:.1f} s")
            status |= done.returncode
        texts = [path.read_text(encoding="utf-8") for path in root.glob("sql/*.sql")]
        tables = sum(text.count("\nCREATE TABLE ") + text.count("\nCREATE UNLOGGED TABLE ") for text in texts)
        print(f"{tables} tables in {len(texts)} modules, {sum(text.count(chr(10)) for text in texts)} lines")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
