"""Random closed-loop scenarios: small ones for Hypothesis to search and shrink, long ones by seed."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from hypothesis import strategies as st

from operators.execution.example import loop_example
from operators.operator import Desk, Example
from schemas.market import BookState
from schemas.record import Frame
from tests.operators.execution.tape import Tape, desk_of

DESK = desk_of(("0.01", "1"), ("0.5", "0.1"), ("0.02", "10"), pairs=((0, 1), (1, 2), (2, 0), (0, 2)))
_BASES = (5_000, 400, 300)
_BEFORE_MIDNIGHT = 20_000 * 86_400 * 10**9 - 40


@dataclass(frozen=True)
class Scenario:
    desk: Desk
    parameters: Mapping[str, Any]
    frames: Mapping[str, Frame]

    @property
    def last(self) -> int:
        return len(self.frames["raw"])


def parameters() -> st.SearchStrategy[dict[str, Any]]:
    """Parameters of every kind, most of them tight; times in single nanoseconds."""
    trader = st.fixed_dictionaries(
        dict(
            order=st.sampled_from(["limit", "limit", "market"]),
            price=st.sampled_from(["touch", "join"]),
            cross_ticks=st.integers(0, 2),
            tif=st.sampled_from(["day", "ioc"]),
            patience=st.integers(1, 25),
            retry=st.integers(1, 12),
            hedge=st.sampled_from(["units", "notional"]),
        )
    )
    limits = st.fixed_dictionaries(
        dict(
            position=st.sampled_from([3_000, 10_000, 10**6]),
            order=st.sampled_from([2_000, 6_000, 10**6]),
            gross=st.sampled_from([5_000, 20_000, 10**6]),
            net=st.sampled_from([100, 1_000, 10**6]),
            daily_loss=st.sampled_from(["0.5", "20", 10**6]),
            collar_bps=st.sampled_from([1.5, 20, 5_000]),
            rate=st.integers(2, 12),
            rate_window=st.integers(1, 30),
        )
    )
    venue = st.fixed_dictionaries(
        dict(
            latency=st.integers(0, 6),
            jitter=st.sampled_from([0, 4]),
            report=st.integers(0, 4),
            taker_bps=st.sampled_from(["0", "1.5", "0.33"]),
            maker_bps=st.sampled_from(["0", "-0.25", "0.07"]),
            per_lot=st.sampled_from(["0", "0.0035"]),
        )
    )
    portfolio = st.fixed_dictionaries(dict(every=st.sampled_from([1, 10, 10**9])))
    return st.fixed_dictionaries(
        dict(trader=trader, limits=limits, venue=venue, portfolio=portfolio, levels=st.booleans())
    )


_QTYS = st.integers(1, 12)
_STATES = st.sampled_from([0] * 8 + [1 << bit for bit in range(len(BookState))])
_BOOKS = st.tuples(
    st.just("book"), st.integers(0, 2), st.integers(-4, 4), st.integers(1, 3), st.lists(_QTYS, max_size=3),
    st.lists(_QTYS, max_size=3), _STATES,
)  # fmt: skip
_LEVELS = st.tuples(st.just("level"), st.integers(0, 2), st.integers(0, 1), st.integers(-5, 5), st.integers(0, 12))
_ENTERS = st.tuples(
    st.just("enter"), st.integers(0, 3), st.integers(1, 9_000), st.sampled_from([-1, 1]),
    st.sampled_from([0.1, 0.5, 1.0, 2.5, -1.0]),
)  # fmt: skip
_LEAVES = st.tuples(st.sampled_from(["leave", "stop"]), st.integers(0, 3))
_ENTRIES = st.tuples(
    st.integers(0, 9),
    st.lists(st.one_of(_BOOKS, _BOOKS, _LEVELS), max_size=3),
    st.lists(st.one_of(_ENTERS, _LEAVES), max_size=2),
)


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """Up to 40 entries on three instruments and four pairs that share them; the day changes on the way."""
    tape = Tape(_BEFORE_MIDNIGHT).at(_BEFORE_MIDNIGHT)
    for instrument, base in enumerate(_BASES):
        tape.book(instrument, [(base - 1, 5), (base - 2, 50)], [(base + 1, 5), (base + 2, 50)])
    for wait, moves, signals in draw(st.lists(_ENTRIES, min_size=1, max_size=40)):
        tape.at(tape.ts + wait)
        for move in moves:
            _move(tape, *move)
        for what, *args in signals:
            getattr(tape, what)(*args)
    tape.end(tape.ts + draw(st.integers(0, 20)))
    for pair in draw(st.lists(st.integers(0, 3), max_size=2)):
        tape.leave(pair)
    return Scenario(DESK, draw(parameters()), tape.frames)


def _move(tape: Tape, what: str, instrument: int, *args: Any) -> None:
    base = _BASES[instrument]
    if what == "level":
        side, offset, qty = args
        tape.level(instrument, side, base + offset, qty)
        return
    offset, half, bid_qtys, ask_qtys, state = args
    bids = [(base + offset - half - k, qty) for k, qty in enumerate(bid_qtys)]
    asks = [(base + offset + half + k, qty) for k, qty in enumerate(ask_qtys)]
    tape.book(instrument, bids, asks, int(state))


def long_scenario(seed: int) -> Scenario:
    """The example of seed `seed`, under parameters drawn from the same seed."""
    example: Example = loop_example(seed)
    rng = np.random.default_rng([seed, 1])
    given = {name: dict(part) for name, part in example.parameters.items()}

    def vary(part: str, name: str, *choices: Any) -> None:
        given[part][name] = choices[int(rng.integers(len(choices)))]

    vary("trader", "order", "limit", "limit", "market")
    vary("trader", "price", "join", "touch")
    vary("trader", "tif", "day", "ioc")
    vary("trader", "cross_ticks", 0, 1)
    vary("trader", "hedge", "units", "notional")
    vary("trader", "patience", "1ms", "20ms")
    vary("limits", "position", 15_000, 40_000, 10**6)
    vary("limits", "order", 8_000, 25_000, 10**6)
    vary("limits", "gross", 20_000, 90_000, 10**6)
    vary("limits", "net", 500, 20_000, 10**6)
    vary("limits", "daily_loss", 5, 200, 10**6)
    vary("limits", "collar_bps", 2.5, 200.0)
    vary("limits", "rate", 2, 6, 100)
    vary("venue", "latency", "0ns", "2ms")
    vary("venue", "jitter", "0ns", "1ms")
    vary("venue", "report", "0ns", "3ms")
    vary("venue", "per_lot", "0", "0.0035")
    levels = bool(rng.integers(4))
    desk = replace(example.desk, seed=seed)
    return Scenario(desk, {**given, "levels": levels}, dict(example.frames))
