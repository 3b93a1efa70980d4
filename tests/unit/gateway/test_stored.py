"""A Conversion as the API server has it, which may be older than a rule."""

from tests.builders import a_conversion
from video2mp3_gateway.adapters.kubernetes_api import _readable


def test_a_part_that_ends_before_it_begins_hides_no_conversion() -> None:
    """It was let in before there was a rule, and its owner asks what became of it."""
    stored = a_conversion().with_spec(output={"trim": {"start": 5, "end": 5}}).document
    assert _readable(stored) is not None
    stored["spec"]["output"]["trim"]["end"] = "never"
    assert _readable(stored) is None
