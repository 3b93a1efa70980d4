"""④ Where kopf's events come in.

Handlers route and nothing else: what is news goes into the cache, and its Conversion is due for a reconcile.

kopf gives the process its life, its login and its watches. Only `on.event` handlers are registered, so kopf adds no
finalizer and no annotation to anything. Start it as `kopf run -m video2mp3_operator.app.handlers`.
"""

import logging
from datetime import datetime
from typing import Any, Final

import kopf
from kubernetes.aio.client import Configuration

from video2mp3_contracts.api import names
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_operator.adapters.kubernetes import WORKER_SELECTOR, load_configuration
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.app.connections import Connections, connect, stand_for_election
from video2mp3_operator.app.ending import end_process
from video2mp3_operator.app.kopf_settings import configure_kopf
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.objects.unreadable import read_or_skip
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import RefusedError, UnavailableError
from video2mp3_operator.telemetry.heartbeat import LABEL
from video2mp3_operator.telemetry.metrics import Metrics

_STARTUP_TRIES: Final = 20
_STARTUP_PAUSE_SECONDS: Final = 3.0


@kopf.on.login(retries=3, backoff=2.0)
async def login(**_: Any) -> kopf.ConnectionInfo:
    """Log kopf in as our own client."""
    configuration = await load_configuration()
    return _connection_info(configuration)


def _connection_info(configuration: Configuration) -> kopf.ConnectionInfo:
    token = configuration.api_key.get("BearerToken", "")
    return kopf.ConnectionInfo(
        server=configuration.host,
        ca_path=configuration.ssl_ca_cert,
        insecure=not configuration.verify_ssl,
        scheme="Bearer" if token else None,
        token=token.split(" ", 1)[-1] or None,
        certificate_path=configuration.cert_file,
        private_key_path=configuration.key_file,
    )


@kopf.on.startup(retries=1)
async def configure(settings: kopf.OperatorSettings, memo: kopf.Memo, **_: Any) -> None:
    """Read the settings and wire the operator."""
    ours = Settings()
    configure_logging("operator", ours.log_level)
    # They say a line for each event and each packet; what matters of that is in our own log.
    for talkative in ("kopf", "pika"):
        logging.getLogger(talkative).setLevel(logging.WARNING)
    configure_kopf(settings, ours, selectors={"jobs": WORKER_SELECTOR, "pods": WORKER_SELECTOR, "leases": LABEL})
    metrics = Metrics()
    connections = connect(ours, await load_configuration(), metrics)
    memo.connections = connections
    if ours.leader_election:
        ports, election = stand_for_election(ours, connections.ports, end_process)
        memo.operator = Operator(ours, ports, metrics, election)
    else:
        memo.operator = Operator(ours, connections.ports, metrics)


@kopf.on.startup(retries=_STARTUP_TRIES, backoff=_STARTUP_PAUSE_SECONDS)
async def serve(memo: kopf.Memo, **_: Any) -> None:
    """Answer probes, also while we are still starting."""
    operator: Operator = memo.operator
    try:
        await operator.health.start(operator.settings.http_port)
    except OSError as error:
        raise kopf.TemporaryError(f"cannot listen: {error}", delay=_STARTUP_PAUSE_SECONDS) from error


@kopf.on.startup(errors=kopf.ErrorsMode.PERMANENT)
async def start(memo: kopf.Memo, retry: int, **_: Any) -> None:
    """See everything once, then begin.

    An API server that is away is waited for: another start would not bring it back.
    """
    operator: Operator = memo.operator
    try:
        await operator.prime()
    except (UnavailableError, RefusedError) as error:
        if isinstance(error, RefusedError) and retry >= _STARTUP_TRIES:
            raise
        raise kopf.TemporaryError(str(error), delay=_STARTUP_PAUSE_SECONDS) from error
    operator.start()


@kopf.on.cleanup(retries=1)
async def stop(memo: kopf.Memo, **_: Any) -> None:
    """End what was started."""
    operator: Operator | None = memo.get("operator")
    connections: Connections | None = memo.get("connections")
    if operator is not None:
        await operator.stop()
    if connections is not None:
        await connections.close()


@kopf.on.event(names.GROUP, names.VERSION, names.PLURAL)
async def on_conversion(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """A Conversion was made, changed or removed."""
    operator: Operator = memo.operator
    document: dict[str, Any] = dict(event["object"])
    key = key_of(document)
    if not operator.settings.serves(key.namespace):
        return  # Seen only because workers run there.
    if event["type"] == "DELETED":
        operator.admission_queue.leave(document["metadata"]["uid"])
        news: bool | None = operator.cache.forget_conversion(key, document["metadata"]["uid"])
    else:
        news = read_or_skip("conversion", document, operator.cache.see_conversion, operator.metrics.skip)
    if news:
        operator.queue.add(key)
    operator.wake_set_of(document)


@kopf.on.event(names.GROUP, names.VERSION, names.SET_PLURAL)
async def on_set(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """A ConversionSet was made, changed or removed."""
    operator: Operator = memo.operator
    document: dict[str, Any] = dict(event["object"])
    key = key_of(document)
    if not operator.settings.serves(key.namespace):
        return
    if event["type"] == "DELETED":
        operator.sets.forget(key)
    elif read_or_skip("conversionset", document, operator.sets.see, operator.metrics.skip):
        operator.set_queue.add(key)


@kopf.on.event("batch", "v1", "jobs")
async def on_job(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """A worker Job was made, changed or removed."""
    operator: Operator = memo.operator
    see = operator.cache.forget_job if event["type"] == "DELETED" else operator.cache.see_job
    job = read_or_skip("job", dict(event["object"]), see, operator.metrics.skip)
    if job is not None:
        operator.queue.add(job.key)


@kopf.on.event("", "v1", "pods")
async def on_pod(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """A worker's pod was made, changed or removed."""
    operator: Operator = memo.operator
    see = operator.cache.forget_pod if event["type"] == "DELETED" else operator.cache.see_pod
    pod = read_or_skip("pod", dict(event["object"]), see, operator.metrics.skip)
    if pod is not None:
        operator.queue.add(pod.key)


@kopf.on.event("coordination.k8s.io", "v1", "leases")
async def on_heartbeat(event: kopf.RawEvent, memo: kopf.Memo, **_: Any) -> None:
    """The heartbeat came back."""
    operator: Operator = memo.operator
    lease: dict[str, Any] = dict(event["object"])
    beat = lease.get("spec", {}).get("renewTime")
    if beat and event["type"] != "DELETED":
        operator.heartbeat.hear(lease["metadata"]["namespace"], lease["metadata"]["name"], datetime.fromisoformat(beat))
