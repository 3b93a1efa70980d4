"""The process: its settings, its command line, its heartbeat, its health and what it counts."""

import asyncio
from collections.abc import Iterable
from itertools import islice
from typing import Any

import kopf
import pytest
from pydantic import ValidationError

from tests.builders import a_conversion, a_job, a_pod
from tests.unit.operator.fakes import World
from tests.unit.operator.harness import an_operator, live, settings
from video2mp3_operator.__main__ import arguments, main
from video2mp3_operator.app import handlers
from video2mp3_operator.app.kopf_settings import configure_kopf
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError, RefusedError, UnavailableError

REQUIRED = {
    "OPERATOR_MONGODB_URI": "mongodb://user:hunter2@localhost",
    "OPERATOR_RABBITMQ_URI": "amqp://localhost",
    "OPERATOR_WORKER_IMAGE": "worker:1",
    "OPERATOR_WORKER_SECRET": "worker",
}


def test_settings_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (REQUIRED | {"OPERATOR_WATCH_NAMESPACES": "one, two,"}).items():
        monkeypatch.setenv(name, value)
    found = Settings()
    assert found.watch_namespaces == ("one", "two")
    assert found.heartbeat_namespaces == ("one", "two")
    assert "hunter2" not in repr(found)
    assert arguments(found)[2:6] == ["--namespace", "one", "--namespace", "two"]


def test_hosts_are_read_and_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (REQUIRED | {"OPERATOR_ALLOWED_HOSTS": "media.example.com, *.example.org"}).items():
        monkeypatch.setenv(name, value)
    assert Settings().allowed_hosts == ("media.example.com", "*.example.org")
    monkeypatch.setenv("OPERATOR_ALLOWED_HOSTS", "https://media.example.com")
    with pytest.raises(ValidationError, match=r"not a host in lower case, \*\.example\.com or \*: https://media"):
        Settings()


@pytest.mark.parametrize("missing", REQUIRED)
def test_what_has_no_safe_default_must_be_given(monkeypatch: pytest.MonkeyPatch, missing: str) -> None:
    for name, value in REQUIRED.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv(missing)
    with pytest.raises(ValidationError, match=missing.removeprefix("OPERATOR_").lower()):
        Settings()


def test_started_with_wrong_settings_it_names_the_variables_and_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (REQUIRED | {"OPERATOR_WORKER_PART_SECONDS": "5"}).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("OPERATOR_WORKER_IMAGE")

    with pytest.raises(SystemExit) as ended:
        main()

    assert "OPERATOR_WORKER_IMAGE: Field required" in str(ended.value)
    assert "OPERATOR_WORKER_PART_SECONDS: " in str(ended.value)
    assert "hunter2" not in str(ended.value)


@pytest.mark.parametrize("wrong", [{"lease_deadline_seconds": 8}, {"lease_seconds": 6}, {"lease_renew_seconds": 6}])
def test_a_leader_renews_before_its_deadline_and_that_comes_before_the_leases_end(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match="lease_renew_seconds must be less than lease_deadline_seconds"):
        settings(**wrong)


def test_all_namespaces_by_default() -> None:
    everywhere = settings(watch_namespaces=(), namespace="system")
    assert arguments(everywhere)[2] == "--all-namespaces"
    assert everywhere.heartbeat_namespaces == ("system",)


def test_kopf_adds_nothing_to_anything() -> None:
    registry = kopf.get_default_registry()
    assert registry._changing.get_all_handlers() == []
    assert registry._spawning.get_all_handlers() == []
    assert registry._indexing.get_all_handlers() == []


def test_kopfs_watches_cannot_stay_deaf() -> None:
    theirs = kopf.OperatorSettings()
    configure_kopf(theirs, settings(), {"jobs": "a=b"})
    assert theirs.watching.server_timeout == 300
    assert theirs.watching.client_timeout == 330
    assert theirs.scanning.disabled
    assert not theirs.posting.enabled


def test_a_background_task_that_ends_is_unhealthy() -> None:
    async def main() -> str:
        operator = an_operator(World())

        async def bug() -> None:
            raise ValueError("bug")

        operator._tasks = {"resync": asyncio.create_task(bug())}
        await asyncio.gather(*operator._tasks.values(), return_exceptions=True)
        return operator._unhealthy()

    assert asyncio.run(main()) == "ended: resync"


def test_handlers_route_news_and_only_news() -> None:
    operator = an_operator(World())
    memo = kopf.Memo(operator=operator)
    key = Key("media", "talk")

    def handle(handler: Any, kind: str | None, document: dict[str, Any]) -> bool:
        before = len(operator.queue)
        asyncio.run(handler(event={"type": kind, "object": document}, memo=memo))
        added = len(operator.queue) > before
        for due in (operator.queue._urgent, operator.queue._waiting):
            due.clear()
        return added

    assert handle(handlers.on_conversion, None, a_conversion().versioned(1).document)
    assert not operator._is_urgent(key)
    assert not handle(handlers.on_conversion, "MODIFIED", a_conversion().versioned(1).document)
    assert handle(handlers.on_job, "ADDED", a_job().document)
    assert operator._is_urgent(key)
    assert not handle(handlers.on_job, "MODIFIED", a_job().document)
    assert handle(handlers.on_pod, "ADDED", a_pod().document)
    assert handle(handlers.on_pod, "DELETED", a_pod().document)
    assert handle(handlers.on_job, "DELETED", a_job().document)
    assert not handle(handlers.on_job, "DELETED", a_job().document)
    assert handle(handlers.on_conversion, "DELETED", a_conversion().versioned(2).document)
    assert operator.cache.conversion(key) is None


@pytest.mark.parametrize(
    ("error", "first", "longest"),
    [
        (ConflictError("x"), 0.02, 5),
        (UnavailableError("x"), 1, 60),
        (RefusedError("x"), 5, 300),
        (ValueError("a bug"), 5, 600),
    ],
)
def test_each_error_has_its_pace(error: Exception, first: float, longest: float) -> None:
    operator = an_operator(World())
    backoff = operator._backoff(Key("media", "talk"), error)
    assert (backoff.first, backoff.longest) == (first, longest)
    assert (
        operator.metrics.registry.get_sample_value(
            "video2mp3_operator_reconcile_errors_total", {"error": type(error).__name__}
        )
        == 1
    )


def test_gauges_tell_of_this_moment() -> None:
    world = World()
    for name in ("a", "b"):
        world.apply(a_conversion(name))
    operator = live(world, max_running=1)
    value = operator.metrics.registry.get_sample_value
    assert value("video2mp3_operator_conversions", {"phase": "Running"}) == 1
    assert value("video2mp3_operator_conversions", {"phase": "Queued"}) == 1
    assert value("video2mp3_operator_jobs_live") == 1
    assert value("video2mp3_operator_queued") == 1


def test_kopf_never_gives_a_watch_up() -> None:
    theirs = kopf.OperatorSettings()
    configure_kopf(theirs, settings(), {})
    pauses = theirs.networking.error_backoffs
    assert isinstance(pauses, Iterable)
    for _request in range(2):
        assert list(islice(pauses, 10)) == [1, 1, 2, 3, 5, 8, 13, 21, 21, 21]
