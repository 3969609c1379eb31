import hashlib
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from operators.simulator.itch import LONGEST
from operators.simulator.parameters import OPEN_NS, SECOND_NS, SessionParameters
from operators.simulator.session import simulate
from tests.conftest import ROOT
from tests.operators.simulator.replay import Replay, messages

SMALL = SessionParameters(symbols=10, groups=2, pairs=15, controls=5, messages=20_000, hours=1, seed=7)
DIGEST = "1d619512b3357df90d4810fe6318fa7947f007ce39faa6a2e67eddbe799be3c2"
"""SHA-256 of SMALL's bytes: the same on every machine."""


def digest(parameters, chunk_bytes=4 << 20):
    sha = hashlib.sha256()
    for chunk in simulate(parameters, chunk_bytes):
        sha.update(chunk)
    return sha.hexdigest()


@pytest.fixture(scope="module")
def small():
    """SMALL, streamed, and its bytes."""
    session = simulate(SMALL)
    return session, b"".join(chunk.tobytes() for chunk in session)


def test_every_message_is_possible_and_no_book_is_crossed_or_empty(small):
    replay = Replay(check_priority=True)
    for message in messages(small[1]):
        locate = replay.apply(message)
        bid, ask = replay.best(locate)
        assert bid is None or ask is None or bid < ask
        assert "Q" not in replay.system or locate == 0 or (bid and ask)
    assert replay.system == "OSQMEC"
    assert len(replay.symbols) == len(replay.trading) == 10


def test_depth_is_bounded_and_sizes_are_realistic(small):
    replay = Replay()
    orders, sizes = [], []
    for message in messages(small[1]):
        locate = replay.apply(message)
        if message[0] in b"AF":
            sizes.append(int.from_bytes(message[20:24], "big"))
        if "Q" in replay.system and locate:
            orders += [len(replay.live(locate, side)) for side in (b"B", b"S")]
    assert SMALL.levels - 2 < np.mean(orders) < SMALL.levels + 1
    assert min(orders) >= 3
    assert max(orders) <= SMALL.orders_max
    assert 200 < np.mean(sizes) < 500


def test_the_order_tables_hold_what_the_messages_leave(small):
    session, data = small
    replay = Replay()
    for message in messages(data):
        replay.apply(message)
    orders, depths = session._state["orders"], session._state["depths"]
    for side in range(2 * SMALL.symbols):
        rows = orders[side * SMALL.orders_max :][: depths[side]][::-1]
        told = [(int(o["ref"]), abs(int(o["key"])) * 100, int(o["qty"])) for o in rows]
        assert told == replay.live(side // 2 + 1, (b"B", b"S")[side % 2])


def test_times_are_inside_the_session_and_arrive_like_a_poisson_process(small):
    flow = [m for m in messages(small[1]) if m[0] not in b"SRH"]
    times = np.array([int.from_bytes(m[5:11], "big") for m in flow])
    opening, continuous = times[: SMALL.opening_orders], times[SMALL.opening_orders :]
    assert opening[0] > OPEN_NS - SECOND_NS
    assert opening[-1] < OPEN_NS
    assert continuous[0] > OPEN_NS
    assert continuous[-1] < SMALL.close_ns
    gaps = np.diff(continuous)
    mean = 3600 * SECOND_NS / SMALL.continuous_messages
    assert gaps.mean() == pytest.approx(mean, rel=0.01)
    assert gaps.std() == pytest.approx(mean, rel=0.03)  # of an exponential distribution, its mean


def test_the_counts_are_those_of_the_bytes(small):
    session, data = small
    counts = Counter(chr(message[0]) for message in messages(data))
    assert session.counts == counts
    assert session.truth()["messages"] == counts
    assert sum(counts.values()) == SMALL.messages
    assert counts.keys() == set("SRHAFECXDUP")
    assert (counts["S"], counts["R"], counts["H"]) == (6, 10, 10)


def test_books_stay_near_fair():
    session = simulate(SMALL, chunk_bytes=LONGEST)  # one order message a chunk
    replay = Replay()
    away = []
    for chunk in session:
        for message in messages(chunk.tobytes()):
            locate = replay.apply(message)
        if "Q" in replay.system and locate:
            bid, ask = replay.best(locate)
            away.append((bid + ask) / 200 - session.fair[locate - 1])
    assert abs(np.mean(away)) < 0.2
    assert np.quantile(np.abs(away), 0.9) < 8
    assert np.std(away) < np.mean(session.market.members["deviation"]) / 3


@pytest.mark.parametrize("chunk_bytes", [LONGEST, 1000])
def test_the_size_of_chunks_does_not_matter(small, chunk_bytes):
    session = simulate(SMALL, chunk_bytes)
    chunks = [chunk.tobytes() for chunk in session]
    assert b"".join(chunks) == small[1]
    assert max(map(len, chunks)) <= chunk_bytes
    assert min(map(len, chunks)) > 0


def test_the_bytes_are_the_same_everywhere(small):
    code = "from tests.operators.simulator.test_session import *\nprint(digest(SMALL))"
    env = os.environ | {"PYTHONHASHSEED": "12345"}
    other = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True, check=True)
    assert other.stdout.strip() == hashlib.sha256(small[1]).hexdigest() == DIGEST


def test_another_seed_is_another_session(small):
    assert digest(SMALL.model_copy(update={"seed": 8})) != hashlib.sha256(small[1]).hexdigest()


def test_a_chunk_must_have_room_for_a_message():
    with pytest.raises(ValueError, match="use at least 46"):
        simulate(SMALL, LONGEST - 1)


@settings(max_examples=25)
@given(
    seed=st.integers(0, 2**32),
    hours=st.sampled_from([0.001, 0.1, 6.5]),
    volatility=st.sampled_from([0.001, 2.0, 50.0]),
    half_life_ns=st.sampled_from([1, SECOND_NS, 10**15]),
    half_spread=st.integers(1, 5),
    levels=st.integers(4, 6),
    depth=st.sampled_from([1, 2, 100]),
)
def test_sessions_of_every_kind_are_possible(seed, hours, volatility, half_life_ns, half_spread, levels, depth):
    parameters = SessionParameters(
        symbols=4,
        groups=2,
        pairs=2,
        messages=1500,
        seed=seed,
        hours=hours,
        price=(1500.0, 2000.0),
        half_life=(half_life_ns, half_life_ns),
        factor_volatility_ticks=volatility,
        half_spread_ticks=(half_spread, half_spread),
        levels=levels,
        orders_max=levels + 1,
        depth_ticks=depth,
    )
    replay, told = Replay(check_priority=True), 0
    for chunk in simulate(parameters):
        for message in messages(chunk.tobytes()):
            locate = replay.apply(message)
            bid, ask = replay.best(locate)
            assert bid is None or ask is None or bid < ask
            assert "Q" not in replay.system or locate == 0 or (bid and ask)
            told += 1
    assert told == parameters.messages
    assert max(len(replay.live(i, side)) for i in range(1, 5) for side in (b"B", b"S")) <= parameters.orders_max
