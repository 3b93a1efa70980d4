"""Who leads: never two at once, and soon one again, whatever is done to them, to their clocks and to the wire."""

from typing import Any, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.operator.leadership.lab import TERMS, Candidate, Lab, lab

TAKEOVER_SECONDS = 9


def led_by_one(test: Lab, *others: dict[str, Any]) -> tuple[Candidate, list[Candidate]]:
    """A leader that has renewed, and those who stand by."""
    leader = test.add()
    test.run(12, lambda: leader.leads)
    standbys = [test.add(**each) for each in others or ({},)]
    test.run(5)
    assert test.leaders == [leader]
    return leader, standbys


def test_the_first_of_a_release_leads_when_nobody_else_can_and_the_second_stands_by() -> None:
    """There is no Lease: somebody may have deleted it, and its leader would lead on for a while."""
    with lab() as test:
        first = test.add()
        assert 8 < test.run(20, lambda: first.leads) < 8.2
        second = test.add()
        test.run(60)
        assert (first.leads, second.leads) == (True, False)
        assert test.server.lease is not None
        spec = test.server.lease["spec"]
        assert (spec["holderIdentity"], spec["leaseDurationSeconds"], spec["leaseTransitions"]) == (
            first.identity,
            8,
            0,
        )
        assert spec["acquireTime"] < spec["renewTime"]


@pytest.mark.parametrize("after", [0.0, 0.5, 1.0, 1.5, 1.99])
@pytest.mark.parametrize("fault", ["dead", "paused", "cut"])
def test_a_standby_takes_over_within_nine_seconds(fault: str, after: float) -> None:
    """Whenever in the leader's round it happens."""
    with lab() as test:
        leader, [standby] = led_by_one(test)
        test.run(after)
        setattr(leader.wire if fault == "cut" else leader, fault, True)
        assert test.run(30, lambda: standby.leads) <= TAKEOVER_SECONDS
        assert test.server.lease is not None
        assert test.server.lease["spec"]["leaseTransitions"] == 1


def test_a_leader_that_was_paused_ends_and_is_shut_out_from_its_first_step_on() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.paused = True
        test.run(30, lambda: standby.leads)
        assert not leader.fence.is_open
        leader.paused = False
        assert test.run(5, lambda: bool(leader.lost)) < 0.1
        assert standby.leads


def test_a_leader_that_was_paused_for_a_moment_leads_on() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        leader.paused = True
        test.run(3)
        leader.paused = False
        test.run(20)
        assert test.leaders == [leader]


def test_a_leader_that_is_cut_off_ends_before_another_one_leads() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.wire.cut = True
        assert test.run(30, lambda: bool(leader.lost)) <= TERMS.deadline_seconds
        assert leader.lost == ["no renewal was confirmed within 6 s"]
        assert test.run(30, lambda: standby.leads) >= 2


def test_answers_that_do_not_come_back_are_no_renewals() -> None:
    """The API server takes each of them, so nobody else leads either, until the leader has given up."""
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.wire.deaf = True
        assert test.run(30, lambda: bool(leader.lost)) <= TERMS.deadline_seconds
        assert test.run(30, lambda: standby.leads) <= TAKEOVER_SECONDS


def test_an_api_server_that_is_slow_changes_nobody() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.wire.seconds = standby.wire.seconds = 0.9
        test.run(120)
        assert test.leaders == [leader]


def test_a_renewal_counts_from_its_beginning() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        leader.wire.seconds = 0.9
        test.run(10)
        left: list[float] = []
        test.run(20, lambda: left.append(leader.fence.remaining()) or False)  # type: ignore[func-returns-value]
        assert 4 < max(left) < 4.21


def test_an_api_server_that_is_away_for_all_leaves_one_leader_when_it_is_back() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        for each in (leader, standby):
            each.wire.cut = True
        test.run(60)
        assert leader.lost
        assert test.leaders == []
        standby.wire.cut = False
        assert test.run(30, lambda: standby.leads) < 3.5


@pytest.mark.parametrize("hours", [1, -1])
@pytest.mark.parametrize("who", ["leader", "standby"])
def test_a_clock_that_is_an_hour_off_changes_nothing(who: str, hours: int) -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        (leader if who == "leader" else standby).hours_off = hours
        test.run(60)
        assert test.leaders == [leader]
        leader.dead = True
        taken = test.run(30, lambda: standby.leads)
        assert 6 < taken <= TAKEOVER_SECONDS


def test_one_that_ends_cleanly_hands_over_at_the_next_look() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.stop()
        assert test.run(30, lambda: standby.leads) < 1.2
        assert leader.lost == []


def test_one_that_stands_by_and_ends_takes_nothing_from_the_leader() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        standby.stop()
        test.run(60)
        assert test.leaders == [leader]


def test_a_lease_that_nobody_holds_is_taken_at_once() -> None:
    with lab() as test:
        test.server.create({"holderIdentity": "", "leaseDurationSeconds": 1, "renewTime": "2026-03-01T12:00:00Z"})
        candidate = test.add()
        assert test.run(20, lambda: candidate.leads) < 0.1


def test_a_lease_that_is_deleted_while_another_one_starts_stays_its_leaders() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        test.server.lease = None
        test.add()
        test.run(60)
        assert test.leaders == [leader]


def test_a_lease_that_is_deleted_by_hand_stays_its_leaders() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        test.server.lease = None
        test.run(60)
        assert test.leaders == [leader]
        assert leader.lost == []


def test_a_lease_that_is_deleted_while_its_leader_is_paused_is_free_as_late_as_ever() -> None:
    with lab() as test:
        leader, [standby] = led_by_one(test)
        leader.paused = True
        test.server.lease = None
        assert 6 < test.run(30, lambda: standby.leads) <= TAKEOVER_SECONDS


def test_a_lease_that_somebody_else_wrote_on_is_renewed_all_the_same() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        for _ in range(5):
            assert test.server.lease is not None
            test.server.lease["metadata"]["resourceVersion"] = f"by-hand-{test.now}"
            test.run(3)
        assert test.leaders == [leader]


def test_a_leader_that_is_replaced_by_hand_ends_at_its_next_renewal() -> None:
    with lab() as test:
        leader, _ = led_by_one(test)
        assert test.server.lease is not None
        test.server.replace(test.server.lease, test.server.lease["spec"] | {"holderIdentity": "somebody"})
        test.run(3, lambda: bool(leader.lost))
        assert leader.lost == ["somebody leads"]


def test_a_lease_of_another_version_lasts_as_long_as_it_says() -> None:
    with lab() as test:
        test.server.create({"holderIdentity": "older", "leaseDurationSeconds": 20, "renewTime": "2026-03-01T12:00:00Z"})
        candidate = test.add()
        assert 20 <= test.run(60, lambda: candidate.leads) < 21


@pytest.mark.parametrize("spec", [{}, {"holderIdentity": None, "leaseDurationSeconds": -5, "leaseTransitions": "many"}])
def test_a_lease_that_makes_no_sense_is_free(spec: dict[str, Any]) -> None:
    with lab() as test:
        test.server.create(spec)
        candidate = test.add()
        assert test.run(60, lambda: candidate.leads) < 1


# --- any faults, at any time


class Fault(NamedTuple):
    who: int
    kind: str
    at: float
    seconds: float


KINDS = ("pause", "cut", "deaf", "slow", "kill", "stop", "clock")
FAULTS = st.builds(
    Fault,
    who=st.integers(0, 2),
    kind=st.sampled_from(KINDS),
    at=st.floats(0, 80),
    seconds=st.floats(0.1, 25),
)
RATES = st.floats(0.97, 1.03)
_FAULTS_SECONDS = 110
_RESTART_SECONDS = 3.0


def begin(test: Lab, fault: Fault) -> None:
    """Somebody strikes, and mends it later. Who has ended is started again, as Kubernetes would."""
    struck = test.candidates[fault.who]
    wire = struck.wire
    match fault.kind:
        case "pause":
            struck.paused = True
            test.after(fault.seconds, lambda: setattr(struck, "paused", False))
        case "cut" | "deaf":
            setattr(wire, fault.kind, True)
            test.after(fault.seconds, lambda: setattr(wire, fault.kind, False))
        case "slow":
            wire.seconds = fault.seconds / 4
            test.after(fault.seconds, lambda: setattr(wire, "seconds", 0.01))
        case "clock":
            struck.hours_off = fault.seconds / 10 - 1
        case "stop" if not struck.dead:
            struck.stop()
        case _:
            struck.dead = True


def keep_alive(test: Lab) -> None:
    """Kubernetes starts again who has ended."""
    for place in range(3):
        if test.candidates[place].dead or test.candidates[place].task.done():
            gone = test.candidates[place]
            test.candidates.append(gone)
            test.candidates[place] = Candidate(test, f"{gone.identity}+", gone.hours_off, gone.rate, gone.wire)
    test.after(_RESTART_SECONDS, lambda: keep_alive(test))


@settings(max_examples=150, deadline=None)
@given(faults=st.lists(FAULTS, max_size=12), rates=st.tuples(RATES, RATES, RATES))
@example(faults=[Fault(0, "pause", 5, 25), Fault(1, "cut", 12, 20), Fault(2, "deaf", 20, 20)], rates=(1, 1, 1))
@example(faults=[Fault(0, "slow", 3, 13), Fault(0, "pause", 5.5, 9)], rates=(0.97, 1.03, 1.03))
def test_never_two_and_soon_one_again(faults: list[Fault], rates: tuple[float, float, float]) -> None:
    with lab() as test:
        for rate in rates:
            test.add(rate=rate)
        for fault in faults:
            test.after(fault.at, lambda fault=fault: begin(test, fault))  # type: ignore[misc]
        keep_alive(test)
        test.run(_FAULTS_SECONDS)
        test.run(15)
        assert test.leader
