"""③ A stored video and its Conversion: both are there in the end, or neither."""

import pytest

from tests.unit.gateway.builders import ALICE, Gateway, a_file, problem
from tests.unit.gateway.fakes import FakeConversions, FakeSources
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.runtime.problem import Problem
from video2mp3_gateway.ports.systems import StoredSource
from video2mp3_gateway.upload.creation import Creation, conversion_for
from video2mp3_gateway.upload.upload_receiver import ReceivedVideo


class Scene:
    """A video that is stored, and the systems that its Conversion is created with."""

    def __init__(self) -> None:
        self.sources = FakeSources()
        self.conversions = FakeConversions()
        self.pauses: list[float] = []
        self.creation = Creation(self.conversions, self.sources, "people", pause=self.pauses.append)
        with self.sources.begin(ALICE, "talk.mp4", "video/mp4") as upload:
            upload.write(b"a video")
            self.video = ReceivedVideo(upload.finish(), "talk.mp4", Output())

    def create(self) -> None:
        self.creation.create(ALICE, self.video)

    @property
    def left(self) -> tuple[int, int]:
        """How many files and Conversions there are."""
        return len(self.sources.files), len(self.conversions.there)


def test_the_first_try_is_enough() -> None:
    scene = Scene()
    scene.create()
    assert (scene.left, scene.pauses) == ((1, 1), [])


@pytest.mark.parametrize("failures", [1, 2])
def test_it_is_tried_again_after_a_pause(failures: int) -> None:
    scene = Scene()
    scene.conversions.switch.off("create", failures)
    scene.create()
    assert scene.left == (1, 1)
    assert len(scene.pauses) == failures


@pytest.mark.parametrize("lost", [1, 2])
def test_an_answer_that_got_lost_makes_no_second_conversion(lost: int) -> None:
    scene = Scene()
    scene.conversions.loses_answers = lost
    scene.create()
    assert scene.left == (1, 1)


def test_given_up_nothing_is_left() -> None:
    scene = Scene()
    scene.conversions.switch.off("create")
    with pytest.raises(Problem, match="removed again") as refused:
        scene.create()
    assert refused.value.status == 503
    assert scene.left == (0, 0)
    assert len(scene.pauses) == 2


def test_given_up_without_knowing_the_conversion_goes_as_well() -> None:
    scene = Scene()
    scene.conversions.loses_answers = 3
    with pytest.raises(Problem):
        scene.create()
    assert scene.left == (0, 0)


def test_what_is_refused_is_not_tried_again() -> None:
    scene = Scene()
    scene.conversions.refuses = True
    with pytest.raises(Problem) as refused:
        scene.create()
    assert (refused.value.status, refused.value.code) == (503, "conversion-not-created")
    assert (scene.left, scene.pauses) == ((0, 0), [])


def test_the_file_goes_even_if_the_conversion_cannot_be_asked_after() -> None:
    scene = Scene()
    scene.conversions.switch.off("create")
    scene.conversions.switch.off("delete")
    with pytest.raises(Problem):
        scene.create()
    assert scene.left == (0, 0)


def test_the_answer_is_the_same_if_the_file_cannot_be_removed_now() -> None:
    scene = Scene()
    scene.conversions.switch.off("create")
    scene.sources.switch.off("delete")
    with pytest.raises(Problem) as refused:
        scene.create()
    assert refused.value.code == "conversion-not-created"
    assert scene.left == (1, 0), "a file without a Conversion, which a sweep can tell"


def test_the_request_s_id_stands_on_the_conversion() -> None:
    gateway = Gateway()

    answer = gateway.upload(a_file(), **{"X-Request-Id": "r-1"})

    assert answer.headers["X-Request-Id"] == "r-1"
    (conversion,) = gateway.conversions.there.values()
    assert conversion.metadata.annotations == {"video2mp3.dev/request-id": "r-1"}
    assert conversion.manifest()["metadata"]["annotations"] == conversion.metadata.annotations


def test_people_are_told_to_try_again() -> None:
    gateway = Gateway()
    gateway.conversions.refuses = True
    answer = gateway.upload(a_file())
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "10")
    assert problem(answer)["code"] == "conversion-not-created"
    assert gateway.metric("video2mp3_gateway_uploads_total", outcome="conversion-not-created") == 1
    assert gateway.stored == []


def test_the_longest_account_and_name_still_make_a_valid_conversion() -> None:
    owner = "a" * 240 + "@example.com"
    video = ReceivedVideo(StoredSource("a" * 24, 1, "0" * 64), "\U0001f3b5" * 50, Output())
    conversion = conversion_for(owner, video, "people")
    assert conversion.spec.owner == conversion.spec.notify.email == owner
    assert conversion.filename.endswith(".mp3")
