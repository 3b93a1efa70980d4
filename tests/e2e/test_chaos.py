"""A minute and a half of what `make chaos` does for as long as one likes: every part is killed while people upload."""

from collections.abc import Iterator

import pytest

from tests.chaos.plan import IN_TURN, Kind, Manner
from tests.chaos.run import Options, run, speaker
from tests.chaos.table import table
from tests.chaos.tally import Answer
from tests.e2e.release import Release
from video2mp3_localcluster.steps.layout import NodeFiles

pytestmark = pytest.mark.timeout(1500)
SETTLE_SECONDS = 900
"""Between two attempts the Job controller waits for ten minutes at the most, and what it forgets is made anew after
three more; half a minute is usual."""


@pytest.fixture
def shaken(release: Release) -> Iterator[Release]:
    """The release; afterwards its operator begins anew, since others count what the API server refused to it."""
    yield release
    operator = f"deployment/{release.component('operator')}"
    release.kubectl("rollout", "restart", operator)
    release.kubectl("rollout", "status", operator, "--timeout=100s")


def test_nothing_is_lost_while_everything_is_killed(shaken: Release) -> None:
    options = Options(seconds=90, seed=1, gap=5, settle_seconds=SETTLE_SECONDS)
    counted = run(shaken, NodeFiles(), options, speaker())
    said = table(counted)
    assert counted.is_clean, said
    assert counted.answers[Answer.ACCEPTED] > options.clients, said
    struck = {kind for kind, how in counted.kills.items() if set(how) & set(Manner)}
    # A worker may be too quick for its killer.
    assert struck >= set(IN_TURN) - {Kind.WORKER}, said
