"""⑤ What a worker is told: the request, and where its credentials are. Pure."""

from typing import Any, Final

from video2mp3_contracts.api.conversion import Conversion
from video2mp3_contracts.api.retention import mp3_ttl
from video2mp3_contracts.jobs.worker import (
    MONGODB_URI_VARIABLE,
    PART_VARIABLE,
    POD_NAME_VARIABLE,
    RABBITMQ_URI_VARIABLE,
    REQUEST_VARIABLE,
    REQUIRE_LANDLOCK_VARIABLE,
    SCRATCH_PATH,
    SCRATCH_VARIABLE,
    WorkerLimits,
    WorkerRequest,
)
from video2mp3_operator.objects.pods import COMPLETION_INDEX
from video2mp3_operator.policy.parallelism import division_of
from video2mp3_operator.policy.settings import Settings

CA_PATH: Final = "/etc/video2mp3/ca"
CA_FILE: Final = "ca.crt"
"""Where the authorities are that a worker trusts, and the file in it."""


def environment(conversion: Conversion, settings: Settings, parts: int) -> list[dict[str, Any]]:
    """The variables of the worker's container."""
    request = _request(conversion, settings, parts)

    def from_secret(variable: str, key: str) -> dict[str, Any]:
        return {"name": variable, "valueFrom": {"secretKeyRef": {"name": settings.worker_secret, "key": key}}}

    return [
        {
            "name": REQUEST_VARIABLE,
            "value": _verbatim(request.model_dump_json(by_alias=True, exclude_none=True)),
        },
        from_secret(MONGODB_URI_VARIABLE, "mongodb-uri"),
        from_secret(RABBITMQ_URI_VARIABLE, "rabbitmq-uri"),
        {"name": POD_NAME_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}},
        {"name": SCRATCH_VARIABLE, "value": SCRATCH_PATH},
        *([{"name": REQUIRE_LANDLOCK_VARIABLE, "value": "true"}] if settings.worker_require_landlock else []),
        # OpenSSL reads it beside the folder of the system's authorities (SSL_CTX_set_default_verify_paths).
        *([{"name": "SSL_CERT_FILE", "value": f"{CA_PATH}/{CA_FILE}"}] if settings.worker_ca_secret else []),
        *([_part_variable()] if parts > 1 else []),
    ]


def _part_variable() -> dict[str, Any]:
    index = f"metadata.annotations['{COMPLETION_INDEX}']"
    return {"name": PART_VARIABLE, "valueFrom": {"fieldRef": {"fieldPath": index}}}


def _verbatim(value: str) -> str:
    """The value as it must be written so that the container sees it as it is.

    Kubernetes replaces `$(NAME)` in a variable's value by other variables, among them those of Secrets, and `$$` by
    `$` (API reference, EnvVar). The request holds what users wrote: titles, names of files.
    """
    return value.replace("$", "$$")


def _request(conversion: Conversion, settings: Settings, parts: int) -> WorkerRequest:
    metadata, spec = conversion.metadata, conversion.spec
    ttl = mp3_ttl(metadata, spec)
    return WorkerRequest(
        conversion=metadata.ref,
        owner=spec.owner,
        installation=settings.installation,
        email=spec.notify.email or "",
        source=spec.source,
        output=spec.output,
        filename=conversion.filename,
        ttl_seconds=None if ttl is None else int(ttl.total_seconds()),
        parts=parts if parts > 1 else None,
        division=division_of(spec, parts, settings),
        limits=WorkerLimits(
            max_source_bytes=settings.max_source_bytes,
            max_duration_seconds=settings.max_duration_seconds,
            max_output_bytes=settings.max_output_bytes,
            run_seconds=spec.timeouts.run_seconds,
            allowed_hosts=settings.allowed_hosts,
        ),
    )
