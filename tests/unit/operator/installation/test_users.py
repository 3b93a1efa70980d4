"""Who may do what in MongoDB."""

import pytest

from video2mp3_operator.installation.users import RIGHTS, User, UsersSettings, users_of


def test_a_user_is_whom_the_address_names() -> None:
    [user] = users_of({"worker": "mongodb://w%40rk:p%2Fw@db.example.com/?authSource=admin"})
    assert user == User("worker", "w@rk", "p/w")
    assert user.role == "video2mp3-worker"


@pytest.mark.parametrize("uri", ["mongodb://db.example.com/", "mongodb://worker@db.example.com/"])
def test_an_address_without_a_login_is_refused_in_words(uri: str) -> None:
    with pytest.raises(ValueError, match="USERS_WORKER_URI: needs mongodb://USER:PASSWORD@"):
        users_of({"worker": uri})


def test_only_the_operator_and_the_gateway_change_uploads_and_the_notifier_sees_no_file() -> None:
    writes = {
        service
        for service, rights in RIGHTS.items()
        if "insert" in rights.get(("videos", ""), ()) or "remove" in rights.get(("videos", ""), ())
    }
    assert writes == {"gateway", "operator"}
    assert RIGHTS["notifier"].keys() == {("mp3s", "conversions")}


def test_who_has_no_address_gets_no_user() -> None:
    settings = UsersSettings.model_validate({"admin_uri": "mongodb://a:b@c/", "worker_uri": "mongodb://w:p@c/"})
    assert [*settings.uris] == ["worker"]
    assert "w:p" not in repr(settings)
