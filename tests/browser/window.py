"""A window of headless Chromium, as tests use it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote

from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

if TYPE_CHECKING:
    from pathlib import Path

    from selenium.webdriver import Chrome
    from selenium.webdriver.remote.webelement import WebElement


class Window:
    """Opens pages, asks and uses them; what the driver's own types leave open is closed here."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome
        self._driver = cast("Any", chrome)

    def open(
        self, page: Path | str, *, width: int = 1400, height: int = 1000, dark: bool = False, media: str = ""
    ) -> Window:
        """Open a page in a window of a size, for somebody who prefers dark or light, on a screen or on paper."""
        measures = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        self.chrome.get("about:blank")
        self.chrome.get(page if isinstance(page, str) else page.as_uri())
        return self

    def ask(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 (whatever the script returns)
        """Run a script in the page and give what it returns."""
        return self._driver.execute_script(script, *arguments)

    def wait_for(self, script: str, *arguments: object, seconds: int) -> Any:  # noqa: ANN401 (see ask)
        """Run a script that calls its last argument when it is done, and give what it says."""
        self.chrome.set_script_timeout(seconds)
        return self._driver.execute_async_script(script, *arguments)

    def load(self, script: str) -> None:
        """Run a script as if the page had it itself."""
        self._driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script})

    def press(self, *keys: str) -> None:
        """Type on the keyboard, wherever the focus is."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def find(self, selector: str) -> WebElement:
        """Give the first element that a CSS selector means."""
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def attribute(self, selector: str, name: str) -> str:
        """Give an attribute or property of an element."""
        return str(cast("Any", self.find(selector)).get_attribute(name))

    @property
    def anchor(self) -> str:
        """Give the anchor in the address."""
        return unquote(self.chrome.current_url.partition("#")[2])

    def complaints(self) -> list[dict[str, Any]]:
        """Give what the console has said since the last time."""
        return self._driver.get_log("browser")
