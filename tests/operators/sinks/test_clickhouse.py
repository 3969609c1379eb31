"""The sink over HTTP: whatever happens to the target, every row is there once, and memory is bounded."""

import pickle
import random
import threading
import time
from dataclasses import replace
from datetime import timedelta

import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.testing import TestingSource, cluster_main
from structlog.testing import capture_logs

from operators.sinks.address import Address
from operators.sinks.clickhouse import ClickHouseSink
from operators.sinks.connection import client
from operators.sinks.rows import Batch
from operators.sinks.target import Target
from operators.sinks.writer import Batching, WriterState
from schemas.errors import InvariantError, TargetError
from schemas.market import DEAD_LETTERS
from schemas.output import Output
from schemas.trade import FILLS
from tests.operators.sinks.samples import DESK, fills

TABLES = {"fills": FILLS, "dead_letters": DEAD_LETTERS}


@pytest.fixture(scope="module")
def dsn(clickhouse):
    dsn = clickhouse.new_database("sink", send_receive_timeout=3)
    Target(dsn).prepare(TABLES.values())
    return dsn


@pytest.fixture
def run(request):
    return request.node.name


def output(first, count, desk="eu"):
    return Output(desk, {"fills": (first, fills(first, count)), "raw": (first, fills(first, count))})


def sink(dsn, run, stop=None, desks=None, **batching):
    return ClickHouseSink(dsn, run, desks or {"eu": DESK}, TABLES, batching=Batching(**batching), stop=stop)


def partition(dsn, run, resume_state=None, **settings):
    return sink(dsn, run, **settings).build_part("out", "eu", resume_state)


def stored(dsn, run, final=False):
    """Rows, different rows and the sum of their prices, as the table has them without merging."""
    what = f"fills {'FINAL' if final else ''} WHERE run = '{run}'"
    ((count, distinct, total),) = (
        client(Address.parse(dsn))
        .query(f"SELECT count(), uniqExact(desk, seq), toFloat64(sum(fee)) FROM {what}")
        .result_rows
    )
    return count, distinct, pytest.approx(total)


def whole(count):
    return count, count, float(fills(1, count)["fee"].sum()) * 1e-8


def within(seconds, holds):
    """Wait until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.01)


FAULTS = [
    # what happens to the inserts, and how many more than four are then sent
    ([{"kind": "slow", "seconds": 0.3}], 0),
    ([{"kind": "unavailable"}] * 2, 2),
    ([{"kind": "disk_full"}] * 2, 2),
    ([{"kind": "reset"}] * 2, 2),
    ([{"kind": "reset_mid_reply"}], 0),
    ([{"kind": "lost_reply"}], 0),
    ([{"kind": "lost_reply"}, {"kind": "reset"}, {"kind": "lost_reply"}, {"kind": "unavailable"}], 2),
    ([{"kind": "late", "seconds": 4.8}], 1),
]


@pytest.mark.parametrize(("faults", "more"), FAULTS, ids=["-".join(f["kind"] for f in faults) for faults, _ in FAULTS])
def test_every_row_arrives_once_through(clickhouse, dsn, run, faults, more):
    clickhouse.faults(*faults)
    sent = clickhouse.inserts()
    part = partition(dsn, run)
    for first in range(1, 2001, 100):
        part.write_batch([output(first, 100)])
        if first % 500 == 401:
            part._writer.flush()
    part.close()
    if faults[0]["kind"] == "late":
        time.sleep(faults[0]["seconds"])  # it lands now
    assert stored(dsn, run) == whole(2000)
    assert clickhouse.inserts() - sent == 4 + more


def test_an_outage_pauses_the_flow_and_says_so(clickhouse, dsn, run):
    part = partition(dsn, run, flush_rows=50)
    clickhouse.faults({"kind": "slow", "seconds": 0.9})
    threading.Timer(0.2, clickhouse.kill).start()  # in the middle of the insert
    restart = threading.Timer(2.5, clickhouse.start)
    restart.start()
    with capture_logs() as logs:
        began = time.monotonic()
        part.write_batch([output(1, 600)])
        taken = time.monotonic() - began
        part.write_batch([output(601, 600)])
        blocked = time.monotonic() - began
    restart.join()
    part.close()
    assert taken < 1
    assert blocked > 2
    assert len(logs) >= 3
    assert logs.pop()["event"] == f"ClickHouse at 127.0.0.1:{clickhouse.port} answers again"
    line = (
        f"ClickHouse at 127.0.0.1:{clickhouse.port} does not answer; holding 1200 rows, input is paused; next try in "
    )
    assert all(entry["event"].startswith(line) and entry["desk"] == "eu" for entry in logs)
    assert stored(dsn, run) == whole(1200)


def test_a_target_that_is_away_when_the_flow_starts_is_waited_for(clickhouse, dsn, run):
    clickhouse.kill()
    restart = threading.Timer(1, clickhouse.start)
    restart.start()
    part = partition(dsn, run)
    restart.join()
    part.write_batch([output(1, 10)])
    part.close()
    assert stored(dsn, run) == whole(10)


def test_a_stop_ends_the_wait_and_the_next_start_resumes(clickhouse, dsn, run):
    stop = threading.Event()
    part = partition(dsn, run, stop=stop)
    part.write_batch([output(1, 100)])
    part._writer.flush()
    clickhouse.faults(*[{"kind": "unavailable"}] * 1000)
    threading.Timer(0.5, stop.set).start()
    part.write_batch([output(101, 70)])
    began = time.monotonic()
    with pytest.raises(
        TargetError, match=r"with 70 rows of desk 'eu' not yet written; nothing is lost: start .* again"
    ):
        part._writer.flush()
    assert time.monotonic() - began < 3
    clickhouse.faults()
    again = partition(dsn, run)
    again.write_batch([output(1, 170)])
    again.close()
    assert stored(dsn, run) == whole(170)


def test_what_is_held_is_bounded_while_the_target_is_slow(clickhouse, dsn, run):
    part = partition(dsn, run, flush_rows=50)
    clickhouse.faults(*[{"kind": "slow", "seconds": 0.05}] * 40)
    most = 0
    for first in range(1, 20_001, 50):
        part.write_batch([output(first, 50)])
        most = max(most, part._writer.count)
    assert 500 <= most < 1000
    part.close()
    assert stored(dsn, run) == whole(20_000)


def test_texts_are_written_before_they_fill_the_memory(clickhouse, dsn, run):
    part = partition(dsn, run, flush_bytes=10_000)
    clickhouse.faults(*[{"kind": "slow", "seconds": 0.05}] * 20)
    for first in range(1, 101, 4):
        rows = DEAD_LETTERS.rows([(n, n, 0, "broken", b"x" * 494) for n in range(first, first + 4)])
        part.write_batch([Output("eu", {"dead_letters": (first, rows)})])
        assert part._writer.bytes < 10_000
    part.close()
    read = client(Address.parse(dsn)).query(f"SELECT sum(length(bytes)) FROM dead_letters WHERE run = '{run}'")
    assert read.result_rows == [(49_400,)]


def test_rows_do_not_wait_longer_than_their_age(dsn, run):
    part = partition(dsn, run, flush_age_ns=5 * 10**8)
    part.write_batch([output(1, 5)])
    assert stored(dsn, run)[0] == 0
    within(5, lambda: part._writer.count == 0)
    assert stored(dsn, run)[0] == 5


def test_a_table_is_written_once_enough_rows_wait_for_it(dsn, run):
    part = partition(dsn, run, flush_rows=100)
    part.write_batch([output(1, 99)])
    time.sleep(0.1)
    assert stored(dsn, run)[0] == 0
    part.write_batch([output(100, 1)])
    within(5, lambda: part._writer.count == 0)
    assert stored(dsn, run) == whole(100)


def pickled(state):
    return pickle.loads(pickle.dumps(state))


def test_a_snapshot_has_what_the_tables_lack_and_waits_for_nothing(clickhouse, dsn, run):
    part = partition(dsn, run, flush_rows=10)
    clickhouse.faults({"kind": "slow", "seconds": 1})
    began = time.monotonic()
    part.write_batch([output(1, 10)])
    within(5, lambda: part._writer._under_way is not None)
    part.write_batch([output(11, 2)])
    state = pickled(part.snapshot())
    assert time.monotonic() - began < 0.7
    assert state.last == {"fills": 12, "dead_letters": 0}
    assert [(b.table, b.first, b.rows["fill_id"].tolist()) for b in state.pending] == [
        ("fills", 1, list(range(1, 11))),
        ("fills", 11, [11, 12]),
    ]
    part.close()
    assert stored(dsn, run) == whole(12)
    assert part.snapshot() == ({"fills": 12, "dead_letters": 0}, [])


@pytest.mark.parametrize("got_since", [0, 4, 10, 12])
def test_rows_that_a_dead_process_had_not_written_come_from_its_checkpoint(dsn, run, got_since):
    dead = partition(dsn, run)
    dead.write_batch([output(1, 12)])
    state = pickled(dead.snapshot())
    if got_since:
        other = partition(dsn, run)
        other.write_batch([output(1, got_since)])
        other.close()
    del dead
    assert stored(dsn, run)[0] == got_since
    part = partition(dsn, run, state)
    part.write_batch([output(13, 3)])
    part.close()
    assert stored(dsn, run) == whole(15)


def test_texts_that_a_dead_process_had_not_written_come_from_its_checkpoint(dsn, run):
    dead = partition(dsn, run)
    rows = DEAD_LETTERS.rows([(1, 1, 0, "broken", b"\x00\xff")])
    dead.write_batch([Output("eu", {"dead_letters": (1, rows)})])
    part = partition(dsn, run, pickled(dead.snapshot()))
    part.close()
    found = client(Address.parse(dsn)).query(f"SELECT reason, hex(bytes) FROM dead_letters WHERE run = '{run}'")
    assert found.result_rows == [("broken", "00FF")]


def test_a_checkpoint_whose_written_rows_are_gone_is_refused(dsn, run):
    state = WriterState({"fills": 12, "dead_letters": 0}, [Batch("fills", 10, fills(10, 3), 0)])
    with pytest.raises(TargetError, match=r"ends at row 0 of desk 'eu', but the checkpoint has delivered 9"):
        partition(dsn, run, state)


def test_rows_come_in_order_once_through_any_faults(clickhouse, dsn, run):
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    rng = random.Random(seed)
    kinds = [{"kind": kind} for kind in ("unavailable", "reset", "lost_reply", "reset_mid_reply")]
    clickhouse.faults(*rng.choices([{}, {}, {}, {"kind": "slow", "seconds": 0.02}, *kinds], k=12))
    part = partition(dsn, run, flush_rows=200)
    first, written = 1, 0
    while first <= 6_000:
        count = rng.randint(1, 300)
        part.write_batch([output(first, count)])
        first += count
        count, distinct, _ = stored(dsn, run)
        assert count == distinct >= written
        ((newest,),) = client(Address.parse(dsn)).query(f"SELECT max(seq) FROM fills WHERE run = '{run}'").result_rows
        assert newest >= count, "a later row is there before an earlier one"
        written = count
    part.close()
    assert stored(dsn, run) == whole(first - 1)


def failed(part):
    """Wait until the thread has failed, without a call that would say so."""
    within(5, lambda: part._writer._error is not None)


@pytest.mark.parametrize("surfaces", ["write_batch", "snapshot", "close"])
def test_what_fails_in_the_background_is_raised_once_in_the_flow(dsn, run, surfaces):
    part = partition(dsn, run, flush_rows=5)
    rows = fills(1, 5)
    rows["instrument"][3] = 7
    part.write_batch([Output("eu", {"fills": (1, rows)})])
    failed(part)
    calls = {"write_batch": lambda: part.write_batch([output(6, 1)]), "snapshot": part.snapshot, "close": part.close}
    with pytest.raises(InvariantError, match=r"desk 'eu', fills row 4 .* index 7 is none of the desk's 3"):
        calls[surfaces]()
    part.close()
    assert stored(dsn, run)[0] == 0


def test_a_refusal_ends_the_wait_for_room(clickhouse, database):
    Target(database).prepare(TABLES.values())
    part = partition(database, "r", flush_rows=5)
    client(Address.parse(database)).command("DROP TABLE fills")
    with pytest.raises(TargetError, match="starting the flow creates its tables"):
        part.write_batch([output(first, 10) for first in range(1, 1000, 10)])
    began = time.monotonic()
    part.close()
    assert time.monotonic() - began < 1


def test_a_stop_ends_the_wait_for_room(clickhouse, dsn, run):
    stop = threading.Event()
    part = partition(dsn, run, stop=stop, flush_rows=5)
    clickhouse.faults(*[{"kind": "unavailable"}] * 1000)
    threading.Timer(0.5, stop.set).start()
    began = time.monotonic()
    with pytest.raises(TargetError, match=r"with 100 rows of desk 'eu' not yet written"):
        part.write_batch([output(1, 100)])
    part.close()
    assert time.monotonic() - began < 3
    clickhouse.faults()


def test_a_dropped_partition_writes_no_more(dsn, run):
    part = partition(dsn, run)
    part.write_batch([output(1, 5)])
    thread = part._writer._thread
    del part
    thread.join(5)
    assert not thread.is_alive()
    assert stored(dsn, run)[0] == 0


def test_replayed_rows_are_skipped_however_they_are_cut(dsn, run):
    rng = random.Random(5)
    written = 0
    for life in range(6):
        part = partition(dsn, run)
        at, end = 1, 200 * (life + 1)
        while at <= end:
            count = min(rng.randint(1, 90), end - at + 1)
            part.write_batch([output(at, count)])
            at += count
        if life % 2:  # every other life ends before its rows are written
            part._writer.flush()
            written = end
    assert stored(dsn, run) == whole(written)


def test_a_dead_processs_insert_that_lands_after_all_is_read_once(dsn, run):
    dead, successor = partition(dsn, run), partition(dsn, run)
    dead.write_batch([output(1, 40)])
    successor.write_batch([output(1, 100)])
    successor.close()
    dead.close()  # its insert was on its way when the successor looked
    assert stored(dsn, run)[0] == 140
    assert stored(dsn, run, final=True) == whole(100)


def test_a_run_whose_rows_were_deleted_can_be_written_again(dsn, run):
    for _ in range(2):
        part = partition(dsn, run)
        part.write_batch([output(1, 10)])
        part.close()
        assert stored(dsn, run) == whole(10)
        client(Address.parse(dsn)).command(f"DELETE FROM fills WHERE run = '{run}'")


def test_a_checkpoint_of_another_target_is_refused(dsn, run):
    with pytest.raises(
        TargetError, match=r"table fills .* ends at row 0 of desk 'eu', but the checkpoint has delivered 9"
    ):
        partition(dsn, run, WriterState({"fills": 9, "dead_letters": 0}, []))


def test_missing_rows_are_never_passed_over(dsn, run):
    part = partition(dsn, run)
    with pytest.raises(InvariantError, match="fills goes from row 0 to row 2"):
        part.write_batch([output(2, 1)])


def test_outputs_of_an_unknown_desk_are_an_error(dsn, run):
    with pytest.raises(InvariantError, match="desk 'us'"):
        sink(dsn, run).part_fn("us")


@pytest.mark.parametrize("workers", [1, 3])
def test_desks_of_a_flow_reach_their_own_rows(dsn, run, workers):
    desks = {name: replace(DESK, id=name) for name in ("eu", "us", "asia")}
    items = [(name, output(first, 20, name)) for first in range(1, 401, 20) for name in desks]
    flow = Dataflow("desks")
    op.output("out", op.input("in", flow, TestingSource(items, 7)), sink(dsn, run, desks=desks, flush_rows=70))
    cluster_main(flow, [], 0, worker_count_per_proc=workers, epoch_interval=timedelta(seconds=0.1))
    rows = client(Address.parse(dsn)).query(
        f"SELECT desk, count(), max(seq), sum(fill_id) FROM fills WHERE run = '{run}' GROUP BY desk ORDER BY desk"
    )
    assert rows.result_rows == [(name, 400, 400, 400 * 401 // 2) for name in sorted(desks)]
