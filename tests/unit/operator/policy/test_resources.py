"""What a worker's container may ask for."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.operator.harness import settings

GPU, HUGE = "nvidia.com/gpu", "hugepages-2Mi"

TAKEN: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as much as the limit": ({"cpu": "2000m"}, {"cpu": 2}),
    "no limit": ({"cpu": "2"}, {}),
    "a device": ({GPU: 1}, {GPU: "1"}),
    "a device that is only limited": ({}, {GPU: 1}),
    "huge pages": ({HUGE: "64Mi"}, {HUGE: "65536Ki"}),
    "very much": ({}, {"ephemeral-storage": "1Pi"}),
}

REFUSED: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "more than the limit": ({"cpu": "2500m"}, {"cpu": 2}, "requests.cpu (2500m) must not be more than limits.cpu (2)"),
    "more memory than the limit": (
        {"memory": "1Gi"},
        {},
        "requests.memory (1Gi) must not be more than limits.memory (512Mi)",
    ),
    "a device without a limit": ({GPU: 1}, {}, f"requests.{GPU} (1) must have a limit that is the same"),
    "more devices than are asked for": ({GPU: 1}, {GPU: 2}, f"requests.{GPU} (1) must have a limit that is the same"),
    "half a device": ({}, {GPU: "500m"}, f"limits.{GPU} (500m) must be a whole number"),
    "huge pages without a limit": ({HUGE: "64Mi"}, {}, f"requests.{HUGE} (64Mi) must have a limit that is the same"),
    "no memory": ({}, {"memory": ""}, "'' is not a quantity"),
}


def read(requests: dict[str, Any], limits: dict[str, Any]) -> object:
    usual = {"requests": {"memory": "128Mi"}, "limits": {"memory": "512Mi"}}
    resources = {"requests": usual["requests"] | requests, "limits": usual["limits"] | limits}
    return settings(worker_resources=resources).worker_resources["limits"]["memory"]


@pytest.mark.parametrize("case", TAKEN, ids=lambda case: case.replace(" ", "-"))
def test_what_kubernetes_takes(case: str) -> None:
    assert read(*TAKEN[case]) == "512Mi"


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.replace(" ", "-"))
def test_what_kubernetes_would_refuse_is_named(case: str) -> None:
    requests, limits, sentence = REFUSED[case]
    with pytest.raises(ValidationError) as refusal:
        read(requests, limits)
    assert sentence in str(refusal.value)


def test_memory_has_to_be_there() -> None:
    with pytest.raises(ValidationError, match=r"requests\.memory is missing; limits\.memory is missing"):
        settings(worker_resources={"requests": {"cpu": "1"}})
