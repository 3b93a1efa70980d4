"""What becomes of pauses: ffmpeg's own filters are given frames with times, and say how many samples come of them."""

import re

import pytest

from video2mp3_worker.transcode.synchronising import forwards
from video2mp3_worker.transcode.timing import timing

MATROSKA = "matroska,webm"


@pytest.mark.parametrize(("name", "longest"), [(MATROSKA, "1e+12"), ("flv", "3600")])
def test_all_pauses_together_have_a_bound_and_a_lead_has_none(name: str, longest: str) -> None:
    expression = forwards(timing(name, 0.0, 0.0, [0.0]), 4000.5)

    assert re.search(rf"gt\([^,]*,{re.escape(longest)}\)\+if\(ld\(1\),gt\([^,]*\+ld\(2\),4000\.5\)\)", expression)
