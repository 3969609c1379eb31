"""Tables, registration and inserts, over HTTP."""

import pyarrow as pa
import pytest

from operators.sinks.address import Address
from operators.sinks.columns import Columns
from operators.sinks.connection import client
from operators.sinks.faults import TargetUnavailableError
from operators.sinks.target import Target
from schemas.errors import ConfigError, TargetError
from schemas.record import Kind
from schemas.tables import TABLES
from tests.operators.sinks.samples import DESK, expected, fills, frame


@pytest.fixture
def target(database):
    target = Target(database)
    target.prepare([TABLES["fills"]])
    return target


@pytest.fixture
def ask(database):
    return lambda sql: client(Address.parse(database)).query(sql).result_rows


def test_what_is_written_is_what_is_read(database, ask):
    target = Target(database)
    target.prepare(TABLES.values())
    for of in TABLES.values():
        rows = frame(of, 1)
        target.insert(of.name, Columns(of, "r", DESK).table(1, rows), "token")
        texts = {Kind.TIME: "toString({0})", Kind.BYTES: "hex({0})"}
        selected = [texts.get(c.kind, "{0}").format(f"`{c.name}`") for c in of.columns]
        stored = ask(f"SELECT run, desk, seq, {', '.join(selected)} FROM {of.name} ORDER BY seq")
        wanted = expected(of, "r", DESK, 1, rows)
        for name in (c.name for c in of.columns if c.kind is Kind.BYTES):
            wanted = [row | {name: row[name].hex().upper()} for row in wanted]
        assert stored == [tuple(row.values()) for row in wanted]


def test_tables_tell_what_their_columns_mean(target, ask):
    fills = TABLES["fills"]
    assert ("fills", fills.doc) in ask("SELECT name, comment FROM system.tables WHERE database = currentDatabase()")
    comments = dict(
        ask("SELECT name, comment FROM system.columns WHERE database = currentDatabase() AND table = 'fills'")
    )
    assert comments["seq"]
    assert {c.name: c.doc for c in fills.columns}.items() <= comments.items()


def test_an_insert_is_one_block(target, ask):
    target.insert("fills", Columns(TABLES["fills"], "r", DESK).table(1, fills(1, 150_000)), "token")
    parts = "SELECT rows FROM system.parts WHERE database = currentDatabase() AND table = 'fills' AND active"
    assert ask(parts) == [(150_000,)]


def test_an_insert_repeated_is_ignored(target, ask):
    rows = Columns(TABLES["fills"], "r", DESK).table(1, fills(1, 10))
    for token in ("a", "a", "b"):
        target.insert("fills", rows, token)
    assert ask("SELECT count() FROM fills") == [(20,)]
    assert ask("SELECT count() FROM fills FINAL") == [(10,)]


def test_high_water_is_of_the_run_and_the_desk(target):
    columns = Columns(TABLES["fills"], "r", DESK)
    target.insert("fills", columns.table(1, fills(1, 10)), "a")
    target.insert("fills", columns.table(11, fills(11, 5)), "b")
    assert target.high_water("r", "eu", ["fills", "runs"]) == {"fills": 15, "runs": 0}
    assert target.high_water("r", "us", ["fills"]) == {"fills": 0}
    assert target.high_water("r'; --", "eu", ["fills"]) == {"fills": 0}


def test_older_tables_are_brought_up_to_date(database, ask):
    target = Target(database)
    target.prepare([TABLES["signals"]])
    client(target.address).command("ALTER TABLE signals DROP COLUMN z")
    client(target.address).command("ALTER TABLE signals MODIFY COLUMN action Enum8('enter' = 1, 'exit' = 2)")
    client(target.address).command("ALTER TABLE signals ADD COLUMN mine String")
    target.prepare([TABLES["signals"]])
    kinds = dict(ask("SELECT name, type FROM system.columns WHERE database = currentDatabase() AND table = 'signals'"))
    assert (kinds["z"], kinds["action"]) == ("Float64", "Enum8('enter' = 1, 'exit' = 2, 'stop' = 3)")
    target.insert("signals", Columns(TABLES["signals"], "r", DESK).table(1, frame(TABLES["signals"], 1)), "t")
    assert ask("SELECT count(), any(mine) FROM signals") == [(100, "")]


def test_other_peoples_tables_are_refused(database):
    target = Target(database)
    client(target.address).command("CREATE TABLE fills (a Int8) ENGINE = MergeTree ORDER BY a")
    with pytest.raises(TargetError, match=r"table fills at 127.0.0.1:\d+ is a MergeTree .* rename that table"):
        target.prepare([TABLES["fills"]])


def test_types_that_do_not_fit_are_not_retried(target):
    with pytest.raises(TargetError) as e:
        target.insert("fills", pa.table({"run": ["r"], "price": ["dear"]}), "t")
    assert not isinstance(e.value, TargetUnavailableError)


def test_a_run_keeps_its_configuration(target, ask):
    def register(digest, desks):
        target.register_run("r", desks, digest, "a: 'b'\n", version="0.1.0", state_version=3)

    register("d1", {"eu": DESK})
    register("d1", {"eu": DESK})
    assert ask("SELECT run, desk, seq, digest, config, version, state_version, now() - created_at < 60 FROM runs") == [
        ("r", "eu", 1, "d1", "a: 'b'\n", "0.1.0", 3, 1)
    ]
    assert [row[0] for row in ask("SELECT instrument FROM instruments ORDER BY seq")] == ["A", "B", "F"]
    with pytest.raises(TargetError, match=r"run 'r' at .* with another configuration \(desk 'eu': digest d1, now d2\)"):
        register("d2", {"eu": DESK})
    target.register_run("other", {"eu": DESK}, "d2", "", version="0.1.0")
    assert ask("SELECT count() FROM runs") == [(2,)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("s3cret", "wr0ng"), "user or password is wrong"),
        (("/default?", "/nowhere?"), "CREATE DATABASE"),
    ],
)
def test_what_waiting_cannot_heal_is_final(clickhouse, change, said):
    with pytest.raises(TargetError, match=said) as e:
        Target(clickhouse.dsn().replace(*change)).prepare([])
    assert not isinstance(e.value, TargetUnavailableError)
    assert "wr0ng" not in str(e.value)


def test_an_unknown_option_is_named(clickhouse):
    with pytest.raises(ConfigError, match="'no_such_option'"):
        Target(clickhouse.dsn(no_such_option=1)).prepare([])


def test_nobody_there(clickhouse):
    with pytest.raises(TargetUnavailableError, match=r"ClickHouse at 127.0.0.1:9: .*refused"):
        Target("clickhouse://default:secret@127.0.0.1:9/default").prepare([])
