"""The cache keeps the newest and counts what is live."""

from typing import Any

import pytest

from tests.builders import FILE_ID, OWNER, JobBuilder, a_conversion, a_job, a_pod
from video2mp3_contracts.api import names
from video2mp3_operator.cache.documents import key_of
from video2mp3_operator.cache.store import Cache
from video2mp3_operator.objects.jobs import Slot
from video2mp3_operator.objects.metadata import Key

KEY = Key("media", "talk")
UID = "uid-media-talk"


def test_an_older_document_never_replaces_a_newer_one() -> None:
    cache = Cache()
    assert cache.see_conversion(a_conversion().versioned(5).document)
    assert not cache.see_conversion(a_conversion().versioned(5).document)
    assert not cache.see_conversion(a_conversion().versioned(4).with_spec(priority=9).document)
    document = cache.conversion(KEY)
    assert document is not None
    assert document["spec"]["priority"] == 0
    assert cache.see_conversion(a_conversion().versioned(10).document)


def test_what_nobody_reads_is_not_kept() -> None:
    cache = Cache()
    heavy = a_conversion().with_metadata(
        managedFields=[{"manager": "kubectl"}],
        annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}", "kept": "yes"},
    )
    cache.see_conversion(heavy.document)
    document = cache.conversion(KEY)
    assert document is not None
    assert "managedFields" not in document["metadata"]
    assert document["metadata"]["annotations"] == {
        "kubectl.kubernetes.io/last-applied-configuration": "",
        "kept": "yes",
    }
    assert heavy.document["metadata"]["managedFields"]


def test_a_successor_of_the_same_name_is_not_forgotten_with_its_predecessor() -> None:
    cache = Cache()
    cache.see_conversion(a_conversion().versioned(9).with_metadata(uid="second").document)
    assert not cache.forget_conversion(KEY, "first")
    assert cache.forget_conversion(KEY, "second")
    assert not cache.forget_conversion(KEY, "second")


def test_slots_are_those_of_live_jobs() -> None:
    cache = Cache()
    cache.see_conversion(a_conversion().document)
    assert cache.slots() == []
    cache.see_job(a_job().versioned(2).document)
    assert cache.slots() == [Slot("media", OWNER)]
    cache.see_job(a_job().active(ready=1).versioned(3).document)
    assert len(cache.slots()) == 1
    for ended in (a_job().complete(), a_job().failed(), a_job().suspended(), a_job().deleted()):
        cache.see_job(ended.versioned(cache.newest + 1).document)
        assert cache.slots() == []
        cache.see_job(a_job().active().versioned(cache.newest + 1).document)
        assert len(cache.slots()) == 1
    cache.forget_job(a_job().document)
    assert cache.slots() == []
    assert cache.job(UID) is None


def test_of_a_job_that_was_made_anew_only_the_old_one_goes() -> None:
    cache = Cache()
    old, new = a_job().versioned(2).document, a_job().versioned(3).document
    new["metadata"]["uid"] = "another"
    cache.see_job(new)
    assert cache.forget_job(old) is None
    assert cache.job(UID) is not None
    assert len(cache.slots()) == len(cache.live())
    assert cache.forget_job(new) is not None
    assert cache.job(UID) is None


def test_jobs_and_pods_of_others_are_not_seen() -> None:
    cache = Cache()
    stranger = a_job().document
    del stranger["metadata"]["labels"]
    assert cache.see_job(stranger) is None
    assert cache.see_pod({"metadata": {"name": "x", "creationTimestamp": None}}) is None


@pytest.mark.parametrize(
    "owners",
    [
        [],
        [{"apiVersion": names.API_VERSION, "kind": names.KIND, "name": "talk", "uid": UID}],
        [{"apiVersion": names.API_VERSION, "kind": names.KIND, "name": "talk", "uid": "before", "controller": True}],
        [{"apiVersion": "others.dev/v1", "kind": names.KIND, "name": "talk", "uid": UID, "controller": True}],
        [{"apiVersion": "batch/v1", "kind": "CronJob", "name": "talk", "uid": UID, "controller": True}],
    ],
)
def test_a_job_that_merely_carries_the_labels_is_none_of_the_conversions(owners: list[dict[str, Any]]) -> None:
    cache = Cache()
    assert cache.see_job(a_job().with_metadata(ownerReferences=owners).document) is None
    assert cache.job(UID) is None


def test_pods_are_those_of_the_jobs_that_the_conversion_controls_or_did() -> None:
    cache = Cache()
    cache.see_pod(a_pod().document)
    assert cache.pods(UID) == ()
    cache.see_job(a_job().document)
    assert len(cache.pods(UID)) == 1
    cache.see_pod(a_pod(number=2)._merged({"metadata": {"ownerReferences": []}}).document)
    assert len(cache.pods(UID)) == 1
    cache.forget_job(a_job().document)
    assert len(cache.pods(UID)) == 1


def test_sources_are_wanted_until_the_verdict() -> None:
    cache = Cache()
    cache.see_conversion(a_conversion("one").versioned(1).document)
    cache.see_conversion(a_conversion("two").versioned(2).document)
    assert cache.wants_source(FILE_ID) == 2
    cache.see_conversion(a_conversion("one").succeeded().versioned(3).document)
    cache.see_conversion(a_conversion("two").failed().versioned(4).document)
    assert cache.wants_source(FILE_ID) == 0


def test_a_source_that_was_given_up_is_not_wanted_whatever_is_seen_of_its_conversion_later() -> None:
    cache = Cache()
    conversion = a_conversion("one")
    document = conversion.versioned(1).document
    cache.see_conversion(document)
    for uid in ("another", document["metadata"]["uid"], document["metadata"]["uid"]):
        cache.give_up_source(key_of(document), uid)
        assert cache.wants_source(FILE_ID) == (1 if uid == "another" else 0)
    cache.see_conversion(a_conversion("one").held().versioned(2).document)
    assert cache.wants_source(FILE_ID) == 0
    cache.forget_conversion(key_of(document))
    cache.see_conversion(a_conversion("one").versioned(3).document)
    assert cache.wants_source(FILE_ID) == 1


def test_a_full_list_forgets_what_it_lacks_but_not_what_came_after_it_was_begun() -> None:
    cache = Cache()
    cache.see_conversion(a_conversion("gone").versioned(1).document)
    cache.see_job(a_job(a_conversion("gone")).versioned(2).document)
    cache.see_pod(a_pod(a_conversion("gone")).versioned(3).document)
    begun = cache.newest
    cache.see_conversion(a_conversion("new").versioned(4).document)
    assert cache.retain(set(), set(), set(), begun) == {Key("media", "gone")}
    assert cache.conversion(Key("media", "new")) is not None
    assert (cache.job("uid-media-gone"), cache.pods("uid-media-gone"), cache.slots()) == (None, (), [])


ABROAD = {"namespace": "work", "ownerReferences": None, "labels": {names.LABEL_CONVERSION_NAMESPACE: "media"}}


def test_a_job_in_the_workers_namespace_is_the_conversions_that_its_labels_name() -> None:
    cache = Cache(worker_namespace="work")
    cache.see_conversion(a_conversion().document)
    job = cache.see_job(a_job().with_metadata(**ABROAD).document)
    assert job is not None
    assert (job.key, job.namespace, job.abroad) == (KEY, "work", True)
    assert cache.slots() == [Slot("media", OWNER)]
    pod = cache.see_pod(a_pod().with_metadata(namespace="work", labels=ABROAD["labels"]).document)
    assert pod is not None
    assert cache.pods(UID) == (pod,)


def test_where_others_may_make_jobs_none_is_a_conversions_of_another_namespace() -> None:
    """Who may edit one watched namespace must not speak for the Conversions of the next."""
    cache = Cache(worker_namespace="work")
    forged = a_job().with_metadata(**ABROAD | {"namespace": "team-a"}).document
    assert cache.see_job(forged) is None
    theirs = a_pod().with_metadata(namespace="team-a", labels=ABROAD["labels"])
    assert cache.see_pod(theirs.document) is None
    unowned = a_job().with_metadata(ownerReferences=None)
    assert cache.see_job(unowned.document) is None


def test_a_quota_that_is_used_up_where_workers_run_bars_everybody() -> None:
    cache = Cache(worker_namespace="work")
    cache.see_conversion(a_conversion().document)
    cache.see_conversion(a_conversion("other", "team-a").document)
    cache.see_job(a_job().with_metadata(**ABROAD).document)
    cache.bar(UID)
    assert set(cache.barred_namespaces()) == {"media", "team-a"}


def test_the_jobs_of_one_that_is_gone_are_strays_where_kubernetes_keeps_them() -> None:
    cache = Cache(worker_namespace="work")
    cache.see_conversion(a_conversion().document)
    cache.see_job(a_job().with_metadata(**ABROAD).document)
    assert cache.strays(KEY) == []
    cache.forget_conversion(KEY)
    assert [job.namespace for job in cache.strays(KEY)] == ["work"]
    assert cache.orphaned() == {KEY}
    cache.see_conversion(a_conversion().versioned(9).with_metadata(uid="second").document)
    assert len(cache.strays(KEY)) == 1, "another one of its name does not keep them"
    cache.forget_job(a_job().with_metadata(**ABROAD).document)
    assert (cache.strays(KEY), cache.orphaned()) == ([], set())


def theirs() -> JobBuilder:
    """A Job that another release made for the same Conversion."""
    labels = {names.LABEL_INSTANCE: "other"}
    return a_job(version=3).with_metadata(name="theirs", uid="theirs", labels=labels)


def test_a_job_of_another_release_takes_the_conversion_until_it_is_gone() -> None:
    cache = Cache("video2mp3")
    cache.see_conversion(a_conversion().document)
    assert cache.see_job(theirs().active().document) is not None
    assert (cache.taken(UID), cache.job(UID), cache.slots(), [*cache.live()]) == (True, None, [], [])
    assert cache.forget_job(theirs().versioned(4).document) is not None
    assert not cache.taken(UID)


def test_a_job_of_another_release_that_a_full_list_lacks_is_forgotten() -> None:
    cache = Cache("video2mp3")
    cache.see_job(theirs().document)
    assert cache.retain([], [], [], before=9) == {KEY}
    assert not cache.taken(UID)


@pytest.mark.parametrize("labels", [{}, {names.LABEL_INSTANCE: "video2mp3"}], ids=["of no release", "of ours"])
def test_a_job_of_this_release_or_of_none_is_ours(labels: dict[str, str]) -> None:
    cache = Cache("video2mp3")
    cache.see_job(a_job().with_metadata(labels=labels).document)
    assert cache.job(UID) is not None
    assert not cache.taken(UID)
