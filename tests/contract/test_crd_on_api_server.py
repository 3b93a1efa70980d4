"""The CustomResourceDefinition on a real API server: it accepts and refuses what the models do, and says why."""

import copy
import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.integration.conftest import kube_apiserver, kubernetes_server
from tests.servers import KubernetesServer
from tests.unit.contracts.api.test_conversion import ACCEPTED, FILE, REFUSED
from video2mp3_contracts.api import crd, names
from video2mp3_contracts.api.conversion import Conversion, ConversionSpec
from video2mp3_contracts.api.validation_errors import FieldError, field_errors

__all__ = ["kube_apiserver", "kubernetes_server"]
Document = dict[str, Any]


class Conversions:
    """Conversions in one namespace, as their administrator handles them."""

    def __init__(self, server: KubernetesServer, namespace: str) -> None:
        self.namespace = namespace
        user = json.loads(server.kubeconfig.read_text())["users"][0]["user"]
        self._context = ssl.create_default_context(cafile=str(server.ca_file))
        self._context.load_cert_chain(user["client-certificate"], user["client-key"])
        self._url = f"{server.url}/apis/{names.API_VERSION}/namespaces/{namespace}/{names.PLURAL}"

    def request(self, method: str, path: str, body: Document | None = None) -> tuple[int, Document]:
        """One request; answers the status code and the document."""
        kind = "application/merge-patch+json" if method == "PATCH" else "application/json"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self._url + path, data, {"Content-Type": kind}, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10, context=self._context) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def create(self, spec: Document, name: str = "talk", *, dry: bool = True) -> tuple[int, Document]:
        """Create one, strictly; by default only to see whether it could be."""
        body = {
            "apiVersion": names.API_VERSION,
            "kind": names.KIND,
            "metadata": {"name": name, "namespace": self.namespace},
            "spec": spec,
        }
        return self.request("POST", f"?fieldValidation=Strict{'&dryRun=All' if dry else ''}", body)


@pytest.fixture(scope="module")
def conversions(kubernetes_server: KubernetesServer) -> Iterator[Conversions]:
    return Conversions(kubernetes_server, kubernetes_server.new_namespace())


@pytest.mark.parametrize("spec", ACCEPTED.values(), ids=ACCEPTED)
def test_what_the_models_accept_is_accepted(conversions: Conversions, spec: Document) -> None:
    code, answer = conversions.create({"source": FILE} | spec)
    assert code == 201, answer["message"]
    Conversion.model_validate(answer)


@pytest.mark.parametrize(("spec", "complaint"), REFUSED.values(), ids=REFUSED)
def test_what_the_models_refuse_is_refused_in_the_same_words(
    conversions: Conversions, spec: Document, complaint: str
) -> None:
    code, answer = conversions.create({"source": FILE} | spec)
    assert code in (400, 422)
    assert complaint in answer["message"]
    assert "should match" not in answer["message"]


def test_a_source_is_required(conversions: Conversions) -> None:
    code, answer = conversions.create({})
    assert code == 422
    assert "spec.source: Required value" in answer["message"]


def test_defaults_are_filled_in_and_are_the_models(conversions: Conversions) -> None:
    _, answer = conversions.create({"source": FILE})
    assert ConversionSpec.model_validate(answer["spec"]) == ConversionSpec.model_validate({"source": FILE})
    # What a class may say is not filled in.
    assert answer["spec"]["output"] == {"tags": {}}
    assert not {"retryLimit", "deletionPolicy", "sourcePolicy"} & answer["spec"].keys()
    assert answer["status"] == crd.UNSEEN_STATUS


def test_a_name_that_no_label_could_carry_is_refused(conversions: Conversions) -> None:
    assert conversions.create({"source": FILE}, "x" * 63)[0] == 201
    code, answer = conversions.create({"source": FILE}, "x" * 64)
    assert code == 422
    told = "metadata: Invalid value: metadata.name must have at most 63 characters"
    assert answer["message"].endswith(f" is invalid: {told}")


CHANGES: dict[str, tuple[Document, str]] = {
    "source": ({"source": {"gridfs": {"fileId": "f" * 24}}}, "source is immutable: make a new Conversion instead"),
    "sha256": ({"source": {"sha256": "0" * 64}}, "source is immutable: make a new Conversion instead"),
    "output": ({"output": {"encoding": {"vbr": 4}}}, "output is immutable: make a new Conversion instead"),
    "output, added": ({"output": {"filename": "x.mp3"}}, "output is immutable: make a new Conversion instead"),
    "owner": ({"owner": "b@example.com"}, "owner is immutable: make a new Conversion instead"),
    "notify": ({"notify": {"email": "b@example.com"}}, "notify is immutable: make a new Conversion instead"),
    "notify, removed": ({"notify": {"email": None}}, "notify is immutable: make a new Conversion instead"),
    "parallelism": ({"parallelism": 2}, "parallelism is immutable: make a new Conversion instead"),
    "class, removed": ({"className": None}, "className must not come later, nor go"),
    "class": ({"className": "music"}, "className is immutable: make a new Conversion instead"),
    "priority": ({"priority": 5}, ""),
    "suspend": ({"suspend": True}, ""),
    "retry limit": ({"retryLimit": 0}, ""),
    "timeouts": ({"timeouts": {"queueSeconds": 60}}, ""),
    "time to live": ({"ttlSecondsAfterFinished": 60}, ""),
    "policies": ({"deletionPolicy": "Retain", "sourcePolicy": "Retain"}, ""),
}


@pytest.fixture(scope="module")
def existing(conversions: Conversions) -> str:
    spec = {"source": FILE, "owner": "a@example.com", "notify": {"email": "a@example.com"}, "className": "speech"}
    assert conversions.create(spec, "existing", dry=False)[0] == 201
    return "existing"


@pytest.mark.parametrize(("change", "complaint"), CHANGES.values(), ids=CHANGES)
def test_what_may_change(conversions: Conversions, existing: str, change: Document, complaint: str) -> None:
    code, answer = conversions.request("PATCH", f"/{existing}?dryRun=All", {"spec": change})
    assert code == (422 if complaint else 200), answer
    assert complaint in answer.get("message", "")


def test_the_status_is_a_subresource(conversions: Conversions, existing: str) -> None:
    _, answer = conversions.request("PATCH", f"/{existing}", {"status": {"phase": "Succeeded"}})
    assert answer["status"]["phase"] == "Pending"
    _, answer = conversions.request("PATCH", f"/{existing}/status?dryRun=All", {"status": {"phase": "Running"}})
    assert answer["status"]["phase"] == "Running"


def test_people_see_the_columns(kubernetes_server: KubernetesServer, conversions: Conversions, existing: str) -> None:
    plain = kubernetes_server.kubectl("get", "conv", "-n", conversions.namespace).splitlines()[0].split()
    wide = kubernetes_server.kubectl("get", "conv", "-n", conversions.namespace, "-o", "wide").splitlines()[0].split()
    assert plain == ["NAME", "PHASE", "PROGRESS", "QUEUE", "ATTEMPTS", "REASON", "AGE"]
    assert wide == [*plain, "OUTPUT", "DURATION", "OWNER", "CLASS"]
    # `kubectl delete all --all` is not to take mp3s with it.
    assert existing not in kubernetes_server.kubectl("get", "all", "-n", conversions.namespace)


@pytest.mark.parametrize("path", ["spec", "spec.output.trim", "spec.output.encoding", "status.conditions"])
def test_kubectl_explains_meaning_form_and_default(kubernetes_server: KubernetesServer, path: str) -> None:
    node = crd.definition()["spec"]["versions"][0]["schema"]["openAPIV3Schema"]
    for name in path.split("."):
        node = node["properties"][name]
    told = " ".join(kubernetes_server.kubectl("explain", f"conversion.{path}").split())
    fields = node.get("items", node)["properties"]
    assert [name for name, field in fields.items() if field["description"] not in told] == []


def test_kubectl_explains_what_it_calls_an_object(kubernetes_server: KubernetesServer) -> None:
    told = " ".join(kubernetes_server.kubectl("explain", "conversion.spec.parallelism").split())
    assert "FIELD: parallelism <Object>" in told
    assert 'An integer, or a text in quotes. Must be an integer from 1 to 16, or "auto". Immutable. Default: 1.' in told


def test_an_owners_conversions_can_be_selected(conversions: Conversions, existing: str) -> None:
    def owned_by(owner: str) -> list[str]:
        found = conversions.request("GET", f"?fieldSelector=spec.owner%3D{owner}")[1]["items"]
        return [item["metadata"]["name"] for item in found]

    assert owned_by("a@example.com") == [existing]
    assert owned_by("b@example.com") == []


def test_a_whole_number_with_a_point_can_be_read_where_the_api_server_lets_it_through(conversions: Conversions) -> None:
    """It does where no CEL rule reads the field, so the generated specs below leave such numbers out."""
    code, answer = conversions.create({"source": FILE, "timeouts": {"queueSeconds": 1.0}, "priority": 5.0})
    assert code == 201
    spec = Conversion.model_validate(answer).spec
    assert (spec.timeouts.queue_seconds, spec.priority) == (1, 5)


# --- whatever anybody writes ---

TEXTS = st.one_of(
    st.text(max_size=40),
    st.sampled_from(["", "a.mp3", "a/b", "a\\b", "..", ".", "a\n", "a@example.com", "en", "pt-BR", "f" * 24, "1:2:3"]),
)
NUMBERS = st.one_of(
    st.integers(-5, 12),
    st.sampled_from([32, 64, 128, 160, 320, 8000, 12000, 22050, 44100, 999_999, 1_000_000, 604_800, 604_801, 2**31]),
)
FRACTIONS = st.floats(-80, 80).filter(lambda number: not number.is_integer())
ANYTHING = st.one_of(TEXTS, NUMBERS, st.booleans(), FRACTIONS, st.just({}), st.just([]))


def sometimes(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Document]:
    return st.fixed_dictionaries(
        {}, optional={name: st.one_of(field, field, ANYTHING) for name, field in fields.items()}
    )


URL_PARTS = (
    st.sampled_from(["", "", "s", "S"]),
    st.sampled_from(["a.example", "a@b", "[::1]", "a:80", "a:81", "a.", "a..b", ".", "127.1", "a\\b", "ä", "[a]:443"])
    | TEXTS,
    st.sampled_from(["", "/", "?", "#", "/a b", "/ä", "/\u2028", "/\n"]) | TEXTS,
)
SPECS = st.fixed_dictionaries(
    {
        "source": sometimes(
            gridfs=st.one_of(st.just(FILE["gridfs"]), sometimes(fileId=TEXTS)),
            url=st.one_of(st.just("https://example.com/a.mp4"), st.builds("http{}://{}{}".format, *URL_PARTS), TEXTS),
            sha256=st.sampled_from(["0" * 64, "G" * 64]),
        )
        | st.just(FILE)
        | st.just(FILE)
    },
    optional={
        "output": sometimes(
            filename=TEXTS,
            encoding=sometimes(vbr=NUMBERS, cbr=NUMBERS) | st.just({"vbr": 2}) | st.just({"cbr": 160}),
            sampleRate=NUMBERS,
            channels=st.sampled_from(["source", "mono", "stereo", "5.1"]),
            trim=sometimes(start=NUMBERS | TEXTS, end=st.sampled_from(["00:01:30.500", "90", "1.5"]) | NUMBERS),
            loudness=sometimes(
                integratedLufs=FRACTIONS | NUMBERS, mode=st.sampled_from(["gain", "limit", "measureOnly", "loud"])
            ),
            audioTrack=sometimes(index=NUMBERS, language=TEXTS),
            tags=sometimes(
                title=TEXTS,
                albumArtist=TEXTS,
                date=TEXTS,
                comment=TEXTS,
                lyrics=TEXTS,
                custom=st.dictionaries(TEXTS, TEXTS, max_size=2),
                id3Version=st.sampled_from(["2.3", "2.4", "2.2"]),
            ),
        ),
        "owner": TEXTS,
        "notify": sometimes(email=TEXTS),
        "parallelism": NUMBERS | st.sampled_from(["auto", "4"]),
        "priority": NUMBERS,
        "suspend": st.booleans() | ANYTHING,
        "retryLimit": NUMBERS,
        "timeouts": sometimes(queueSeconds=NUMBERS, startSeconds=NUMBERS, runSeconds=NUMBERS),
        "ttlSecondsAfterFinished": NUMBERS,
        "deletionPolicy": st.sampled_from(["Delete", "Retain", "Keep"]),
        "sourcePolicy": st.sampled_from(["DeleteAfterSuccess", "Retain", "Keep"]),
    },
)


@settings(
    max_examples=400,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(spec=SPECS)
def test_models_and_api_server_agree(conversions: Conversions, spec: Document) -> None:
    code, answer = conversions.create(copy.deepcopy(spec))
    assert code in (201, 400, 422), answer
    found, said = complaints_of_the_models(spec), answer.get("message", "")
    assert (code == 201) == (found == []), f"the models say {found!r}, the API server {said!r}: {spec}"
    assert "should match" not in said
    if code == 422 and RULES_NOT_CHECKED not in said:
        assert {words: said.count(words) for words in rules_among(found)} == dict.fromkeys(rules_among(found), 1)


RULES_NOT_CHECKED = "some validation rules were not checked"
"""What the API server adds where a type, a length or a missing field kept it from looking further."""


def complaints_of_the_models(spec: Document) -> list[FieldError]:
    try:
        ConversionSpec.model_validate(spec)
    except ValidationError as error:
        return field_errors(error, "spec")
    return []


def rules_among(found: list[FieldError]) -> set[str]:
    """The words of rules that the API server has too; pydantic's own never name the field."""
    return {each.message for each in found if each.field.removeprefix("spec.") in each.message}
