"""The operator is killed after each of its writes, whatever it was doing, and takes up what it left."""

from collections import Counter
from collections.abc import Callable
from itertools import count

import pytest

from tests.integration.conftest import ON_FERRETDB_TOO
from tests.integration.operator.cluster import SECONDS, Cluster
from tests.integration.operator.conftest import running
from tests.integration.operator.operator_process import OperatorProcess
from tests.integration.operator.wire import Wire
from tests.servers.process import await_condition
from video2mp3_contracts.jobs.worker import TerminationMessage
from video2mp3_contracts.messaging.message import ConversionFinished

NO_AUDIO = TerminationMessage(exit_code=65, reason="NoAudio", message="The video has no sound.")

pytestmark = pytest.mark.timeout(900)


class Doomed:
    """An operator that is killed when the wire is cut, and starts again."""

    def __init__(self, cluster: Cluster, operator: OperatorProcess, wire: Wire) -> None:
        self.cluster = cluster
        self.operator = operator
        self.wire = wire
        self.killed = False

    def doom(self, writes: int) -> None:
        """It dies when so many more writes have had their effect, before it knows of the last one."""
        self.killed = False
        self.wire.writes.clear()
        self.wire.cut_after(writes)

    def see(self, check: Callable[[], bool], what: str) -> None:
        """Wait until something is so, over the operator's death."""

        def there() -> bool:
            if self.wire.is_cut:
                self.operator.kill()
                self.wire.heal()
                self.operator.start()
                self.killed = True
            return check()

        await_condition(there, seconds=3 * SECONDS, what=what)

    def see_reason(self, name: str, reason: str) -> None:
        """Wait until the status has that reason."""
        status = self.cluster.conversion
        self.see(lambda: bool(status(name)["status"]["reason"] == reason), f"{name} did not become {reason}")

    def take_message(self) -> ConversionFinished:
        """The one message, which is told twice only if the operator died before it knew that it was told."""
        taken: list[ConversionFinished] = []

        def there() -> bool:
            taken.extend(self.cluster.messages())
            return bool(taken) and self.marked(taken[0])

        self.see(there, "no message came")
        taken.extend(self.cluster.messages())
        published = sum(write.system == "rabbitmq" for write in self.wire.writes)
        assert len(taken) == published <= 1 + self.killed
        assert len(set(taken)) == 1
        return taken[0]

    def marked(self, message: ConversionFinished) -> bool:
        """Whether the ledger knows that the message is out."""
        entry = self.cluster.ledger(message.conversion.name) or {}
        return "publishedAt" in entry.get("messages", {}).get(message.kind, {})


def test_killed_after_any_write_of_a_conversions_life_it_ends_the_same(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire
) -> None:
    """Applied, converted, its message published by the operator, deleted."""
    doomed = Doomed(cluster, wired_operator, wire)
    for writes in count():
        doomed.doom(writes)
        name = cluster.convert(f"talk-{writes}")
        doomed.see(lambda name=name: len(cluster.jobs(name)) == 1, f"{name} got no Job")
        mp3 = cluster.work(name, publish=False)
        cluster.complete(name)
        doomed.see_reason(name, "Succeeded")
        assert doomed.take_message().file_id == mp3
        assert (cluster.files("mp3s"), cluster.files("videos")) == ({mp3}, set())
        cluster.delete(name)
        doomed.see(lambda name=name: not cluster.exists(name), f"{name} was not deleted")
        assert (cluster.files("mp3s"), cluster.files("videos"), cluster.jobs(name)) == (set(), set(), [])
        created = Counter(
            write.status for write in wire.writes if write.what.startswith("POST") and "/jobs" in write.what
        )
        assert created[201] == 1
        if not doomed.killed:
            break
    assert writes > 12


def test_killed_after_any_write_of_a_failure_it_is_told_once_and_leaves_nothing(
    cluster: Cluster, wired_operator: OperatorProcess, wire: Wire
) -> None:
    """The worker has begun an mp3 and gives up for good; the operator dies on its way to the verdict."""
    doomed = Doomed(cluster, wired_operator, wire)
    for writes in count():
        name = cluster.convert(f"talk-{writes}")
        cluster.await_reason(name, "Starting")
        cluster.begin(name)
        doomed.doom(writes)
        cluster.pod(name, terminated=cluster.ended(NO_AUDIO))
        doomed.see_reason(name, "NoAudio")
        message = doomed.take_message()
        assert (message.kind, message.reason, message.conversion.name) == ("failed", "NoAudio", name)
        doomed.see(lambda: cluster.files("mp3s") == set(), "the partial mp3 stayed")
        [attempt] = cluster.conversion(name)["status"]["attempts"]
        assert (attempt["number"], attempt["reason"]) == (1, "NoAudio")
        if not doomed.killed:
            break
    assert writes > 5


@ON_FERRETDB_TOO
def test_an_operator_that_is_started_after_the_first_was_killed_takes_over_what_runs(
    cluster: Cluster, operator: OperatorProcess, operator_token: str
) -> None:
    """As where no other operator stood by: another process, on another node."""
    runs, queued, ends = cluster.convert("runs"), cluster.convert("queued", suspend=True), cluster.convert("ends")
    for name in (runs, ends):
        cluster.await_job(name)
        cluster.run(name)
        cluster.await_reason(name, "Running")
    jobs = {job["metadata"]["uid"] for job in cluster.jobs()}
    operator.kill()
    cluster.work(ends, publish=False)
    cluster.complete(ends)
    cluster.change(queued, suspend=False)
    with running(OperatorProcess(cluster.addresses, cluster.namespace, operator_token)):
        cluster.await_reason(ends, "Succeeded")
        assert cluster.await_message().conversion.name == ends
        cluster.await_reason(queued, "Starting")
        cluster.report(runs, 70)
        cluster.await_status(runs, lambda status: status.get("progress", {}).get("percent") == 70)
        assert jobs < {job["metadata"]["uid"] for job in cluster.jobs()}
        assert len(cluster.jobs()) == 3
