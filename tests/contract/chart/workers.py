"""The operator's Jobs, as it makes them with the settings that the chart gives it."""

import os
from unittest.mock import patch

from tests.contract.chart.manifests import Manifests, RenderedPod
from video2mp3_contracts.api.conversion import Conversion
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.reconciler.job import build_job


def a_worker_pod(manifests: Manifests, namespace: str) -> RenderedPod:
    """The pod of a Conversion in this namespace."""
    environment = {
        variable["name"]: variable.get("value", "x")
        for variable in manifests.pod("operator").container("operator")["env"]
    }
    with patch.dict(os.environ, environment):
        settings = Settings()
    conversion = Conversion.model_validate(
        {
            "metadata": {"name": "talk", "namespace": namespace, "uid": "8c2b6f0e-0000-4000-8000-000000000000"},
            "spec": {"source": {"gridfs": {"fileId": "0123456789abcdef01234567"}}},
        }
    )
    template = build_job(conversion, settings, 1)["spec"]["template"]
    return RenderedPod("Job/talk", namespace, template["metadata"]["labels"], template["spec"])
