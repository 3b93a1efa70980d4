"""The classes that are offered, and uploads of a class."""

from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.builders import a_class
from tests.unit.gateway.builders import ALICE, Gateway, a_field, a_file, multipart, problem, token_of
from tests.unit.gateway.fakes import FakeClasses
from tests.unit.gateway.web.test_upload import post_untouchable

Document = dict[str, Any]
MONTH = 30 * 86_400


def with_classes(*documents: Document) -> Gateway:
    return Gateway(classes=FakeClasses(*documents))


def speech(**spec: Any) -> Document:
    return a_class("speech", offered=True, description="For talks.", **spec)


def ask(gateway: Gateway) -> TestResponse:
    return gateway.client.get("/classes", headers=token_of(ALICE))


def test_the_offered_ones_are_told() -> None:
    gateway = with_classes(
        speech(), a_class("default", offered=True, default=True), a_class("inner"), a_class("newer", colour=1)
    )
    assert ask(gateway).json == {
        "classes": [
            {"name": "default", "description": "", "default": True},
            {"name": "speech", "description": "For talks.", "default": False},
        ]
    }


def test_a_cluster_without_any_has_an_empty_list() -> None:
    assert ask(Gateway()).json == {"classes": []}


def test_they_are_told_to_accounts_only() -> None:
    gateway = with_classes(speech())
    assert gateway.client.get("/classes").status_code == 401
    assert gateway.classes.lists == 0


def test_an_api_server_that_is_away() -> None:
    gateway = with_classes(speech())
    gateway.classes.switch.off("all")
    assert problem(ask(gateway))["code"] == "service-unavailable"
    assert problem(gateway.upload(a_file(), query="?class=speech"))["code"] == "service-unavailable"
    assert gateway.stored == []
    assert gateway.upload(a_file()).status_code == 202, "who chooses none needs to know none"


def test_an_upload_of_a_class() -> None:
    gateway = with_classes(speech())
    answer = gateway.upload(a_file(), query="?class=speech")
    assert (answer.status_code, answer.json["className"]) == (202, "speech")
    [conversion] = gateway.conversions.there.values()
    assert conversion.manifest()["spec"]["className"] == "speech"
    listed = gateway.client.get("/conversions", headers=token_of(ALICE)).json["conversions"]
    assert [each["className"] for each in listed] == ["speech"]


def test_an_upload_that_chooses_none_leaves_it_to_the_operator() -> None:
    gateway = with_classes(speech(default=True))
    answer = gateway.upload(a_file())
    assert answer.json["className"] is None
    [conversion] = gateway.conversions.there.values()
    assert "className" not in conversion.manifest()["spec"]


@pytest.mark.parametrize("name", ["", "inner", "Speech", "missing", "../speech", "x" * 5000, "\u202ex"])
def test_one_that_is_not_offered_is_refused_before_the_body(name: str) -> None:
    gateway = with_classes(speech(), a_class("inner"), a_class("default", offered=True))
    headers = multipart() | token_of(ALICE)
    answer = gateway.client.post("/upload", query_string={"class": name}, headers=headers)
    refused = problem(answer)
    assert (answer.status_code, refused["code"]) == (422, "class-not-offered")
    assert refused["errors"] == [{"field": "class", "message": "not offered"}]
    assert refused["offered"] == ["default", "speech"]
    assert "Offered are: default, speech." in refused["detail"]
    assert len(refused["detail"]) < 200
    assert gateway.stored == []


def test_where_none_is_offered_the_words_say_so() -> None:
    refused = problem(Gateway().upload(a_file(), query="?class=speech"))
    assert refused["code"] == "class-not-offered"
    assert refused["offered"] == []
    assert "None is offered here: leave the parameter out." in refused["detail"]


def test_it_is_named_once() -> None:
    answer = with_classes(speech()).upload(a_file(), query="?class=speech&class=speech")
    assert (answer.status_code, problem(answer)["code"]) == (400, "bad-parameter")


def test_without_a_token_nobody_learns_which_there_are() -> None:
    gateway = with_classes(speech())
    assert post_untouchable(gateway, multipart()).status_code == 401
    assert gateway.classes.lists == 0


OPTIONS = a_field("output", '{"encoding": {"cbr": 192}}')
TAGS = a_field("output", '{"filename": "a.mp3", "tags": {"title": "x"}}')


@pytest.mark.parametrize("query", ["?class=speech", ""])
def test_options_that_the_class_keeps_to_itself(query: str) -> None:
    gateway = with_classes(speech(default=True, overrides=["ttlSecondsAfterFinished"]))
    answer = gateway.upload(a_file(), OPTIONS, query=query)
    message = "the class speech decides what the mp3 is like"
    assert (answer.status_code, problem(answer)["code"]) == (422, "invalid-options")
    assert problem(answer)["errors"] == [{"field": "output", "message": message}]
    assert gateway.stored == []
    assert gateway.upload(a_file(), TAGS, query=query).status_code == 202, "its name and tags are always its own"


def test_options_that_do_not_go_with_what_the_class_says() -> None:
    gateway = with_classes(speech(defaults={"output": {"sampleRate": 8000}}))
    refused = problem(gateway.upload(a_file(), a_field("output", '{"encoding": {"cbr": 320}}'), query="?class=speech"))
    assert refused["code"] == "invalid-options"
    assert refused["detail"].startswith("The options do not go with the class speech: output")
    assert gateway.stored == []


@pytest.mark.parametrize("query", ["?class=speech", ""])
@pytest.mark.parametrize(
    ("spec", "said", "told"),
    [
        ({}, MONTH, MONTH),
        ({"defaults": {"ttlSecondsAfterFinished": 60}}, None, 60),
        ({"overrides": []}, None, None),
        ({"overrides": [], "defaults": {"ttlSecondsAfterFinished": 60}}, None, 60),
    ],
)
def test_how_long_it_is_kept_is_the_classs_where_that_says_it(
    query: str, spec: Document, said: int | None, told: int | None
) -> None:
    """The operator refuses a Conversion that sets what its class does not let it set."""
    gateway = with_classes(speech(default=True, **spec))
    answer = gateway.upload(a_file(), query=query)
    assert answer.json["ttlSecondsAfterFinished"] == told
    [conversion] = gateway.conversions.there.values()
    assert conversion.manifest()["spec"].get("ttlSecondsAfterFinished") == said
