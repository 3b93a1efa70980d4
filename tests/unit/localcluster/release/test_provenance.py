"""Where files come from, as a statement that in-toto's own library reads."""

import json
from datetime import UTC, datetime

import pytest
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1 import provenance_pb2
from in_toto_attestation.v1 import statement_pb2
from in_toto_attestation.v1.resource_descriptor import ResourceDescriptor
from in_toto_attestation.v1.statement import Statement

from video2mp3_localcluster.release.provenance import Document, Origin, Run, build_provenance

FILES = {"video2mp3-1.2.3.tgz": "a" * 64, "images/worker-1.2.3.oci.tar": "b" * 64}
ORIGIN = Origin("c" * 40, "https://code.example.com/video2mp3", {"auth/requirements.txt": "e" * 64}, "urn:a:machine")
RUN = Run({"version": "1.2.3"}, datetime(2026, 3, 4, 5, tzinfo=UTC), datetime(2026, 3, 4, 6, 0, 0, 7, tzinfo=UTC))


def judge(document: Document) -> None:
    """Read it as in-toto does, the predicate as well; raises where it is none."""
    Statement.copy_from_pb(ParseDict(document, statement_pb2.Statement())).validate()
    predicate = ParseDict(document["predicate"], provenance_pb2.Provenance())
    for dependency in predicate.build_definition.resolved_dependencies:
        ResourceDescriptor.copy_from_pb(dependency).validate()


def test_in_toto_reads_the_statement() -> None:
    document = json.loads(json.dumps(build_provenance(FILES, ORIGIN, RUN)))
    judge(document)
    assert {each["name"]: each["digest"]["sha256"] for each in document["subject"]} == FILES
    source, lock = document["predicate"]["buildDefinition"]["resolvedDependencies"]
    assert source == {
        "name": "source",
        "uri": "git+https://code.example.com/video2mp3",
        "digest": {"gitCommit": "c" * 40},
    }
    assert lock == {"name": "auth/requirements.txt", "digest": {"sha256": "e" * 64}}
    assert document["predicate"]["runDetails"] == {
        "builder": {"id": "urn:a:machine"},
        "metadata": {"startedOn": "2026-03-04T05:00:00Z", "finishedOn": "2026-03-04T06:00:00Z"},
    }


def test_what_is_no_statement_is_found() -> None:
    document = build_provenance({}, ORIGIN, RUN)
    with pytest.raises(ValueError, match="subject"):
        judge(document)
