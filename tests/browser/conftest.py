"""Headless Chromium for tests that look at what is rendered; in CI it has to be there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from base64 import b64encode
from typing import TYPE_CHECKING, NoReturn

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

from tests.browser.window import Window

if TYPE_CHECKING:
    from collections.abc import Iterator

MERMAID = "11.17.2"  # the last of the major version that GitHub draws with
MERMAID_SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
PARSER = "package/dist/mermaid.min.js"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")


def lacks(what: str, remedy: str) -> NoReturn:
    """Skip the test with the reason; in CI, where nothing may be left out unseen, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not there; {remedy}")
    pytest.skip(f"{what} is not there; {remedy}")


@pytest.fixture(scope="session")
def window() -> Iterator[Window]:
    """Give a browser's window for all tests."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        lacks("chromium with chromedriver", "apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = chromium
    for argument in ARGUMENTS:
        options.add_argument(argument)
    chrome = Chrome(options=options, service=Service(driver))
    try:
        yield Window(chrome)
    finally:
        chrome.quit()


@pytest.fixture(scope="session")
def mermaid(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the source of the real Mermaid, from the npm registry through npm, and the one that was pinned."""
    if not shutil.which("npm"):
        lacks("npm", "install Node.js with npm")
    folder = tmp_path_factory.mktemp("mermaid")
    command = ["npm", "pack", f"mermaid@{MERMAID}", "--ignore-scripts", "--silent"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=300)
    if done.returncode:
        lacks(f"mermaid {MERMAID}", f"let npm reach its registry ({done.stderr.strip()[:200]})")
    packed = folder / f"mermaid-{MERMAID}.tgz"
    assert b64encode(hashlib.sha512(packed.read_bytes()).digest()).decode() == MERMAID_SHA512
    with tarfile.open(packed) as archive:
        member = archive.extractfile(PARSER)
        assert member
        return member.read().decode()
