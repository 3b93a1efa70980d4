"""The web page in a real browser, used by keyboard: what needs other classes and Conversions than a release has."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from tests.builders import a_class, a_conversion
from tests.e2e.browser import Page, open_browser
from tests.e2e.release import Account
from tests.integration.gateway.conftest import ALICE, Installation
from video2mp3_contracts.api.names import ANNOTATION_RETRY

PHONE = {"width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": True}
SOMEBODY = Account(ALICE, "a password")
DEFAULT = a_class("default", offered=True, default=True, description="As the source.")
SPEECH = a_class("speech", offered=True, description="Speech: mono.")
MUSIC = a_class("music", offered=True)


@pytest.fixture
def page(restarted: Installation, tmp_path: Path) -> Iterator[Page]:
    """A browser before a gateway that has listed no classes yet; only what a test provokes may be in its console."""
    with open_browser(restarted.gateway.url, "127.0.0.1", tmp_path) as page:
        yield page
        assert page.complaints() == []


def log_in(page: Page) -> None:
    page.open()
    page.log_in(SOMEBODY)


def choice(page: Page) -> Select:
    page.wait(lambda: page.text("#classes"), "the choice of a class")
    return Select(page.driver.find_element(By.ID, "class"))


def upload(page: Page, folder: Path) -> None:
    video = folder / "talk.mp4"
    video.write_bytes(b"a video")
    page.driver.find_element(By.ID, "file").send_keys(str(video))
    page.tab_to("Upload")
    page.press(Keys.ENTER)


def class_names(installation: Installation) -> list[str | None]:
    """Of the Conversions that there are."""
    return [each["spec"].get("className") for each in installation.kubernetes.objects.values()]


def test_a_class_is_chosen_by_keyboard(page: Page, restarted: Installation, tmp_path: Path) -> None:
    restarted.kubernetes.classes += [SPEECH, DEFAULT, MUSIC]
    log_in(page)
    select = choice(page)
    assert [option.text for option in select.options] == ["default · As the source.", "music", "speech · Speech: mono."]
    assert select.first_selected_option.text == "default · As the source."
    assert page.focused == "Video or sound file", "it comes after the file, and takes nobody's place"
    page.tab_to("Class")
    page.press("sp")
    assert select.first_selected_option.text == "speech · Speech: mono."
    upload(page, tmp_path)
    page.await_message("Uploaded.")
    assert class_names(restarted) == ["speech"]
    assert select.first_selected_option.text == "speech · Speech: mono.", "the next one is likely of the same"


def test_a_long_description_does_not_make_the_page_wider_than_a_phone(page: Page, restarted: Installation) -> None:
    page.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    restarted.kubernetes.classes += [DEFAULT, a_class("long", offered=True, description="For lectures. " * 14)]
    log_in(page)
    choice(page)
    assert page.driver.execute_script("return document.documentElement.scrollWidth") == PHONE["width"]


def test_where_no_class_is_the_default_one_the_first_choice_is_none(
    page: Page, restarted: Installation, tmp_path: Path
) -> None:
    restarted.kubernetes.classes += [SPEECH, MUSIC]
    log_in(page)
    assert choice(page).first_selected_option.text == "As usual"
    upload(page, tmp_path)
    page.await_message("Uploaded.")
    assert class_names(restarted) == [None]


@pytest.mark.parametrize("classes", [[], [SPEECH]], ids=["none", "one"])
def test_where_there_is_no_choice_nothing_is_to_be_chosen(
    page: Page, restarted: Installation, tmp_path: Path, classes: list[dict[str, object]]
) -> None:
    restarted.kubernetes.classes += classes
    log_in(page)
    page.wait(lambda: page.driver.find_elements(By.CSS_SELECTOR, "#class option"), "the classes were asked for")
    assert page.text("#classes") == ""
    upload(page, tmp_path)
    page.await_message("Uploaded.")
    assert class_names(restarted) == [None]


def test_a_failed_one_is_tried_again(page: Page, restarted: Installation) -> None:
    objects = restarted.kubernetes.objects
    talk = a_conversion("talk").owned_by(ALICE).with_spec(output={"filename": "talk.mp3"})
    objects["talk"] = talk.failed().document
    objects["good"] = a_conversion("good").owned_by(ALICE).succeeded().document
    log_in(page)
    page.wait(lambda: page.text("li .phase"), "the list")
    page.tab_to("Try again talk.mp3")
    page.press(Keys.ENTER)
    page.await_message("talk.mp3 is tried again.")
    assert page.focused == "Your conversions"
    assert ANNOTATION_RETRY in objects["talk"]["metadata"]["annotations"]
    objects["talk"] = talk.with_status(phase="Queued", reason="Queued").document
    page.wait(lambda: "Failed" not in page.text("#conversions"), "the page looks soon", seconds=10)
    assert "Try again" not in page.text("#conversions")


def test_one_that_has_not_failed_any_more_is_shown_as_it_is(page: Page, restarted: Installation) -> None:
    page.expected.append("the server responded with a status of 409")
    objects = restarted.kubernetes.objects
    objects["talk"] = a_conversion("talk").owned_by(ALICE).failed().document
    log_in(page)
    page.wait(lambda: page.text("li .phase") == "Failed", "the list")
    objects["talk"] = a_conversion("talk").owned_by(ALICE).succeeded().document
    page.tab_to("Try again talk.mp3")
    page.press(Keys.ENTER)
    page.await_message("talk.mp3 is ready.")
    assert page.focused == "Your conversions", "the button that had the focus is gone"
