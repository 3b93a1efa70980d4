"""The operator's sweep of orphans, weeks later: in its pod, with its rights and settings, by a clock set ahead."""

import json
from typing import Any

from tests.e2e.release import Release

DAYS = (2, 10, 18, 26)
"""From now: what nothing wants is marked a day after it was begun, and goes a week after the mark."""

_SWEEP = """
import asyncio, dataclasses, datetime, json
from video2mp3_contracts.runtime.logs import configure_logging
from video2mp3_operator.adapters.kubernetes import load_configuration
from video2mp3_operator.app.bootstrap import Operator
from video2mp3_operator.app.connections import connect, utc_now
from video2mp3_operator.telemetry.metrics import Metrics
from video2mp3_operator.policy.settings import Settings


async def sweep(days):
    settings, metrics, ahead, halted = Settings(), Metrics(), [0], {}
    connections = connect(settings, await load_configuration(), metrics)
    try:
        clock = lambda: utc_now() + datetime.timedelta(days=ahead[0])
        operator = Operator(settings, dataclasses.replace(connections.ports, clock=clock), metrics)
        await operator.prime()
        await operator.heartbeat.beat()
        for ahead[0] in days:
            await operator.collector.sweep_once()
            halted.update(operator.collector.halted)
            if operator.collector.halted and CONFIRM:
                await connections.store.confirm(clock())
    finally:
        await connections.close()
    print(json.dumps(halted))


configure_logging("operator", "CRITICAL")
asyncio.run(sweep(DAYS))
"""


def sweep_later(release: Release, *, confirm: bool = True) -> dict[str, Any]:
    """Sweep at each of `DAYS`; of which kinds nothing was removed at first, and why.

    With `confirm` somebody then has looked, and says that it may go.
    """
    script = f"DAYS, CONFIRM = {DAYS!r}, {confirm!r}\n{_SWEEP}"
    said = release.kubectl("exec", f"deployment/{release.component('operator')}", "--", "python3", "-c", script)
    halted: dict[str, Any] = json.loads(said.splitlines()[-1])
    return halted
