"""The bytewax source: whole runs, stops and resumes on the real engine."""

import threading
import time
from datetime import timedelta

import bytewax.operators as op
import numpy as np
import pytest
from bytewax.dataflow import Dataflow
from bytewax.errors import BytewaxRuntimeError
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import TestingSink, cluster_main, run_main

from operators.sources.inputs import Inputs
from schemas.errors import CaptureError, JournalError
from schemas.market import RAW, RawFrame, RawKind
from tests.operators.sources import log
from tests.operators.sources.log import recording_feed, write


@pytest.fixture
def desks(tmp_path):
    """Three desks on captures of different length; the last has two feeds."""
    paths = [
        write(
            tmp_path / f"session{i}.gz", b"".join(b"%d %d of %d\n" % (10 * n + i, n, i) for n in range(200 * (i + 1)))
        )
        for i in range(3)
    ]
    feeds = [recording_feed(path, path.name) for path in paths]
    return {"alpha": feeds[:1], "beta": feeds[1:2], "gamma": feeds[1:]}


def flow_of(inputs, out):
    flow = Dataflow("test")
    op.output("out", op.input("in", flow, inputs), TestingSink(out))
    return flow


def entries_of(out, desk):
    """The entries that reached the sink under a desk's key."""
    found = []
    for key, frame in out:
        if key == desk:
            assert frame.desk == desk
            rows = frame.rows[["cause", "ts", "kind", "feed"]].tolist()
            found += [(*row, frame.message(i)) for i, row in enumerate(rows)]
    return found


@pytest.mark.parametrize("workers", [1, 2])
def test_every_desk_gets_its_log_in_order(desks, workers):
    out = []
    cluster_main(flow_of(Inputs(desks, 64), out), [], 0, worker_count_per_proc=workers)
    for desk, feeds in desks.items():
        assert entries_of(out, desk) == log.read_all(feeds)


def test_progress_is_told_per_frame_and_ends_at_one(desks):
    told = []
    inputs = Inputs({"alpha": desks["alpha"]}, 64, on_progress=lambda *progress: told.append(progress))
    run_main(flow_of(inputs, []))
    assert sum(rows for _, rows, _, _ in told) == 201
    assert {desk for desk, *_ in told} == {"alpha"}
    assert told[-1][1:] == (1, 1990, 1.0)
    fractions = [fraction for *_, fraction in told]
    assert fractions == sorted(fractions)
    assert fractions[-2] < 1


def test_a_stop_ends_without_the_end_entry_and_a_resume_completes_the_log(desks, tmp_path):
    folder = tmp_path / "recovery"
    folder.mkdir()
    init_db_dir(folder, 1)
    recovery = RecoveryConfig(str(folder))
    stop, first, second, third = threading.Event(), [], [], []

    def stop_soon(desk, rows, ts, fraction):
        if desk == "gamma" and ts > 300:
            stop.set()

    run_main(flow_of(Inputs(desks, 16, stop, stop_soon), first), epoch_interval=timedelta(0), recovery_config=recovery)
    assert 0 < len(first) < 60
    assert RawKind.END not in {entry[2] for desk in desks for entry in entries_of(first, desk)}
    run_main(flow_of(Inputs(desks, 99), second), epoch_interval=timedelta(0), recovery_config=recovery)
    for desk, feeds in desks.items():
        assert entries_of(first + second, desk) == log.read_all(feeds)
    run_main(flow_of(Inputs(desks, 99), third), epoch_interval=timedelta(0), recovery_config=recovery)
    assert third == []


def test_a_source_told_to_stop_reads_nothing(desks):
    stop, out = threading.Event(), []
    stop.set()
    run_main(flow_of(Inputs(desks, 16, stop), out))
    assert out == []


def test_a_missing_capture_ends_the_flow_with_its_name(desks, tmp_path):
    feeds = [recording_feed(tmp_path / "absent")]
    with pytest.raises(BytewaxRuntimeError) as error:
        run_main(flow_of(Inputs({"alpha": feeds}, 16), []))
    assert isinstance(error.value.__cause__, CaptureError)


class Sparse:
    """A desk that hears something now and then, and whose journal takes no more after a while."""

    fraction = 0.0

    def __init__(self, looks):
        self.looks = list(looks)

    def next(self):
        look = self.looks.pop(0)
        if isinstance(look, JournalError):
            raise look
        rows = RAW.rows([(look, look, 0, 0, 0, 0)]) if look else RAW.empty
        return RawFrame(rows, np.empty(0, np.uint8), "desk")

    def snapshot(self):
        return None

    def close(self):
        pass


@pytest.mark.parametrize(("pause_ns", "longest_s"), [(50_000_000, 5.0), (0, 2.0)])
def test_where_nothing_has_come_it_is_looked_for_after_the_pause(pause_ns, longest_s):
    full, told, stop, out = JournalError("full"), [], threading.Event(), []
    source = Sparse([1, 0, 0, 0, 2, full])
    inputs = Inputs({"desk": lambda *_: source}, 16, stop, pause_ns=pause_ns, on_error=told.append)
    begin = time.monotonic()
    run_main(flow_of(inputs, out))
    assert 3 * pause_ns / 1e9 <= time.monotonic() - begin < 3 * pause_ns / 1e9 + longest_s
    assert [frame.rows["cause"].tolist() for _, frame in out] == [[1], [2]]
    assert told == [full]
    assert stop.is_set()


def test_a_full_journal_that_nobody_asks_to_be_told_of_is_an_exception():
    with pytest.raises(BytewaxRuntimeError) as error:
        run_main(flow_of(Inputs({"desk": lambda *_: Sparse([JournalError("full")])}, 16), []))
    assert isinstance(error.value.__cause__, JournalError)


def test_an_input_that_cannot_be_opened_is_told_and_keeps_its_place(desks, tmp_path):
    folder = tmp_path / "recovery"
    folder.mkdir()
    init_db_dir(folder, 1)
    recovery = RecoveryConfig(str(folder))
    stop, told, out = threading.Event(), [], []
    run = {"epoch_interval": timedelta(0), "recovery_config": recovery}
    run_main(flow_of(Inputs(desks, 16, stop, lambda desk, rows, ts, _: ts > 300 and stop.set()), out), **run)
    path = desks["beta"][0][1]
    content = path.read_bytes()
    path.write_bytes(b"")
    stop = threading.Event()
    run_main(flow_of(Inputs(desks, 16, stop, on_error=told.append), out), **run)
    assert {type(error) for error in told} == {CaptureError}
    assert stop.is_set()
    path.write_bytes(content)
    run_main(flow_of(Inputs(desks, 16, on_error=told.append), out), **run)
    for desk, feeds in desks.items():
        assert entries_of(out, desk) == log.read_all(feeds)
