"""The Conversion resource: the one source of its schema, its defaults and its rules.

The CustomResourceDefinition is generated from these models (`crd`), the gateway builds with them (③), the operator
parses with them (④). What the API server refuses, they refuse, and the other way round: each rule between fields is
written twice, as CEL for the API server and as a validator for Python, side by side; `field_rules` writes both for one
field.
"""

import re
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self

from pydantic import ConfigDict, Field, model_validator

from video2mp3_contracts.api import names, source_urls
from video2mp3_contracts.api.field_rules import FORM_LENGTH, IntOrString, Text
from video2mp3_contracts.api.model import ADDED_LATER, BY_CLASS, Model, immutable, rule, with_rules
from video2mp3_contracts.api.output import Output
from video2mp3_contracts.api.status import LONGEST_RETRY_REQUEST, ConversionStatus, Report
from video2mp3_contracts.api.timeouts import Timeouts, Ttl
from video2mp3_contracts.messaging.message import ConversionRef

FILE_ID: Final = r"^[0-9a-f]{24}$"
MAX_PARALLELISM: Final = 16
_EMAIL = r"^[^@\x00-\x20\x7f]+@[^@\x00-\x20\x7f]+$"
_OWNER = r"^([^@A-Z\x00-\x20\x7f]+@[^@A-Z\x00-\x20\x7f]+)?$"
"""One form, or the owner of a file and that of its Conversion never meet: as auth writes its accounts' names."""

_OWNER_COMPLAINT = "owner must be the email address of an account in lower case, such as you@example.com, or empty"
_CLASS_STAYS = "className must not come later, nor go: make a new Conversion instead"
_CLASS_NAME = r"^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$"
_SHA256 = r"^[0-9a-f]{64}$"


class GridFSSource(Model):
    """② A file that lies in the `videos` database."""

    file_id: Annotated[
        str,
        Field(
            description="Its id, as the gateway's answer to an upload names it.",
            json_schema_extra={"maxLength": FORM_LENGTH},
        ),
        Text(FILE_ID, "source.gridfs.fileId must be the id of an uploaded file: 24 digits of 0-9 and a-f"),
    ]


class Source(Model):
    """Where the video comes from."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            rule("has(self.gridfs) != has(self.url)", "set exactly one of source.gridfs and source.url"),
            immutable("source"),
        )
    )

    gridfs: Annotated[GridFSSource | None, Field(description="A file uploaded to the gateway.")] = None
    url: Annotated[
        str | None,
        Field(
            max_length=2048,
            description="An http or https address the worker fetches, from a host that the installation allows.",
        ),
        Text(source_urls.URL_PATTERN, source_urls.URL_COMPLAINT),
    ] = None
    sha256: Annotated[
        str | None,
        Field(
            description="What the content's SHA-256 must be, in hex.",
            json_schema_extra={"maxLength": FORM_LENGTH},
        ),
        Text(_SHA256, "source.sha256 must be 64 digits of 0-9 and a-f, as sha256sum prints them"),
    ] = None

    allow_truncated: Annotated[
        bool,
        Field(
            description="Convert what is there of a file that was cut short or damaged, which is refused by default.",
            json_schema_extra=ADDED_LATER,
        ),
    ] = False

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        if (self.gridfs is None) == (self.url is None):
            raise ValueError("set exactly one of source.gridfs and source.url")
        return self


class Notify(Model):
    """Who is told when it is done."""

    email: Annotated[
        str | None,
        Field(max_length=254, description="Gets one email at the end; none without an address."),
        Text(_EMAIL, "notify.email must be one email address, such as you@example.com, without spaces"),
    ] = None


_Parallelism = Annotated[
    int | Literal["auto"],
    Field(description='How many pods share a long sound; "auto" goes by its duration.'),
    IntOrString(
        1,
        MAX_PARALLELISM,
        "^auto$",
        f'parallelism must be an integer from 1 to {MAX_PARALLELISM}, or "auto"',
        (immutable("parallelism"),),
    ),
]


class ConversionSpec(Model):
    """What somebody wants converted, and how."""

    model_config = ConfigDict(
        json_schema_extra=with_rules(
            # The rule of the field itself is not asked where it comes later, or goes.
            rule("has(self.className) == has(oldSelf.className)", _CLASS_STAYS)
        )
    )

    source: Annotated[Source, Field(description="Where the video comes from.")]
    output: Annotated[Output, Field(description="The mp3 that is wanted.")] = Output()
    owner: Annotated[
        str,
        Field(max_length=254, description="The account it belongs to, and that may download the mp3."),
        Text(_OWNER, _OWNER_COMPLAINT, (immutable("owner"),)),
    ] = ""
    notify: Annotated[
        Notify,
        Field(description="Who is told.", json_schema_extra=with_rules(immutable("notify"))),
    ] = Notify()
    parallelism: _Parallelism = 1
    priority: Annotated[int, Field(ge=-1000, le=1000, description="Higher goes first while it is queued.")] = 0
    suspend: Annotated[bool, Field(description="Stops it, and keeps it from starting, until it is false again.")] = (
        False
    )
    class_name: Annotated[
        str | None,
        Field(
            max_length=names.MAX_NAME_LENGTH,
            description="The ConversionClass that says what this one does not; the default one if unset.",
        ),
        Text(_CLASS_NAME, "className must be the name of a ConversionClass", (immutable("className"),)),
    ] = None
    retry_limit: Annotated[
        int, Field(ge=0, le=10, description="Attempts after the first; 3 by default.", json_schema_extra=BY_CLASS)
    ] = 3
    timeouts: Annotated[
        Timeouts, Field(description="How long each stage may take; by default as the installation's values say.")
    ] = Timeouts()
    ttl_seconds_after_finished: Ttl = None
    deletion_policy: Annotated[
        Literal["Delete", "Retain"],
        Field(
            description="Whether the files go when the Conversion is deleted; Delete by default.",
            json_schema_extra=BY_CLASS,
        ),
    ] = "Delete"
    source_policy: Annotated[
        Literal["DeleteAfterSuccess", "Retain"],
        Field(
            description="What becomes of a GridFS source once it is converted; DeleteAfterSuccess by default.",
            json_schema_extra=BY_CLASS,
        ),
    ] = "DeleteAfterSuccess"


class ObjectMeta(Report):
    """What this project reads of `metav1.ObjectMeta`."""

    name: str
    namespace: str
    uid: str = ""
    generation: int = 1
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    finalizers: tuple[str, ...] = ()
    labels: Annotated[dict[str, str], Field(default_factory=dict)]
    annotations: Annotated[dict[str, str], Field(default_factory=dict)]

    @property
    def request_id(self) -> str:
        """Of the upload that made it; "" where it was made otherwise."""
        given = self.annotations.get(names.ANNOTATION_REQUEST_ID, "")
        return given if names.is_request_id(given) else ""

    @property
    def retry_requested_at(self) -> str | None:
        """What somebody asks for another try by, as far as it is kept; None where nobody does."""
        return self.annotations.get(names.ANNOTATION_RETRY, "")[:LONGEST_RETRY_REQUEST] or None

    def asks_retry(self, last_handled: str | None) -> bool:
        """Whether another try is asked for that was not dealt with; `last_handled` is the status's word."""
        return self.retry_requested_at not in (None, last_handled)

    @property
    def ref(self) -> ConversionRef:
        """What the ledger and messages call it."""
        return ConversionRef(uid=self.uid, namespace=self.namespace, name=self.name, request_id=self.request_id)


class Conversion(Report):
    """③ The custom resource as a whole."""

    metadata: ObjectMeta
    spec: ConversionSpec
    status: ConversionStatus = ConversionStatus()

    @property
    def filename(self) -> str:
        """What the mp3 is called."""
        return self.spec.output.filename or f"{self.metadata.name}.mp3"

    def manifest(self) -> dict[str, Any]:
        """The document that creates it: no status, and no default spelled out."""
        wanted = {"name": self.metadata.name, "namespace": self.metadata.namespace}
        optional = {
            "labels": self.metadata.labels,
            "annotations": self.metadata.annotations,
            "finalizers": list(self.metadata.finalizers),
        }
        return {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": wanted | {key: value for key, value in optional.items() if value},
            "spec": self.spec.model_dump(mode="json", by_alias=True, exclude_unset=True, exclude_none=True),
        }


def is_file_id(text: str) -> bool:
    """Whether a text is a GridFS file id as this project writes them."""
    return re.fullmatch(FILE_ID.strip("^$"), text) is not None
