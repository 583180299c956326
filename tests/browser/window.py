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
    """A window that opens pages and acts on them; it has the types that Selenium's own methods lack."""

    def __init__(self, chrome: Chrome) -> None:
        self.chrome = chrome
        self._driver = cast("Any", chrome)

    def open(
        self, page: Path | str, *, width: int = 1400, height: int = 1000, dark: bool = False, media: str = ""
    ) -> Window:
        """Open a page with a size of the window, a preference for dark or light, and a medium (screen or print)."""
        measures = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self._driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", measures)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": media, "features": [scheme]})
        self.chrome.get("about:blank")
        self.chrome.get(page if isinstance(page, str) else page.as_uri())
        return self

    def evaluate(self, script: str, *arguments: object) -> Any:  # noqa: ANN401 (whatever the script returns)
        """Run a script in the page and return its value."""
        return self._driver.execute_script(script, *arguments)

    def wait_for(self, script: str, *arguments: object, seconds: int) -> Any:  # noqa: ANN401 (see evaluate)
        """Run a script that calls its last argument with its value when it has ended, and return that value."""
        self.chrome.set_script_timeout(seconds)
        return self._driver.execute_async_script(script, *arguments)

    def load(self, script: str) -> None:
        """Run a script as if it were part of the page."""
        self._driver.execute_cdp_cmd("Runtime.evaluate", {"expression": script})

    def press(self, *keys: str) -> None:
        """Press keys in the element that has the focus."""
        ActionChains(self.chrome).send_keys(*keys).perform()

    def find(self, selector: str) -> WebElement:
        """Return the first element that matches a CSS selector."""
        return self.chrome.find_element(By.CSS_SELECTOR, selector)

    def attribute(self, selector: str, name: str) -> str:
        """Return an attribute or property of the first element that matches a CSS selector."""
        return str(cast("Any", self.find(selector)).get_attribute(name))

    @property
    def anchor(self) -> str:
        """Return the fragment of the address."""
        return unquote(self.chrome.current_url.partition("#")[2])

    def console_messages(self) -> list[dict[str, Any]]:
        """Return the messages of the console since the last call."""
        return self._driver.get_log("browser")
