"""The process: its settings, its command line, its heartbeat, its health and what it counts."""

import asyncio
from collections.abc import AsyncIterator, Iterable
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

import kopf
import pytest
from pydantic import ValidationError

from tests.builders import NOW, a_conversion, a_job, a_pod
from tests.unit.operator.fakes import FakeKubernetes, World
from tests.unit.operator.harness import an_operator, live, settings, until
from video2mp3_operator.__main__ import arguments, main
from video2mp3_operator.app import handlers
from video2mp3_operator.app.kopf_settings import configure_kopf
from video2mp3_operator.objects.metadata import Key
from video2mp3_operator.policy.settings import Settings
from video2mp3_operator.ports.errors import ConflictError, GoneError, RefusedError, UnavailableError
from video2mp3_operator.sweep import resync

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


HEARTBEAT = "video2mp3-operator-heartbeat"


@pytest.mark.parametrize("hours", [1, -1])
def test_a_clock_that_is_set_between_two_beats_makes_none_look_late(hours: int) -> None:
    world = World()
    operator = an_operator(world)
    asyncio.run(operator.heartbeat.beat())
    world.step_clock(hours=hours)
    assert operator.heartbeat.age() == 0
    world.pass_time(seconds=5)
    asyncio.run(operator.heartbeat.beat())
    assert operator.heartbeat.age() == 5
    operator.heartbeat.hear("media", HEARTBEAT, world.now)
    assert operator.heartbeat.age() == 0
    world.pass_time(seconds=100)
    assert operator.heartbeat.age() == 0


def test_the_first_namespaces_heartbeat_tells_the_cluster() -> None:
    operator = an_operator(World(), watch_namespaces=("media", "team"))
    assert operator.heartbeat.uid == ""
    asyncio.run(operator.heartbeat.beat())
    assert operator.heartbeat.uid == "lease-of-media"


def test_health_follows_the_heartbeats_echo() -> None:
    world = World()
    operator = an_operator(world)
    assert operator._unready() == "starting"
    asyncio.run(_started(operator))
    asyncio.run(operator.heartbeat.beat())
    assert world.beats == [NOW]
    operator.heartbeat.hear("media", HEARTBEAT, NOW - timedelta(seconds=1))
    operator.heartbeat.hear("media", "anothers-operator-heartbeat", NOW)
    assert operator._unready() == "no heartbeat has come back yet"
    operator.heartbeat.hear("media", HEARTBEAT, NOW)
    assert (operator._unready(), operator._unhealthy()) == ("", "")


def test_a_deaf_watch_is_unhealthy_until_it_hears_again() -> None:
    world = World()
    operator = an_operator(world)
    asyncio.run(_started(operator))
    for _ in range(10):
        asyncio.run(operator.heartbeat.beat())
        world.pass_time(seconds=10)
    assert operator._unhealthy() == "no heartbeat came back for 100 s"
    operator.heartbeat.hear("media", HEARTBEAT, world.beats[-1])
    assert operator._unhealthy() == ""


def test_an_api_server_that_is_away_is_not_our_fault() -> None:
    world = World(away={"kubernetes"})
    operator = an_operator(world)
    asyncio.run(_started(operator))
    for _ in range(10):
        asyncio.run(operator.heartbeat.beat())
        world.pass_time(seconds=60)
    assert operator._unhealthy() == ""


async def _started(operator: Any) -> None:
    """Tasks that have not ended, as those of a process that runs."""
    operator._tasks = {"reconcile": asyncio.get_running_loop().create_future()}


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


def test_what_went_between_the_first_lists_and_the_watches_is_noticed_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resync, "_FIRST_RESYNC_SECONDS", 0.001)
    world = World()
    key = world.apply(a_conversion())
    operator = an_operator(world, resync_seconds=3600)

    async def main() -> None:
        await operator.prime()
        del world.conversions[key]
        task = asyncio.create_task(operator.resync.run())
        await until(lambda: operator.cache.conversion(key) is None)
        task.cancel()

    asyncio.run(main())
    assert operator.metrics.registry.get_sample_value("video2mp3_operator_resync_repairs_total") == 1


def refusing(operator: Any, namespace: str) -> None:
    """The lists of one namespace are refused from now on: it is gone, and the operator's Role with it."""
    allowed = operator.resync.lister.conversions

    async def conversions(asked: str | None) -> AsyncIterator[dict[str, Any]]:
        if asked == namespace:
            raise RefusedError("conversions is forbidden")
        async for document in allowed(asked):
            yield document

    operator.resync.lister.conversions = conversions


def test_lists_that_are_refused_end_nothing_and_let_nothing_be_forgotten() -> None:
    """What is forgotten would be taken for nobody's; and the other namespaces are listed on."""
    world = World()
    gone, there = world.apply(a_conversion()), world.apply(a_conversion("new", "team-a"))
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    asyncio.run(operator.prime())
    refusing(operator, "media")
    del world.conversions[there]
    asyncio.run(operator.resync.once())
    assert operator.cache.conversion(gone) is not None
    assert operator.cache.conversion(there) is None
    assert operator.metrics.registry.get_sample_value("video2mp3_operator_namespaces_unlisted") == 1


def test_a_namespace_that_is_refused_at_the_start_keeps_no_other_from_being_served() -> None:
    world = World()
    key = world.apply(a_conversion("new", "team-a"))
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    refusing(operator, "media")
    asyncio.run(operator.prime())
    assert operator.cache.conversion(key) is not None


def test_what_is_nobodys_is_not_asked_before_every_namespace_was_listed() -> None:
    """Files of Conversions that a new operator has not been able to see are not nobody's."""
    world = World()
    world.apply(a_conversion())
    operator = an_operator(world, watch_namespaces=("media", "team-a"))
    refusing(operator, "media")
    asyncio.run(operator.prime())
    for question in (operator.cache.uids, operator.cache.sources):
        with pytest.raises(UnavailableError, match="media"):
            question()
    operator.resync.lister.conversions = FakeKubernetes(world).conversions  # type: ignore[method-assign]
    asyncio.run(operator.resync.once())
    assert operator.cache.uids() == {"uid-media-talk"}


@pytest.mark.parametrize("refused", [("media",), ("media", "team-a")])
def test_an_operator_that_may_list_nothing_does_not_start(refused: tuple[str, ...]) -> None:
    operator = an_operator(World(), watch_namespaces=refused)
    for namespace in refused:
        refusing(operator, namespace)
    with pytest.raises(RefusedError):
        asyncio.run(operator.prime())


def test_kopf_never_gives_a_watch_up() -> None:
    theirs = kopf.OperatorSettings()
    configure_kopf(theirs, settings(), {})
    pauses = theirs.networking.error_backoffs
    assert isinstance(pauses, Iterable)
    for _request in range(2):
        assert list(islice(pauses, 10)) == [1, 1, 2, 3, 5, 8, 13, 21, 21, 21]


def test_a_namespace_that_takes_no_beat_makes_nobody_look_deaf() -> None:
    world = World()
    operator = an_operator(world, watch_namespaces=("media", "team-a"))

    async def beat(namespace: str, name: str, now: datetime) -> None:
        if namespace == "media":
            raise GoneError("no such namespace")

    for each in operator.heartbeat._beating.values():
        each._api.beat = beat  # type: ignore[method-assign]
    asyncio.run(_started(operator))
    asyncio.run(operator.heartbeat.beat())
    operator.heartbeat.hear("team-a", HEARTBEAT, world.now)
    world.pass_time(seconds=100)
    assert (operator._unready(), operator._unhealthy()) == ("", "")
    asyncio.run(operator.heartbeat.beat())
    world.pass_time(seconds=100)
    assert operator._unhealthy() == "no heartbeat came back for 100 s"
