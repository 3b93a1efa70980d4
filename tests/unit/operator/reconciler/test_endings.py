"""How attempts and Jobs end where nobody says so, or where it is nobody's fault, and what follows."""

from datetime import timedelta
from typing import Any

import pytest

from tests.builders import NOW, PodBuilder, a_conversion, a_pod, at
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import live, status
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.ledger.documents import LedgerEntry
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.reconciler.endings import MOST_DISRUPTIONS

AWAY = TerminationMessage(exit_code=75, reason="ServiceUnavailable", message="MongoDB was away.")
NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="It has no sound.")
GIVEN_UP = [{"type": "Failed", "status": "True", "reason": "BackoffLimitExceeded"}]


def begun(world: World, **spec: Any) -> tuple[Key, Operator]:
    """A Conversion with a Job that the Job controller has looked at."""
    key = world.apply(a_conversion().with_spec(**spec))
    operator = live(world)
    world.set_job_status(key, active=1, startTime=at(world.now))
    return key, operator


def put(world: World, operator: Operator, pod: PodBuilder, name: str = "pod") -> None:
    """The pod is so, and the operator has done what there is to do."""
    world.version += 1
    document = pod.versioned(world.version).document
    before = world.pods.get(Key("media", name))
    if before is not None:
        document["metadata"]["ownerReferences"] = before["metadata"]["ownerReferences"]
    world.pods[Key("media", name)] = document
    live(world, operator)


def later(world: World, operator: Operator, **by: float) -> None:
    world.pass_time(**by)
    live(world, operator)


def reasons(world: World, key: Key) -> list[str]:
    return [each["reason"] for each in status(world, key).get("attempts", [])]


# --- a node is lost ---


def test_a_pod_that_is_terminating_beyond_its_grace_makes_way_and_counts_for_nothing() -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    put(world, operator, a_pod().running())
    put(world, operator, a_pod().running().deleted(NOW + timedelta(seconds=30)))
    assert status(world, key)["message"] == "The worker's pod was deleted; its node has not said yet that it is gone."
    later(world, operator, seconds=80)
    assert (world.jobs_ever_created, reasons(world, key)) == (1, ["Running"])
    later(world, operator, seconds=11)
    assert (world.jobs_ever_created, len(world.jobs), reasons(world, key)) == (2, 1, ["Lost"])
    # The node comes back, and its kubelet says how the pod ended; meanwhile the next one is at work.
    put(world, operator, a_pod(number=2).running(world.now), "next")
    put(world, operator, a_pod().ended(137))
    assert (status(world, key)["reason"], reasons(world, key)) == ("Running", ["Lost", "Running"])


def test_an_administrator_says_how_long_a_lost_node_is_waited_for() -> None:
    world = World()
    key, _ = begun(world)
    operator = live(world, lost_seconds=5)
    put(world, operator, a_pod().running().deleted(NOW + timedelta(seconds=30)))
    later(world, operator, seconds=34)
    assert world.jobs_ever_created == 1
    later(world, operator, seconds=2)
    assert (world.jobs_ever_created, reasons(world, key)) == (2, ["Lost"])


def test_a_pod_that_is_deleted_and_goes_in_time_is_replaced_by_its_job_alone() -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    put(world, operator, a_pod().running().deleted(NOW + timedelta(seconds=30)))
    later(world, operator, seconds=20)
    put(world, operator, a_pod().ended(143).deleted(NOW + timedelta(seconds=30)))
    later(world, operator, seconds=200)
    assert (world.jobs_ever_created, reasons(world, key)) == (1, ["Stopped"])


def test_while_another_part_is_at_work_a_lost_one_waits() -> None:
    world = World()
    _, operator = begun(world, parallelism=2)
    put(world, operator, a_pod().running().deleted(NOW))
    put(world, operator, a_pod(number=2).running(), "two")
    later(world, operator, seconds=300)
    assert world.jobs_ever_created == 1
    put(world, operator, a_pod(number=2).ended(0), "two")
    later(world, operator, seconds=61)
    assert world.jobs_ever_created == 2


# --- a sidecar keeps the pod ---


def test_a_success_whose_pod_runs_on_gives_up_its_place_and_its_job_goes() -> None:
    world = World()
    key, operator = begun(world)
    put(world, operator, a_pod().running())
    world.work(key)
    put(world, operator, a_pod().ended(0).kept_by_a_sidecar())
    assert status(world, key)["reason"] == "Succeeded"
    assert operator.cache.slots() == []
    assert len(world.jobs) == 1
    later(world, operator, seconds=21)
    assert world.jobs == {}


@pytest.mark.parametrize(
    ("exit_code", "said", "reason"), [(65, NO_AUDIO, "NoAudio"), (0, "", "WorkerCrashed"), (1, "", "RetriesExhausted")]
)
def test_a_failure_whose_pod_runs_on_is_told(exit_code: int, said: TerminationMessage | str, reason: str) -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    put(world, operator, a_pod().ended(exit_code, said).kept_by_a_sidecar())
    later(world, operator, seconds=21)
    assert (status(world, key)["reason"], world.jobs) == (reason, {})


@pytest.mark.parametrize(("exit_code", "said", "reason"), [(65, NO_AUDIO, "NoAudio"), (1, "", "RetriesExhausted")])
def test_the_last_failure_is_told_before_its_job_says_so_and_the_job_stays_for_its_log(
    exit_code: int, said: TerminationMessage | str, reason: str
) -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    put(world, operator, a_pod().ended(exit_code, said))
    assert status(world, key)["reason"] == reason
    later(world, operator, seconds=60)
    assert (len(world.jobs), world.jobs_ever_created, len(world.queue)) == (1, 1, 1)


def test_an_attempt_that_failed_whose_pod_runs_on_is_followed_by_the_next() -> None:
    world = World()
    key, operator = begun(world, retryLimit=1)
    put(world, operator, a_pod().ended(1).kept_by_a_sidecar())
    later(world, operator, seconds=19)
    assert world.jobs_ever_created == 1
    later(world, operator, seconds=2)
    assert (world.jobs_ever_created, reasons(world, key)) == (2, ["WorkerCrashed"])
    put(world, operator, a_pod(number=2).ended(1).kept_by_a_sidecar(), "two")
    later(world, operator, seconds=21)
    assert status(world, key)["message"] == "All 2 attempts failed. The last one: The worker ended with exit code 1."


# --- what the kubelet says ---


def test_pods_that_the_kubelet_refuses_are_told_in_its_words_and_end_in_time() -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    refused = a_pod().created(NOW).refused("OutOfcpu", "Pod was rejected: no cpu is left.")
    world.set_job_status(key, failed=1, conditions=GIVEN_UP)
    put(world, operator, refused)
    assert (world.jobs_ever_created, reasons(world, key)) == (2, ["NotStarted"])
    assert status(world, key)["message"] == "OutOfcpu: Pod was rejected: no cpu is left."
    world.pass_time(hours=24)
    world.set_job_status(key, failed=1, conditions=GIVEN_UP, startTime=at(world.now))
    put(world, operator, a_pod(number=2).refused("OutOfcpu", "Pod was rejected: no cpu is left."), "two")
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "StartTimeout",
        "Nothing came of it for 86400 s. The last time: OutOfcpu: Pod was rejected: no cpu is left.",
    )


# --- outages ---


def test_a_store_that_is_away_uses_up_no_attempts_and_no_conversion_fails_for_it() -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    for number in range(1, 6):
        put(world, operator, a_pod(number=number).ended(75, AWAY), f"pod-{number}")
        world.set_job_status(key, active=None, failed=1, conditions=GIVEN_UP, startTime=at(world.now))
        later(world, operator, minutes=2)
        assert world.jobs_ever_created == number + 1
    assert set(reasons(world, key)) == {"ServiceUnavailable"}
    world.work(key)
    live(world, operator)
    assert status(world, key)["reason"] == "Succeeded"


def test_an_outage_without_end_ends_in_its_words() -> None:
    world = World()
    key, operator = begun(world)
    put(world, operator, a_pod().ended(75, AWAY))
    world.pass_time(hours=24)
    world.set_job_status(key, active=None, failed=1, conditions=GIVEN_UP)
    live(world, operator)
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "ServiceUnavailable",
        "Nothing came of it for 86400 s. The last time: MongoDB was away.",
    )
    assert [message.reason for message in world.queue] == ["ServiceUnavailable"]


def test_a_registry_that_is_away_sends_it_back_to_the_queue() -> None:
    world = World()
    key, operator = begun(world)
    put(world, operator, a_pod().created(NOW).waiting("ErrImagePull", "connection refused"))
    later(world, operator, seconds=901)
    assert (world.jobs_ever_created, reasons(world, key)) == (2, ["NotStarted"])
    assert "ErrImagePull: connection refused" in status(world, key)["message"]


# --- bounds ---


def test_who_is_disrupted_for_ever_is_given_up() -> None:
    world = World()
    key, operator = begun(world, retryLimit=0)
    for number in range(1, MOST_DISRUPTIONS):
        put(world, operator, a_pod(number=number).ended(137).disrupted(), f"pod-{number}")
    assert status(world, key)["phase"] == "Running"
    put(world, operator, a_pod(number=MOST_DISRUPTIONS).ended(137).disrupted(), "last")
    assert status(world, key)["reason"] == "Disrupted"
    assert status(world, key)["message"].startswith(f"Its pods were ended {MOST_DISRUPTIONS} times by others.")


def test_attempts_that_nobody_saw_are_counted_in_the_ledger() -> None:
    """Their Jobs are cleaned up before anybody has looked."""
    world = World()
    key, operator = begun(world, retryLimit=1)
    uid = world.conversions[key]["metadata"]["uid"]
    for opened in (1, 2):
        world.entries[uid] = LedgerEntry(uid=uid, attempts_opened=opened)
        world.jobs.clear()
        live(world, operator)
    assert (status(world, key)["reason"], world.jobs_ever_created) == ("RetriesExhausted", 2)
    assert status(world, key)["message"] == "All 2 attempts failed. The last one: Its worker left no word."


# --- no pod at all ---

QUOTA = 'pods "talk-x" is forbidden: exceeded quota: team, requested: pods=1, used: pods=5, limited: pods=5'


def test_a_quota_that_is_used_up_is_a_queue_in_its_own_words_and_holds_no_place() -> None:
    world = World()
    first = world.apply(a_conversion("first"))
    operator = live(world, max_running=1, watch_namespaces=("media", "team-a"))
    world.job_troubles[world.job_of(first)["metadata"]["uid"]] = QUOTA
    world.set_job_status(first, startTime=at(NOW))
    live(world, operator)
    told = status(world, first)
    assert (told["phase"], told["message"]) == ("Queued", f"Its pod finds no room in the namespace: {QUOTA}")
    there, elsewhere = world.apply(a_conversion("second")), world.apply(a_conversion("third", "team-a"))
    live(world, operator)
    assert status(world, there)["reason"] == "Queued"
    assert status(world, elsewhere)["phase"] == "Running"
    later(world, operator, hours=2)
    assert status(world, first)["phase"] == "Queued"
    put(world, operator, a_pod(a_conversion("first")).running(world.now), "first")
    assert (status(world, first)["reason"], operator.cache.barred_namespaces()) == ("Running", set())


def test_what_else_keeps_a_job_from_its_pods_is_told_while_it_starts() -> None:
    world = World()
    key, operator = begun(world, timeouts={"startSeconds": 60})
    trouble = 'pods "talk-x" is forbidden: maximum memory usage per Container is 64Mi, but limit is 512Mi'
    world.job_troubles[world.job_of(key)["metadata"]["uid"]] = trouble
    live(world, operator)
    assert (status(world, key)["reason"], status(world, key)["message"]) == ("Starting", trouble)
    later(world, operator, seconds=61)
    told = status(world, key)
    assert (told["reason"], told["message"]) == (
        "StartTimeout",
        f"The worker's pod did not start within 60 s. {trouble}",
    )
