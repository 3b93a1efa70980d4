"""What the notifier counts."""

from prometheus_client import Counter, Gauge, Histogram

from video2mp3_contracts.runtime.metrics import new_registry
from video2mp3_notifier.dispositions import DeadReason, Outcome

_SECONDS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300)


class NotifierMetrics:
    """The metrics, in a registry of their own."""

    def __init__(self) -> None:
        self.registry = new_registry()
        self.messages = Counter(
            "video2mp3_notifier_messages", "Messages by how they were handled.", ["outcome"], registry=self.registry
        )
        self.dead_letters = Counter(
            "video2mp3_notifier_dead_letters", "Messages given up, by reason.", ["reason"], registry=self.registry
        )
        self.redeliveries = Counter(
            "video2mp3_notifier_redeliveries", "Messages that the broker delivered once more.", registry=self.registry
        )
        self.handling_seconds = Histogram(
            "video2mp3_notifier_handling_seconds",
            "From a message's arrival to the verdict over it, sending included.",
            buckets=_SECONDS,
            registry=self.registry,
        )
        self.connected = Gauge(
            "video2mp3_notifier_broker_connected",
            "1 while the queue is being consumed, else 0.",
            registry=self.registry,
        )
        self.connection_losses = Counter(
            "video2mp3_notifier_broker_connection_losses",
            "Times the broker was lost or not reached.",
            registry=self.registry,
        )
        # A series that appears with its first event cannot be alerted on: its rate misses that event.
        for outcome in Outcome:
            self.messages.labels(outcome)
        for reason in DeadReason:
            self.dead_letters.labels(reason)
