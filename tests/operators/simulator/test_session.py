import hashlib
import math
import os
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

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


DAY = SessionParameters(symbols=20, groups=4, pairs=40, controls=20, messages=300_000, seed=3)
GRID_S = 30


@pytest.fixture(scope="module")
def day():
    """Mids (samples, symbols) of a day in USD every GRID_S seconds, read back from the bytes; the truth; the legs."""
    session = simulate(DAY)
    replay, mids, due = Replay(), [], OPEN_NS + GRID_S * SECOND_NS
    for chunk in session:
        for message in messages(chunk.tobytes()):
            ts = int.from_bytes(message[5:11], "big")
            while due <= min(ts, DAY.close_ns - 1):
                mids.append([sum(replay.best(locate)) / 20_000 for locate in range(1, DAY.symbols + 1)])
                due += GRID_S * SECOND_NS
            replay.apply(message)
    return np.array(mids), session.truth()["pairs"], session.market.legs


def cointegrated(day):
    mids, truth, legs = day
    return [(mids[:, y], mids[:, x], t) for t, (y, x) in zip(truth, legs, strict=True) if t["cointegrated"]]


def independent(truth):
    """How many independent values a day of an Ornstein-Uhlenbeck process is worth to its mean: rate T / 2."""
    return math.log(2) / truth["half_life_s"] * DAY.hours * 3600 / 2


def spread(y, x, truth):
    return y - truth["hedge"] * x - truth["intercept"]


def test_prices_are_realistic(day):
    assert day[0].min() > 20
    assert day[0].max() < 500


def test_regression_finds_the_hedges(day):
    """OLS of a finite sample leans towards 0 by var(own x) / var(x) and errs with the few independent residuals."""
    errors = []
    for y, x, truth in cointegrated(day):
        error = np.polyfit(x, y, 1)[0] / truth["hedge"] - 1
        noise = truth["deviation"] / truth["hedge"] / x.std()
        assert (
            -(noise**2) - 4 * noise / math.sqrt(independent(truth)) < error < 4 * noise / math.sqrt(independent(truth))
        )
        errors.append(error)
    assert len(errors) == 40
    assert np.median(np.abs(errors)) < 0.06


def test_spreads_have_their_deviation_and_mean(day):
    for y, x, truth in cointegrated(day):
        e = spread(y, x, truth)
        assert e.std() == pytest.approx(truth["deviation"], rel=4 / math.sqrt(2 * independent(truth)))
        assert abs(e.mean()) < 4 * truth["deviation"] / math.sqrt(independent(truth))


def test_spreads_revert_with_their_half_life(day):
    """AR(1) by least squares: relative standard error sqrt(2 / (rate T)). Quotes that lag look like noise: faster."""
    ratios = []
    for y, x, truth in cointegrated(day):
        e = spread(y, x, truth)
        phi = (e[1:] @ e[:-1]) / (e[:-1] @ e[:-1])
        ratio = -math.log(phi) / GRID_S * truth["half_life_s"] / math.log(2)
        error = 1 / math.sqrt(independent(truth))
        assert 1 - 4 * error < ratio < 1.2 + 4 * error
        ratios.append(ratio)
    assert 0.9 < np.median(ratios) < 1.25


def test_a_spread_pays_for_crossing_the_quotes(day):
    """Two deviations are worth more than both legs' spreads, in and out, at their widest."""
    widest = 2 * DAY.half_spread_ticks[1] / 100
    paid = [2 * t["deviation"] / (widest * (1 + t["hedge"])) for t in day[1] if t["cointegrated"]]
    assert np.median(paid) > 2
    assert min(paid) > 1


def test_only_controls_wander(day):
    """Variance of changes over an hour against six minutes: towards 10 for a random walk, little over 1 without one."""
    mids, _, legs = day
    beta = simulate(DAY).market.members["beta"]

    def ratio(y, x):
        e = mids[:, y] - beta[y] / beta[x] * mids[:, x]
        return np.var(e[120:] - e[:-120]) / np.var(e[12:] - e[:-12])

    pairs, controls = ([ratio(*leg) for leg in part] for part in (legs[: DAY.pairs], legs[DAY.pairs :]))
    assert max(pairs) < 3
    assert np.median(pairs) < 1.6
    assert min(controls) > 2
    assert np.median(controls) > 5
