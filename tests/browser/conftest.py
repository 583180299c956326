"""Headless Chromium for tests that look at what is rendered; in CI it has to be there."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
from base64 import b64encode
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MERMAID = "11.17.2"  # the last of the major version that GitHub draws with
MERMAID_SHA512 = "V6K3C8EBdEsPFZXSKMJe6ppQOENxuHARr9GvHX4hh47lAbhMRD9qf4oEK7LoaRQxULMa80/qt5gHO73aCleBBg=="
PARSER = "package/dist/mermaid.min.js"
ARGUMENTS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars")

Size = tuple[int, int]


def lacks(what: str, remedy: str) -> None:
    """Skip the test with the reason; in CI, where nothing may be left out unseen, fail."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{what} is not there; {remedy}")
    pytest.skip(f"{what} is not there; {remedy}")


@pytest.fixture(scope="session")
def browser() -> Iterator[Chrome]:
    """Give a browser for all tests; each sets the size and the colours that it wants with `look`."""
    chromium, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not chromium or not driver:
        lacks("chromium with chromedriver", "apt-get install chromium chromium-driver")
    options = ChromeOptions()
    options.binary_location = str(chromium)
    for argument in ARGUMENTS:
        options.add_argument(argument)
    chrome = Chrome(options=options, service=Service(str(driver)))
    try:
        yield chrome
    finally:
        chrome.quit()


@pytest.fixture
def look(browser: Chrome) -> Callable[..., Chrome]:
    """Give a function that opens a page in a window of a size, for somebody who prefers dark or light."""

    def open_page(page: Path | str, *, size: Size = (1400, 1000), dark: bool = False, media: str = "") -> Chrome:
        measures = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": False}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        browser.get("about:blank")
        browser.get(page.as_uri() if isinstance(page, Path) else page)
        return browser

    return open_page


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
