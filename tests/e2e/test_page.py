"""The web page, in a real browser, through the ingress; used by keyboard alone."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium.webdriver.common.keys import Keys

from tests.e2e import media
from tests.e2e.browser import Page, open_browser
from tests.e2e.release import Account, Release

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}


@pytest.fixture
def page(release: Release, tmp_path: Path) -> Iterator[Page]:
    """A browser; nothing that a test does not provoke may be in its console, a breach of the page's policy least."""
    with open_browser(release.url, release.host, tmp_path) as page:
        yield page
        assert page.complaints() == []


def test_from_login_to_logout(page: Page, account: Account, tmp_path: Path) -> None:
    video = media.make_video(tmp_path / "Größe & Maß.mp4", 60)
    page.open()
    page.log_in(account)
    assert page.focused == "Video or sound file"
    assert "There are none yet." in page.text("#account")

    page.choose_file(video)
    page.tab_to("Class")
    page.press("speech")
    page.tab_to("Upload")
    page.press(Keys.ENTER)
    page.wait(lambda: page.text("li h3") == "Größe & Maß.mp3", "the conversion is in the list")
    assert page.focused == "Video or sound file"
    page.tab_to("Delete Größe & Maß.mp3")
    page.wait(lambda: page.text("li .phase") == "Succeeded", "the conversion has succeeded", seconds=120)
    assert page.focused == "Delete Größe & Maß.mp3", "what the list shows anew takes nobody's place"
    page.await_message("Größe & Maß.mp3", "ready")
    assert page.text("li .detail").startswith("1:00, ")
    assert page.text("li .kept").startswith("Kept until ")

    page.tab_to("Download Größe & Maß.mp3")
    page.press(Keys.ENTER)
    codec, duration = media.probe(page.await_download("Größe & Maß.mp3")).split(",")
    assert (codec, float(duration)) == ("mp3", pytest.approx(60, abs=0.1))

    page.tab_to("Delete Größe & Maß.mp3")
    page.press(Keys.ENTER)
    page.driver.switch_to.alert.accept()
    page.wait(lambda: "There are none yet." in page.text("#account"), "the conversion is gone", seconds=60)

    page.open()
    assert page.text("#account"), "a reload keeps the login"
    page.tab_to("Log out")
    page.press(Keys.ENTER)
    page.await_message("logged out")
    assert (page.text("#account"), page.focused) == ("", "Email")
    page.open()
    assert page.text("#account") == "", "a reload does not bring it back"


def test_a_wrong_password_is_told_and_can_be_mended(page: Page, account: Account) -> None:
    page.expected.append("/login - Failed to load resource: the server responded with a status of 401")
    page.open()
    page.press(account.email, Keys.TAB, "not the password", Keys.ENTER)
    page.await_message("password")
    assert page.text("#account") == ""
    # What was wrong is selected: typing replaces it.
    assert page.focused == "Password"
    page.press(account.password, Keys.ENTER)
    page.wait(lambda: page.text("#account"), "the account's own part of the page")
    assert page.text("#message") == ""


def test_the_emails_link_leads_to_the_download(page: Page, release: Release, account: Account, tmp_path: Path) -> None:
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    release.upload(account, media.make_video(tmp_path / "linked.mp4", 3))
    [email] = release.await_emails(account.email)
    link = next(word for word in email["text"].split() if word.startswith("http") and "/download?fid=" in word)
    page.open(f"/download?{urlsplit(link).query}")
    assert page.text("#message") == "Log in to download your mp3."
    page.log_in(account)
    assert media.probe(page.await_download("linked.mp3")).startswith("mp3,3")
    page.await_message("linked.mp3", "downloaded")
    assert page.driver.current_url == f"{page.url}/"
    width = page.driver.execute_script("return document.documentElement.scrollWidth")
    assert width == PHONE["width"]


def test_an_ended_login_is_told(page: Page, account: Account) -> None:
    page.expected.append("Failed to load resource: the server responded with a status of 401")
    page.open()
    page.log_in(account)
    page.driver.execute_script("sessionStorage.setItem('token', 'no longer valid')")
    page.open()
    page.await_message("Your login has expired. Log in again.")
    page.log_in(account)
