"""Names in the Kubernetes API: the resource's identity, labels, the finalizer, and names derived from a Conversion."""

import hashlib
from typing import Final

GROUP: Final = "video2mp3.dev"
VERSION: Final = "v1"
API_VERSION: Final = f"{GROUP}/{VERSION}"
KIND: Final = "Conversion"
PLURAL: Final = "conversions"
SINGULAR: Final = "conversion"
SHORT_NAME: Final = "conv"
CLASS_KIND: Final = "ConversionClass"
CLASS_PLURAL: Final = "conversionclasses"
CLASS_SHORT_NAME: Final = "convclass"
SET_KIND: Final = "ConversionSet"
SET_PLURAL: Final = "conversionsets"
SET_SHORT_NAME: Final = "convset"
CRD_NAME: Final = f"{PLURAL}.{GROUP}"

FINALIZER: Final = f"{GROUP}/files"
"""Held until the files that belong to the Conversion are dealt with as its policies say."""

ANNOTATION_REQUEST_ID: Final = f"{GROUP}/request-id"
"""On Conversions that the gateway makes: the upload's request id (`X-Request-Id`), told by every log and the email."""

_LONGEST_REQUEST_ID: Final = 128

ANNOTATION_RETRY: Final = f"{GROUP}/retryRequestedAt"
"""Asks for a failed Conversion to be tried anew. Each value, a time by custom, does so once: see the status'
`lastHandledRetryAt`."""

LABEL_CONVERSION: Final = f"{GROUP}/conversion"
"""On Jobs and their pods: the name of the Conversion they work for."""

LABEL_CONVERSION_UID: Final = f"{GROUP}/conversion-uid"
"""On Jobs and their pods: the uid of the Conversion they work for."""

LABEL_CONVERSION_NAMESPACE: Final = f"{GROUP}/conversion-namespace"
"""On a Job and its pods: where the Conversion is, which need not be where its workers run."""

LABEL_CLASS: Final = f"{GROUP}/class"
"""On Jobs and their pods: the ConversionClass that holds for them, see its quota."""

LABEL_JOB_GENERATION: Final = f"{GROUP}/job-generation"
"""On Jobs: how many Jobs of the same Conversion had to make way for this one, see `job_name`."""

LABEL_INSTANCE: Final = "app.kubernetes.io/instance"
"""On everything of one release, Jobs and their pods included: the release's name."""

LABEL_COMPONENT: Final = "app.kubernetes.io/component"
COMPONENT_WORKER: Final = "worker"

WORKER_CONTAINER: Final = "worker"
"""The name of the worker container in a Job's pod; `podFailurePolicy` refers to it."""

MAX_NAME_LENGTH: Final = 63
"""A Conversion's name must fit in a label's value, since its Job and pods carry it."""

_HASH_LENGTH = 8

MAX_JOB_NAME_LENGTH: Final = MAX_NAME_LENGTH - len("-15")
"""Pods of an Indexed Job have its name and their index as their host name, which must be one DNS label."""


def is_request_id(text: str) -> bool:
    """Whether a text from outside may be one: 1 to 128 printable ASCII characters."""
    return text.isascii() and text.isprintable() and 0 < len(text) <= _LONGEST_REQUEST_ID


def conversion_name_for_upload(file_id: str) -> str:
    """The name of the Conversion that the gateway makes for an uploaded file.

    It follows from the file alone, so creating it twice is one Conversion.
    """
    return f"upload-{file_id}"


def job_name(conversion_name: str, uid: str, generation: int = 0) -> str:
    """The name of a Conversion's Job: readable, one DNS label also with an index, the same for the same three inputs.

    `generation` counts the Jobs of one Conversion: a Job whose pod template must change (more memory, say) is followed
    by one of the next generation. The uid keeps a re-created Conversion apart from the Job of its predecessor.
    """
    digest = hashlib.sha256(f"{uid}/{generation}".encode()).hexdigest()[:_HASH_LENGTH]
    room = MAX_JOB_NAME_LENGTH - _HASH_LENGTH - 1
    return f"{conversion_name.replace('.', '-')[:room].rstrip('-')}-{digest}"
