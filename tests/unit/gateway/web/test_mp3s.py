"""GET and DELETE /mp3s: what outlived its Conversion."""

from tests.unit.gateway.builders import ALICE, BOB, Gateway, token_of


def test_the_owners_kept_mp3s_are_listed_page_by_page() -> None:
    gateway = Gateway()
    mine = [gateway.mp3s.add(ALICE, b"x" * size, f"{size}.mp3") for size in (1, 2, 3)]
    for mp3 in (*mine, gateway.mp3s.add(BOB, b"theirs")):
        gateway.mp3s.keep(mp3)
    gateway.mp3s.add(ALICE, b"of a conversion")
    first = gateway.client.get("/mp3s?limit=2", headers=token_of(ALICE)).json
    second = gateway.client.get(first["nextUrl"], headers=token_of(ALICE)).json
    newest_first = sorted((mp3.file_id for mp3 in mine), reverse=True)
    assert [each["fileId"] for each in (*first["mp3s"], *second["mp3s"])] == newest_first
    assert (second["continue"], second["nextUrl"]) == (None, None)
    [shown] = [each for each in (*first["mp3s"], *second["mp3s"]) if each["fileId"] == mine[0].file_id]
    assert shown == {
        "fileId": mine[0].file_id,
        "filename": "1.mp3",
        "bytes": 1,
        "keptAt": "2026-03-01T12:00:00Z",
        "downloadUrl": f"/download?fid={mine[0].file_id}",
    }


def test_a_kept_mp3_is_deleted_by_its_owner_and_nobody_else() -> None:
    gateway = Gateway()
    mp3, other = gateway.mp3s.add(ALICE, b"x"), gateway.mp3s.add(ALICE, b"of a conversion")
    gateway.mp3s.keep(mp3)
    path = f"/mp3s/{mp3.file_id}"
    assert gateway.client.delete(path, headers=token_of(BOB)).status_code == 404
    assert gateway.client.delete(f"/mp3s/{other.file_id}", headers=token_of(ALICE)).status_code == 404
    assert gateway.client.delete("/mp3s/talk", headers=token_of(ALICE)).status_code == 404
    assert gateway.client.delete(path).status_code == 401
    assert gateway.client.delete(path, headers=token_of(ALICE)).status_code == 204
    assert gateway.client.delete(path, headers=token_of(ALICE)).status_code == 404
    assert set(gateway.mp3s.files) == {other.file_id}


def test_what_a_conversion_has_taken_over_stays() -> None:
    gateway = Gateway()
    mp3 = gateway.mp3s.add(ALICE, b"x")
    gateway.mp3s.keep(mp3)
    gateway.mp3s.shown.add(mp3.file_id)
    answer = gateway.client.delete(f"/mp3s/{mp3.file_id}", headers=token_of(ALICE))
    assert (answer.status_code, answer.json["code"]) == (409, "still-shown")
    assert mp3.file_id in gateway.mp3s.files


def test_parameters_that_cannot_be() -> None:
    for query in ("limit=0", "limit=101", "limit=x", "continue=x", "continue=%24ne"):
        answer = Gateway().client.get(f"/mp3s?{query}", headers=token_of(ALICE))
        assert (answer.status_code, answer.json["code"]) == (400, "bad-parameter")


def test_a_store_that_is_away() -> None:
    gateway = Gateway()
    mp3 = gateway.mp3s.add(ALICE, b"x")
    for method in ("kept", "delete_kept"):
        gateway.mp3s.switch.off(method)
    assert gateway.client.get("/mp3s", headers=token_of(ALICE)).status_code == 503
    assert gateway.client.delete(f"/mp3s/{mp3.file_id}", headers=token_of(ALICE)).status_code == 503
