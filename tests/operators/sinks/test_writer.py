"""A flow into the embedded engine, killed again and again in the middle of its inserts."""

import os
import random
import signal
import threading
import time
from datetime import timedelta

import numpy as np
import pytest
from bytewax import operators as op
from bytewax.dataflow import Dataflow
from bytewax.inputs import FixedPartitionedSource, StatefulSourcePartition
from bytewax.recovery import RecoveryConfig, init_db_dir
from bytewax.testing import cluster_main

from operators.sinks.address import Address
from operators.sinks.clickhouse import ClickHouseSink
from operators.sinks.connection import client
from operators.sinks.faults import TargetUnavailableError
from operators.sinks.target import Target
from operators.sinks.writer import Batching
from schemas.output import Output
from schemas.trade import FILLS
from tests.operators.sinks.conftest import in_own_process
from tests.operators.sinks.samples import DESK, fills

ROWS, KILLS = 200_000, 5


class Fills(StatefulSourcePartition):
    """Fills from 1 to ROWS, cut anew in every life, no faster than a flow would make them."""

    def __init__(self, last):
        self.last = last or 0

    def next_batch(self):
        if self.last >= ROWS:
            raise StopIteration
        first, count = self.last + 1, min(random.randint(1, 400), ROWS - self.last)
        self.last += count
        time.sleep(0.001)
        return [("eu", Output("eu", {"fills": (first, fills(first, count))}))]

    def snapshot(self):
        return self.last


class Source(FixedPartitionedSource):
    def list_parts(self):
        return ["eu"]

    def build_part(self, step_id, for_part, resume_state):
        return Fills(resume_state)


def life(directory, kill_after):
    """Run the flow, and die `kill_after` seconds after it has started (0: never)."""
    target = Target(f"chdb://{directory}/db")
    target.prepare([FILLS])
    flow = Dataflow("killed")
    sink = ClickHouseSink(
        f"chdb://{directory}/db", "r", {"eu": DESK}, {"fills": FILLS}, batching=Batching(flush_rows=1000)
    )
    op.output("out", op.input("in", flow, Source()), sink)
    if kill_after:
        threading.Timer(kill_after, os.kill, (os.getpid(), signal.SIGKILL)).start()
    recovery = RecoveryConfig(f"{directory}/recovery", timedelta(0))
    cluster_main(flow, [], 0, epoch_interval=timedelta(seconds=0.1), recovery_config=recovery)
    ((count, distinct, last, total),) = (
        client(Address.parse(f"chdb://{directory}/db"))
        .query("SELECT count(), uniqExact(seq), max(seq), sum(fill_id) FROM fills")
        .result_rows
    )
    assert (count, distinct, last, total) == (ROWS, ROWS, ROWS, int(np.arange(1, ROWS + 1).sum()))


def test_the_tables_of_a_killed_flow_are_those_of_an_uninterrupted_one(tmp_path):
    (tmp_path / "recovery").mkdir()
    init_db_dir(tmp_path / "recovery", 1)
    seed = random.SystemRandom().randrange(10**6)
    print("seed", seed)
    rng = random.Random(seed)
    for _ in range(KILLS):
        died = in_own_process("test_writer:life", tmp_path, rng.uniform(0.05, 0.3), check=False)
        assert died.returncode == -signal.SIGKILL, died.stderr
    in_own_process("test_writer:life", tmp_path, 0)


def left_open(directory, rows):
    """Leave a partition open, with an insert on its way, as a flow does that an exception has ended."""
    target = Target(f"chdb://{directory}/db")
    target.prepare([FILLS])
    sink = ClickHouseSink(
        f"chdb://{directory}/db", "r", {"eu": DESK}, {"fills": FILLS}, batching=Batching(flush_rows=10)
    )
    left_open.partition = sink.build_part("out", "eu", None)
    left_open.partition.write_batch([Output("eu", {"fills": (1, fills(1, 100))})])
    if rows:
        left_open.partition.write_batch([Output("eu", {"fills": (101, fills(101, rows))})])


@pytest.mark.parametrize("rows", [0, 90_000])
def test_a_process_ends_although_a_partition_is_open(tmp_path, rows):
    began = time.monotonic()
    assert in_own_process("test_writer:left_open", tmp_path, rows).stderr == ""
    assert time.monotonic() - began < 20


def stopped_while_away(directory):
    """A flow whose target takes no insert, and which is stopped."""
    stop = threading.Event()
    dsn = f"chdb://{directory}/db"
    Target(dsn).prepare([FILLS])

    def unavailable(target, table, rows, token):
        raise TargetUnavailableError("it is away")

    Target.insert = unavailable
    sink = ClickHouseSink(dsn, "r", {"eu": DESK}, {"fills": FILLS}, batching=Batching(flush_rows=100), stop=stop)
    flow = Dataflow("away")
    op.output("out", op.input("in", flow, Source()), sink)
    threading.Timer(2, stop.set).start()
    cluster_main(flow, [], 0)


def test_a_flow_that_is_stopped_while_its_target_is_away_ends_and_says_why(tmp_path):
    ended = in_own_process("test_writer:stopped_while_away", tmp_path, check=False)
    assert ended.returncode == 1
    assert "input is paused" in ended.stdout
    assert "not yet written; nothing is lost: start the flow again and it resumes" in ended.stderr
