"""What people see by kubectl while Conversions wait for their turn."""

from tests.integration.operator.cluster import Cluster
from tests.integration.operator.operator_process import OperatorProcess
from tests.kubectl_table import rows
from tests.servers import KubernetesServer
from tests.servers.process import await_condition


def test_the_queue_is_shown_and_moves(
    cluster: Cluster, operator: OperatorProcess, kube_apiserver: KubernetesServer
) -> None:
    operator.stop()
    operator.changes = {"OPERATOR_MAX_RUNNING": "1"}
    operator.start()

    def shown(column: str) -> dict[str, str]:
        listed = kube_apiserver.kubectl("get", "conversions", "--namespace", cluster.namespace)
        return {name: row[column] for name, row in rows(listed).items()}

    cluster.convert("talk")
    cluster.await_job("talk")
    cluster.convert("draft", suspend=True)
    cluster.convert("keynote")
    cluster.await_reason("keynote", "Queued")
    cluster.convert("panel", priority=10)
    expected = {"talk": "", "draft": "", "panel": "1", "keynote": "2"}
    await_condition(lambda: shown("QUEUE") == expected, seconds=60, what="the places were not shown")
    assert shown("PHASE") == {"talk": "Running", "draft": "Suspended", "panel": "Queued", "keynote": "Queued"}

    cluster.work("talk")
    cluster.complete("talk")
    cluster.await_job("panel")
    expected = {"talk": "", "draft": "", "panel": "", "keynote": "1"}
    await_condition(lambda: shown("QUEUE") == expected, seconds=60, what="the places that moved were not shown")
    assert shown("PROGRESS") == {"talk": "100", "draft": "", "panel": "", "keynote": ""}
