"""The peer: what a list costs that reads all Conversions of the account from a real API server, page by page."""

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.gateway.times import Times, timed
from benchmarks.operator.processes import cpu_seconds
from tests.integration.gateway.cluster import ALICE, Cluster
from tests.servers import KubernetesServer

_PAGE = 100


def by_paging(conversions: int, lists: int) -> Iterator[Times]:
    """Fill a real API server, and list it; fewer times than the others, which take less."""
    with tempfile.TemporaryDirectory() as folder, KubernetesServer() as server:
        cluster = Cluster(server, Path(folder))
        cluster.fill(conversions)
        kind = f"the API server, {conversions} paged by {_PAGE}"
        # The API server makes them, but for what reading them takes.
        yield timed(
            kind, max(lists // 10, 10), lambda: _all_pages(cluster, conversions), lambda: cpu_seconds(server.pid)
        )
        cluster.close()


def _all_pages(cluster: Cluster, expected: int) -> None:
    path = f"/apis/video2mp3.dev/v1/namespaces/{cluster.namespace}/conversions"
    query, found = {"fieldSelector": f"spec.owner={ALICE}", "limit": str(_PAGE)}, 0
    position: str | None = ""
    while position is not None:
        more = {"continue": position} if position else {}
        request = cluster.client.param_serialize(
            "GET", path, query_params=list((query | more).items()), auth_settings=["BearerToken"]
        )
        answer = json.loads(cluster.client.call_api(*request).read())
        found += len(answer["items"])
        position = answer["metadata"].get("continue") or None
    assert found == expected
