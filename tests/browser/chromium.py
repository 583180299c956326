"""Fixtures of tests that render documents: headless Chromium, and Mermaid to run in it."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from base64 import b64encode
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.browser.window import Window
from tests.skips import skip_without

if TYPE_CHECKING:
    from collections.abc import Iterator

MERMAID = "11.17.2"  # the last of the major version that GitHub draws with
MERMAID_SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
PARSER = "package/dist/mermaid.min.js"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


@pytest.fixture(scope="session")
def window(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Window]:
    """Yield one window of Chromium for all tests of the process."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        skip_without("Chromium with its driver", "apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ARGUMENTS:
        options.add_argument(argument)
    temporary = {"TMPDIR": str(tmp_path_factory.mktemp("chromium"))}  # where it leaves a folder
    chrome = Chrome(options=options, service=Service(driver, env={**os.environ, **temporary}))
    try:
        yield Window(chrome)
    finally:
        chrome.quit()


@pytest.fixture(scope="session")
def mermaid(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the source of Mermaid in the pinned version, which npm downloads from its registry."""
    if not shutil.which("npm"):
        skip_without("npm", "apt-get install npm")
    folder = tmp_path_factory.mktemp("mermaid")
    command = ["npm", "pack", f"mermaid@{MERMAID}", "--ignore-scripts", "--silent"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if result.returncode:
        skip_without(f"Mermaid {MERMAID}", f"npm must reach its registry ({result.stderr.strip()[:200]})")
    archive_path = folder / f"mermaid-{MERMAID}.tgz"
    assert b64encode(hashlib.sha512(archive_path.read_bytes()).digest()).decode() == MERMAID_SHA512
    with tarfile.open(archive_path) as archive:
        member = archive.extractfile(PARSER)
        assert member
        return member.read().decode()
