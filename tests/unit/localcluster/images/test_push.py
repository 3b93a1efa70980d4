"""Where images are pushed to, by which steps, and what is said when that fails."""

from pathlib import Path

import pytest

from video2mp3_localcluster.images.archives import archive_path
from video2mp3_localcluster.images.build import BASE_STEP, TOOLS_STEP, step_name
from video2mp3_localcluster.images.catalogue import SERVICES
from video2mp3_localcluster.images.push import Target, chart_version, push_steps, reason
from video2mp3_localcluster.images.references import image_tags
from video2mp3_localcluster.steps.step_log import StepFailed

TARGET = Target("registry.example.com:5000/team/mp3", "7")


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))


REGISTRIES = {
    "registry.example.com": "registry.example.com",
    "registry.example.com/video2mp3": "registry.example.com",
    "docker.io/somebody": "docker.io",
    "localhost/mp3": "localhost",
    "localhost:5000": "localhost:5000",
    "127.0.0.1:5000/a/b-c_d.e": "127.0.0.1:5000",
    "registry:5000/mp3": "registry:5000",
}


@pytest.mark.parametrize(("registry", "host"), REGISTRIES.items())
def test_a_registry_has_a_host_and_may_have_a_path(registry: str, host: str) -> None:
    target = Target(registry, "1")
    assert target.host == host
    assert [target.name(image) for image in SERVICES] == [
        f"{registry}/{name}:1" for name in ("gateway", "auth", "operator", "worker", "notifier")
    ]


NO_REGISTRIES = [
    "",
    "somebody",
    "somebody/mp3",
    "https://registry.example.com",
    "registry.example.com/",
    "registry.example.com/Team",
    "registry.example.com/mp3:7",
    "registry.example.com:/mp3",
    "registry.example.com/mp3 ",
]


@pytest.mark.parametrize("registry", NO_REGISTRIES)
def test_what_is_no_registry_is_refused_before_anything_is_built(registry: str) -> None:
    with pytest.raises(StepFailed, match=r"is no registry: REGISTRY is its host, .* such as registry\.example\.com/"):
        Target(registry, "1")


@pytest.mark.parametrize("tag", ["", "a b", "-1", "1/2", "x" * 129])
def test_what_is_no_tag_is_refused(tag: str) -> None:
    with pytest.raises(StepFailed, match="is no tag"):
        Target("registry.example.com", tag)


def test_the_chart_is_told_of_the_registry_and_of_a_tag_that_is_not_its_own() -> None:
    assert Target("localhost:5000", chart_version()).chart_arguments() == ["--set", "images.registry=localhost:5000"]
    # As a string, since Helm would take 7 for a number.
    assert TARGET.chart_arguments()[2:] == ["--set-string", "images.tag=7"]


def test_images_are_pushed_one_after_the_other_each_after_it_was_built() -> None:
    needs = {step.name: step.needs for step in push_steps(TARGET)}
    assert {name: needs[name] for name in needs if name.startswith("push ")} == {
        "push gateway": (TOOLS_STEP, "image gateway"),
        "push auth": ("push gateway", "image auth"),
        "push operator": ("push auth", "image operator"),
        "push worker": ("push operator", "image worker"),
        "push notifier": ("push worker", "image notifier"),
    }
    assert needs["image gateway"] == (BASE_STEP,)


def test_images_that_are_there_need_only_what_pushes_them() -> None:
    for image, tag in image_tags(SERVICES).items():
        archive_path(image, tag).touch()
    needs = {step.name: step.needs for step in push_steps(TARGET)}
    assert {needs[step_name(image)] for image in SERVICES} == {()}
    assert BASE_STEP not in needs
    assert needs[TOOLS_STEP] == ()


HOST = "registry.example.com:5000"
PINGING = f"trying to reuse blob sha256:56 at destination: pinging container registry {HOST}:"
ASKING = f"checking whether a blob sha256:56 exists in {HOST}/team/mp3/gateway:"
LOGIN = f"{HOST} takes no images below {HOST}/team/mp3 from this login; `buildah login {HOST}` is another one"
UNTRUSTED = (
    f"this machine does not trust the certificate of {HOST}; its authority's belongs into "
    f"/etc/containers/certs.d/{HOST}/ca.crt"
)
SAID = {
    "plain HTTP": (
        f'{PINGING} Get "https://{HOST}/v2/": http: server gave HTTP response to HTTPS client',
        f"{HOST} speaks HTTP without TLS; say INSECURE=1 (--insecure) if it is meant to",
    ),
    "a certificate of nobody": (
        f'{PINGING} Get "https://{HOST}/v2/": x509: certificate signed by unknown authority',
        UNTRUSTED,
    ),
    "no login": (f"{ASKING} unauthorized: authentication required", LOGIN),
    "another's path": (f"{ASKING} denied: requested access to the resource is denied", LOGIN),
    "nobody is let in": (f"{PINGING} invalid status code from registry 403 (Forbidden)", LOGIN),
    "away": (
        f'{PINGING} Get "https://{HOST}/v2/": dial tcp 192.0.2.1:5000: connect: connection refused',
        f"nothing answers at {HOST}",
    ),
    "unknown": (
        f'{PINGING} Get "https://{HOST}/v2/": dial tcp: lookup registry.example.com: no such host',
        f"nothing answers at {HOST}",
    ),
    "something else": ("writing blob: Patch: 507 Insufficient Storage", ""),
}


@pytest.mark.parametrize(("said", "told"), SAID.values(), ids=SAID)
def test_what_buildah_says_is_told_with_what_to_do(said: str, told: str) -> None:
    assert reason(f"$ buildah push\nError: pushing image: {said}\n", TARGET) == told
