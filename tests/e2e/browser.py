"""A browser without a window, and the web page as somebody before it sees and uses it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

from selenium import webdriver
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.e2e.release import Account, await_value

SECONDS = 30
"""Longer than anything takes that the page does by itself."""

_T = TypeVar("_T")
_NO_TLS = "This file should be served over HTTPS."
"""Said of every download, since the tests' ingress has no certificate."""

_FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--lang=en-GB",
)


@dataclass(frozen=True)
class Page:
    """The gateway's web page in a browser."""

    driver: webdriver.Chrome
    url: str
    """Where the page is, by the gateway's own host name."""

    downloads: Path
    """Where the browser saves files."""

    expected: list[str] = field(default_factory=lambda: [_NO_TLS])
    """Parts of the complaints in the browser's console that a test provokes."""

    def open(self, path: str = "/") -> None:
        """Go to a path of the release, as by a link in an email."""
        self.driver.get(self.url + path)

    def press(self, *keys: str) -> None:
        """Press keys, as on a keyboard: whatever has the focus gets them."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def choose_file(self, path: Path) -> None:
        """Choose a file where the focus is. The dialog for it is the browser's own, and is left out."""
        self.driver.switch_to.active_element.send_keys(str(path))

    @property
    def focused(self) -> str:
        """The name of what has the focus: as a screen reader says it, and never what is typed into it."""
        return self.driver.switch_to.active_element.accessible_name

    def tab_to(self, name: str) -> None:
        """Go on by the tab key until something of this name has the focus."""
        passed = [self.focused]
        while passed[-1] != name:
            assert len(passed) < 30, f"the tab key does not lead to {name!r}, but to {passed}"
            self.press(Keys.TAB)
            passed.append(self.focused)

    def log_in(self, account: Account) -> None:
        """Log in by keyboard; a fresh page waits for the email address."""
        assert self.focused == "Email"
        self.press(account.email, Keys.TAB, account.password, Keys.ENTER)
        self.wait(lambda: self.text("#account"), "the account's own part of the page")

    def text(self, selector: str) -> str:
        """What is to be read there now; "" if nothing."""
        found = self.driver.find_elements("css selector", selector)
        return found[0].text if found else ""

    def await_message(self, *parts: str, seconds: float = SECONDS) -> str:
        """Wait for a message with all these parts; answers it."""
        return self.wait(
            lambda: next((text for text in [self.text("#message")] if all(part in text for part in parts)), None),
            f"a message with {parts}",
            seconds,
        )

    def await_download(self, filename: str) -> Path:
        """Wait until a file of this name is saved, whole."""
        path = self.downloads / filename
        return self.wait(lambda: path if path.exists() else None, f"the browser has saved {filename}")

    def wait(self, look: Callable[[], _T | None], what: str, seconds: float = SECONDS) -> _T:
        """Look until there is something to see; what changes while it is looked at is looked at again."""

        def look_again() -> _T | None:
            try:
                return look()
            except StaleElementReferenceException:
                return None

        return await_value(look_again, seconds=seconds, what=what)

    def complaints(self) -> list[str]:
        """What the browser's console has of errors and warnings that no test provoked."""
        entries: list[dict[str, Any]] = self.driver.get_log("browser")
        said = [entry["message"] for entry in entries if entry["level"] != "INFO"]
        return [message for message in said if not any(part in message for part in self.expected)]


@contextmanager
def open_browser(url: str, host: str, folder: Path) -> Iterator[Page]:
    """A browser that knows nobody, and that finds the gateway at an address by its host name."""
    downloads = folder / "downloads"
    downloads.mkdir()
    address = urlsplit(url)
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    rules = f"--host-resolver-rules=MAP {host} {address.hostname}"
    for flag in (*_FLAGS, rules, f"--user-data-dir={folder / 'profile'}"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"download.default_directory": str(downloads)})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    service = webdriver.ChromeService(executable_path="/usr/bin/chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    try:
        driver.set_page_load_timeout(SECONDS)
        yield Page(driver, f"http://{host}:{address.port}", downloads)
    finally:
        driver.quit()
