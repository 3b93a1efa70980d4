"""The stores on real databases."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from cryptography.fernet import Fernet, MultiFernet
from sqlalchemy import Engine, insert, inspect, select, text

from tests.integration.conftest import BOTH_ENGINES
from tests.servers import DatabaseServer
from tests.servers.mysql import INIT_SQL
from tests.servers.process import await_condition
from video2mp3_auth import mysql
from video2mp3_auth.errors import AlreadyStored, StoreUnavailable, Throttled
from video2mp3_auth.key_ring import KeyRing
from video2mp3_auth.key_rotation import ensure_first_key, rotate
from video2mp3_auth.key_schedule import KeyPolicy
from video2mp3_auth.mysql_stores import MySQLAccountStore, MySQLKeyStore, MySQLTallyStore
from video2mp3_auth.stores import Account, StoredKey, Tallies, Tally

pytestmark = BOTH_ENGINES

NOW = datetime(2026, 1, 1, 12, 0, 0, 123456, tzinfo=UTC)
POLICY = KeyPolicy(timedelta(minutes=15), timedelta(hours=1))
ACCOUNT = Account("jos\u00e9@example.com", "$argon2id$...", NOW)
TALLY = Tally(3, NOW + timedelta(minutes=5), NOW + timedelta(days=30))
ID, OTHER_ID = "a" * 64, "b" * 64
KEY = StoredKey(1, "k" * 43, "encrypted", NOW, NOW + timedelta(minutes=15))


@pytest.fixture
def engine(database: DatabaseServer) -> Iterator[Engine]:
    engine = mysql.connect(database.url)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine: Engine) -> MySQLAccountStore:
    return MySQLAccountStore(engine)


@pytest.fixture
def keys(engine: Engine) -> MySQLKeyStore:
    return MySQLKeyStore(engine)


@pytest.fixture
def tallies(engine: Engine) -> MySQLTallyStore:
    return MySQLTallyStore(engine)


def test_init_sql_holds_no_rows(engine: Engine) -> None:
    with engine.connect() as connection:
        rows = {table: connection.execute(select(table)).all() for table in mysql.TABLES.tables.values()}
    assert rows
    assert not any(rows.values())


def test_init_sql_may_run_again_and_changes_nothing(engine: Engine, accounts: MySQLAccountStore) -> None:
    accounts.add(ACCOUNT)
    code = "\n".join(line for line in INIT_SQL.read_text().splitlines() if not line.lstrip().startswith("--"))
    with engine.begin() as connection:
        for statement in filter(str.strip, code.split(";")):
            connection.execute(text(statement))
    assert accounts.all() == [ACCOUNT]


def test_our_tables_are_those_of_init_sql(engine: Engine) -> None:
    found = inspect(engine)
    assert set(found.get_table_names()) == set(mysql.TABLES.tables)
    for name, table in mysql.TABLES.tables.items():
        columns = {column["name"]: column for column in found.get_columns(name)}
        assert list(columns) == [column.name for column in table.columns]
        assert [columns[c.name]["nullable"] for c in table.columns] == [c.nullable for c in table.columns]
        lengths = {c.name: c.type.length for c in table.columns if hasattr(c.type, "length")}
        assert {column: columns[column]["type"].length for column in lengths} == lengths
        assert found.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]


def test_an_account_comes_back_as_it_was_stored(accounts: MySQLAccountStore) -> None:
    accounts.add(replace(ACCOUNT, created_at=NOW.astimezone(timezone(timedelta(hours=5)))))
    assert accounts.find(ACCOUNT.email) == ACCOUNT
    assert accounts.all() == [ACCOUNT]


@pytest.mark.parametrize("other", ["jose@example.com", "JOS\u00c9@example.com", "jos\u00e9@example.co", "%", ""])
def test_addresses_that_look_alike_are_other_accounts(accounts: MySQLAccountStore, other: str) -> None:
    accounts.add(ACCOUNT)
    assert accounts.find(other) is None


def test_an_address_has_one_account(accounts: MySQLAccountStore) -> None:
    accounts.add(ACCOUNT)
    with pytest.raises(AlreadyStored):
        accounts.add(replace(ACCOUNT, password_hash="other"))
    assert accounts.all() == [ACCOUNT]


def test_changes_to_an_account(accounts: MySQLAccountStore) -> None:
    accounts.add(ACCOUNT)
    assert accounts.set_password_hash(ACCOUNT.email, "new")
    assert accounts.set_disabled_at(ACCOUNT.email, NOW)
    assert accounts.set_disabled_at(ACCOUNT.email, NOW), "disabling twice finds the account twice"
    assert accounts.find(ACCOUNT.email) == replace(ACCOUNT, password_hash="new", disabled_at=NOW)
    assert accounts.set_disabled_at(ACCOUNT.email, None)
    assert accounts.find(ACCOUNT.email) == replace(ACCOUNT, password_hash="new")


def test_changes_to_nobody_say_so(accounts: MySQLAccountStore) -> None:
    assert not accounts.set_password_hash("nobody@example.com", "new")
    assert not accounts.set_disabled_at("nobody@example.com", NOW)


def test_a_hash_is_replaced_only_while_it_is_the_known_one(accounts: MySQLAccountStore) -> None:
    accounts.add(ACCOUNT)
    accounts.replace_password_hash(ACCOUNT.email, "other", "new")
    assert accounts.find(ACCOUNT.email) == ACCOUNT
    accounts.replace_password_hash(ACCOUNT.email, ACCOUNT.password_hash, "new")
    assert accounts.find(ACCOUNT.email) == replace(ACCOUNT, password_hash="new")


def test_keys(keys: MySQLKeyStore) -> None:
    second = replace(KEY, generation=2, kid="l" * 43)
    keys.add(second)
    keys.add(KEY)
    assert keys.all() == [KEY, second]
    keys.set_encrypted_private_key(KEY.kid, "again")
    keys.remove(second.kid)
    keys.remove(second.kid)
    assert keys.all() == [replace(KEY, encrypted_private_key="again")]


@pytest.mark.parametrize("twin", [replace(KEY, kid="l" * 43), replace(KEY, generation=2)], ids=["generation", "kid"])
def test_a_generation_and_a_kid_exist_once(keys: MySQLKeyStore, twin: StoredKey) -> None:
    keys.add(KEY)
    with pytest.raises(AlreadyStored):
        keys.add(twin)


def test_replicas_that_race_make_one_first_key_and_one_next_key(database: DatabaseServer) -> None:
    fernet = MultiFernet([Fernet(Fernet.generate_key())])
    engines = [mysql.connect(database.url) for _ in range(4)]
    together = threading.Barrier(len(engines))

    def first(engine: Engine) -> list[str]:
        together.wait(10)
        return [key.kid for key in ensure_first_key(MySQLKeyStore(engine), fernet, POLICY, NOW)]

    def following(engine: Engine) -> str:
        together.wait(10)
        return rotate(MySQLKeyStore(engine), fernet, POLICY, NOW).key.kid

    with ThreadPoolExecutor(len(engines)) as replicas:
        firsts = list(replicas.map(first, engines))
        nexts = set(replicas.map(following, engines))
    assert firsts.count(firsts[0]) == len(engines)
    assert len(firsts[0]) == 1
    assert len(nexts) == 1
    assert [key.generation for key in MySQLKeyStore(engines[0]).all()] == [1, 2]
    for engine in engines:
        engine.dispose()


def test_keys_are_read_from_a_database_that_only_reads(database: DatabaseServer, keys: MySQLKeyStore) -> None:
    """A replica before it takes over. Old keys stay until it does."""
    fernet, policy = MultiFernet([Fernet(Fernet.generate_key())]), KeyPolicy(timedelta(0), timedelta(hours=1))
    for days in (3, 2):
        rotate(keys, fernet, policy, datetime.now(UTC) - timedelta(days=days))
    with database.reading_only():
        ring = KeyRing(keys, fernet, policy, timedelta(seconds=30), lambda: datetime.now(UTC))
        assert set(ring.published()) == {ring.signing()[0]}
        assert len(keys.all()) == 2


def one_more(tallies: Tallies) -> Tallies:
    return {key: replace(tally, rejected=tally.rejected + 1) for key, tally in tallies.items()}


def expiring(tallies: MySQLTallyStore, key: str, expires_at: datetime) -> None:
    tallies.change([key], lambda _: {key: Tally(1, expires_at)}, NOW)


def test_a_tally_begins_empty_and_comes_back_as_it_was_stored(tallies: MySQLTallyStore) -> None:
    assert tallies.find([ID, OTHER_ID]) == {}
    given: list[Tallies] = []

    def change(found: Tallies) -> Tallies:
        given.append(found)
        return {ID: TALLY, OTHER_ID: replace(TALLY, known_until=None)}

    tallies.change([OTHER_ID, ID], change, NOW)
    assert given == [{ID: Tally(0, NOW), OTHER_ID: Tally(0, NOW)}]
    assert tallies.find([ID, "c" * 64]) == {ID: TALLY}
    tallies.change([ID], one_more, NOW)
    assert tallies.find([ID, OTHER_ID]) == {ID: replace(TALLY, rejected=4), OTHER_ID: replace(TALLY, known_until=None)}


def test_a_change_that_raises_changes_nothing(tallies: MySQLTallyStore) -> None:
    def refuse(_: Tallies) -> Tallies:
        raise Throttled(1)

    with pytest.raises(Throttled):
        tallies.change([ID], refuse, NOW)
    assert tallies.find([ID]) == {}


def test_replicas_that_count_at_one_time_count_all(database: DatabaseServer) -> None:
    """Beside others that remove what has expired."""
    engines = [mysql.connect(database.url) for _ in range(2)]
    stores = [MySQLTallyStore(engine) for engine in engines]

    def count(number: int) -> None:
        store = stores[number % 2]
        expiring(store, f"{number:064x}", NOW - timedelta(days=1))
        store.change([ID, OTHER_ID] if number % 3 else [OTHER_ID, ID], one_more, NOW + timedelta(days=1))
        store.forget(NOW, 5)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(count, range(48)))
    stores[0].forget(NOW, 48)
    assert [tally.rejected for tally in stores[0].find([ID, OTHER_ID]).values()] == [48, 48]
    assert len(stores[0].find([f"{number:064x}" for number in range(48)])) == 0
    for engine in engines:
        engine.dispose()


def test_a_change_that_loses_against_another_is_tried_again(
    database: DatabaseServer, engine: Engine, tallies: MySQLTallyStore
) -> None:
    """Two that wait for each other: the database ends the one that did less, which is ours."""
    for key in (ID, OTHER_ID):
        expiring(tallies, key, NOW)
    add_ten = text("UPDATE login_tallies SET rejected = rejected + 10 WHERE id = :id")
    with ThreadPoolExecutor(1) as thread, engine.begin() as other:
        accounts = [vars(replace(ACCOUNT, email=f"{number}@example.com")) for number in range(50)]
        other.execute(insert(mysql.ACCOUNTS), accounts)
        other.execute(add_ten, {"id": OTHER_ID})
        changing = thread.submit(tallies.change, [OTHER_ID, ID], one_more, NOW)
        await_condition(lambda: database.lock_waits() == 1, seconds=4, what="our change did not wait")
        other.execute(add_ten, {"id": ID})
    changing.result()
    assert {tally.rejected for tally in tallies.find([ID, OTHER_ID]).values()} == {12}


def test_what_expired_first_is_removed_first_and_no_more_than_asked_for(tallies: MySQLTallyStore) -> None:
    ages = {str(number) * 64: NOW - timedelta(hours=3 - number) for number in range(5)}
    for key, expires_at in ages.items():
        expiring(tallies, key, expires_at)
    tallies.change([ID], lambda _: {ID: Tally(1, NOW - timedelta(days=1), NOW + timedelta(days=1))}, NOW)
    left = [*ages, ID]
    for gone in (2, 3, 3):
        tallies.forget(NOW, 2)
        assert sorted(tallies.find(left)) == sorted(left[gone:])


def test_what_another_holds_is_not_waited_for(engine: Engine, tallies: MySQLTallyStore) -> None:
    for key in (ID, OTHER_ID):
        expiring(tallies, key, NOW - timedelta(days=1))
    with engine.begin() as other:
        other.execute(text("SELECT 1 FROM login_tallies WHERE id = :id FOR UPDATE"), {"id": ID})
        tallies.forget(NOW, 2)
    assert sorted(tallies.find([ID, OTHER_ID])) == [ID]


@pytest.mark.parametrize(("number", "state", "left_to_others"), [(1213, "40001", True), (1146, "42S02", False)])
def test_what_removes_and_loses_against_another_leaves_it_to_them(
    engine: Engine, tallies: MySQLTallyStore, number: int, state: str, left_to_others: bool
) -> None:
    expiring(tallies, ID, NOW - timedelta(days=1))
    signal = f"SIGNAL SQLSTATE '{state}' SET MYSQL_ERRNO = {number}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE TRIGGER losing BEFORE DELETE ON login_tallies FOR EACH ROW {signal}"))
    with nullcontext() if left_to_others else pytest.raises(StoreUnavailable):
        tallies.forget(NOW, 2)
    assert sorted(tallies.find([ID])) == [ID]


def test_a_database_that_only_reads_counts_nothing(database: DatabaseServer, tallies: MySQLTallyStore) -> None:
    tallies.change([ID], lambda _: {ID: TALLY}, NOW)
    with database.reading_only():
        with pytest.raises(StoreUnavailable):
            tallies.change([ID], lambda found: found, NOW)
        assert tallies.find([ID]) == {ID: TALLY}


def test_a_stopped_database_is_unavailable_and_connections_come_back(
    database: DatabaseServer, accounts: MySQLAccountStore
) -> None:
    accounts.add(ACCOUNT)
    database.stop()
    with pytest.raises(StoreUnavailable):
        accounts.find(ACCOUNT.email)
    database.start()
    assert accounts.find(ACCOUNT.email) == ACCOUNT


def test_a_frozen_database_is_unavailable_within_a_limit(database: DatabaseServer, accounts: MySQLAccountStore) -> None:
    accounts.all()
    database.pause()
    started = time.monotonic()
    with pytest.raises(StoreUnavailable):
        accounts.find(ACCOUNT.email)
    assert time.monotonic() - started < 20


def test_missing_tables_say_what_to_run(engine: Engine, accounts: MySQLAccountStore) -> None:
    mysql.check(engine)
    with engine.begin() as connection:
        connection.execute(text("DROP TABLE accounts"))
    with pytest.raises(StoreUnavailable, match=r"init\.sql"):
        accounts.find(ACCOUNT.email)
    with pytest.raises(StoreUnavailable, match=r"init\.sql"):
        mysql.check(engine)


def test_a_wrong_password_is_unavailable_and_not_shown(database: DatabaseServer) -> None:
    engine = mysql.connect(database.url.replace(database.password, "hunter2"))
    with pytest.raises(StoreUnavailable) as unavailable:
        mysql.check(engine)
    assert "1045" in str(unavailable.value)
    assert "hunter2" not in repr(unavailable.value.__cause__)
    engine.dispose()
