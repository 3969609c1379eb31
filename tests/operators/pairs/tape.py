"""Quote tapes for the tests of pairs, and running an operator over them in pieces."""

import pickle
from decimal import Decimal
from typing import Any

import numpy as np
from hypothesis import strategies as st

from operators.operator import Desk
from operators.pairs.spread import Spread
from schemas.instrument import Instrument, Pair
from schemas.market import QUOTES
from schemas.record import Frame
from schemas.signal import SPREADS

SECOND = 10**9
START = 1_700_000_000 * SECOND


def instrument(name: str, tick: str = "0.01") -> Instrument:
    return Instrument(id=name, venue="SIM", symbol=name, tick=Decimal(tick), lot=Decimal(1), currency="USD")


DESK = Desk(
    id="desk",
    instruments=(instrument("A"), instrument("B", "0.5"), instrument("C"), instrument("D")),
    pairs=(
        Pair(id="AB", y="A", x="B", hedge=0.25, intercept=1.5),
        Pair(id="CA", y="C", x="A", hedge=-1.1),
        Pair(id="BC", y="B", x="C", hedge=2.0, intercept=-3.0),
    ),
)
"""D is in no pair."""

TWO = Desk(id="two", instruments=(instrument("Y"), instrument("X")), pairs=(Pair(id="YX", y="Y", x="X", hedge=0.5),))


def quote(cause: int, ts: int, number: int, bid: int, ask: int, state: int = 0) -> tuple[int, ...]:
    return (cause, ts, ts, bid, ask, 1, 1, number, state)


def tape(*quotes: tuple[int, ...]) -> Frame:
    return QUOTES.rows(quotes)


def spread(desk: Desk = DESK, **parameters: Any) -> Spread:
    return Spread(Spread.Parameters(**parameters), desk)


def measure(operator: Spread, quotes: Frame) -> Frame:
    return operator.process({"quotes": quotes}).get("spreads", SPREADS.empty).copy()


def pieces(quotes: Frame, causes: list[int]) -> list[Frame]:
    """The tape cut behind each of `causes`."""
    return np.split(quotes, np.unique(np.searchsorted(quotes["cause"], causes, side="right")))


def measure_in_pieces(parameters: dict[str, Any], quotes: Frame, causes: list[int], reborn: bool) -> Frame:
    """All rows; where `reborn`, every piece is given to a new operator that continues from a pickled snapshot."""
    operator, rows = spread(**parameters), [SPREADS.empty]
    for piece in pieces(quotes, causes):
        rows.append(measure(operator, piece))
        if reborn:
            state = pickle.dumps(operator.snapshot())
            measure(operator, piece)  # what happens to the old one later must not matter
            operator = spread(**parameters)
            operator.restore(pickle.loads(state))
    return np.concatenate(rows)


def _windows(least: int, longest: int, every: str) -> st.SearchStrategy[int | str]:
    counts = st.integers(least, longest)
    return counts if every in {"event", "change"} else counts | st.sampled_from(["300ms", "0.55s", "1s"])


@st.composite
def _parameters(draw: st.DrawFn) -> dict[str, Any]:
    every = draw(st.sampled_from(["event", "change", "100ms"]))
    windowed = {"window": _windows(3, 6, every), "intercept": st.booleans()}
    hedges = {
        "static": {},
        "rolling": windowed,
        "tls": windowed,
        "ewls": {"half_life": st.sampled_from([0.4, 1.0, 2.5]), "intercept": st.booleans()},
        "kalman": {
            "delta": st.sampled_from([1e-5, 0.01, 0.3]),
            "noise": st.sampled_from([1e-4, 1.0]),
            "adapt": st.sampled_from([None, 3.0]),
            "prior": st.sampled_from([0.0, 1.0]),
            "warm_up": st.integers(0, 3),
        },
    }
    zscores = {
        "rolling": {"window": _windows(2, 5, every)},
        "ewm": {"half_life": st.sampled_from([0.4, 1.0, 2.5])},
        "innovation": {},
    }
    kind = draw(st.sampled_from(sorted(hedges)))
    compared = draw(st.sampled_from(["rolling", "ewm", *(["innovation"] if kind == "kalman" else [])]))
    return {
        "price": draw(st.sampled_from(["mid", "log_mid"])),
        "hedge": {"type": kind, **draw(st.fixed_dictionaries(hedges[kind]))},
        "zscore": {"type": compared, **draw(st.fixed_dictionaries(zscores[compared]))},
        "every": every,
        "max_age": draw(st.sampled_from([None, None, "200ms"])),
    }


PARAMETERS = _parameters()


@st.composite
def tapes(draw: st.DrawFn) -> Frame:
    """Up to 80 quotes of DESK: small moves (so that regressions are singular at times), pauses, untradable legs."""
    cause, ts, rows = 1, START, []
    step = st.tuples(
        st.integers(0, 3),
        st.sampled_from([None, 0, 1, 30, 100, 350]),
        st.integers(95, 105),
        st.integers(0, 3),
        st.sampled_from([0] * 9 + [1, 2, 8, 16]),
    )
    for number, pause_ms, bid, width, state in draw(st.lists(step, min_size=1, max_size=80)):
        if pause_ms is not None:
            cause += 1
            ts += pause_ms * 10**6
        rows.append(quote(cause, ts, number, bid, bid + width, state))
    return tape(*rows)
