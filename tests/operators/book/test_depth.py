"""The depth of books against sorted dictionaries; what its figures are; thousands of instruments at once."""

from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from pydantic import ValidationError

from operators.book.book import Book, BookParameters
from operators.book.depth import Depth, DepthParameters
from operators.book.stream import event_stream
from operators.operator import Desk
from schemas.errors import InvariantError
from schemas.instrument import Instrument
from schemas.market import EVENTS, LAST, LEVELS, QUOTES, BookState, EventKind
from schemas.record import Frame

Told = tuple[tuple[int, ...], list[tuple[int, ...]]]
"""(cause, instrument, totals, state), and the levels of a row."""


class DepthOracle:
    """Books as dictionaries."""

    def __init__(self, instruments: int, depth: int, every: int) -> None:
        self.books: list[tuple[dict[int, int], dict[int, int]]] = [({}, {}) for _ in range(instruments)]
        self.states: list[int | None] = [None] * instruments
        self.bars: list[int | None] = [None] * instruments
        self.depth, self.every = depth, every

    def shown(self, i: int) -> list[tuple[int, ...]]:
        bids, asks = self.books[i]
        best_bids = [(price, bids[price]) for price in sorted(bids, reverse=True)[: self.depth]]
        best_asks = [(price, asks[price]) for price in sorted(asks)[: self.depth]]
        deep = max(len(best_bids), len(best_asks))
        padded = [side + [(0, 0)] * (deep - len(side)) for side in (best_bids, best_asks)]
        return [(k + 1, bid[0], ask[0], bid[1], ask[1]) for k, (bid, ask) in enumerate(zip(*padded, strict=True))]

    def message(self, cause: int, ts: int, levels: Frame, quotes: Frame) -> list[Told]:
        touched: dict[int, None] = {}
        for price, qty, i, side in levels[["price", "qty", "instrument", "side"]].tolist():
            if qty < 0:
                self.books[i] = ({}, {})
                touched[i] = None
                continue
            own = self.books[i][side]
            if sum(other > price if side == 0 else other < price for other in own) < self.depth:
                touched[i] = None
            if qty:
                own[price] = qty
            else:
                own.pop(price, None)
        for i, state in quotes[["instrument", "state"]].tolist():
            if self.states[i] != state:
                self.states[i] = state
                touched[i] = None
        return [self.told(cause, ts, i) for i in touched if self.is_due(ts, i)]

    def is_due(self, ts: int, i: int) -> bool:
        return self.states[i] is not None and not (self.every and ts // self.every == self.bars[i])

    def told(self, cause: int, ts: int, i: int) -> Told:
        self.bars[i] = ts // self.every if self.every else None
        levels, state = self.shown(i), self.states[i]
        assert state is not None
        return (cause, i, sum(level[3] for level in levels), sum(level[4] for level in levels), state), levels


def told_by(operator: Depth, levels: Frame, quotes: Frame) -> list[Told]:
    out: Any = operator.process({"levels": levels, "quotes": quotes})
    if not out:
        return []
    own: dict[tuple[int, int], list[tuple[int, ...]]] = {}
    for row in out.get("depth_levels", []):
        shown = tuple(int(row[name]) for name in ("level", "bid", "ask", "bid_qty", "ask_qty"))
        own.setdefault((int(row["cause"]), int(row["instrument"])), []).append(shown)
    return [
        (
            (int(row["cause"]), int(row["instrument"]), int(row["bid_qty"]), int(row["ask_qty"]), int(row["state"])),
            own.pop((int(row["cause"]), int(row["instrument"])), []),
        )
        for row in out["depth"]
    ]


@pytest.mark.parametrize(("depth", "every"), [(1, 0), (4, 0), (1000, 0), (4, 3 * 10**8)])
@pytest.mark.parametrize("seed", [3, 4])
def test_the_first_levels_are_those_of_sorted_dictionaries(seed: int, depth: int, every: int) -> None:
    desk, events = event_stream(seed, 1500)
    made: Any = Book(BookParameters(), desk).process({"events": events})
    levels, quotes = made["levels"], made["quotes"]
    operator = Depth(DepthParameters(levels=depth, every=every or "event"), desk)
    oracle = DepthOracle(len(desk.instruments), depth, every)
    expected = []
    for cause in np.unique(np.concatenate([levels["cause"], quotes["cause"]])).tolist():
        own = levels[levels["cause"] == cause], quotes[quotes["cause"] == cause]
        expected += oracle.message(cause, int(next(rows for rows in own if len(rows))["ts"][0]), *own)
    assert told_by(operator, levels, quotes) == expected
    assert len(expected) > 50


def desk_of(instruments: int = 1, tick: str = "0.01") -> Desk:
    terms: dict[str, Any] = {"venue": "V", "tick": Decimal(tick), "lot": Decimal(1), "currency": "USD"}
    return Desk("d", tuple(Instrument(id=f"I{i}", symbol=f"I{i}", **terms) for i in range(instruments)))


def levels_of(*rows: tuple[int, int, int, int]) -> Frame:
    """Rows of (cause, side, price, qty)."""
    return LEVELS.rows([(cause, cause, price, qty, 0, side) for cause, side, price, qty in rows])


def quotes_of(*rows: tuple[int, int]) -> Frame:
    """Rows of (cause, state)."""
    return QUOTES.rows([(cause, cause, 0, 1, 2, 1, 1, 0, state) for cause, state in rows])


def test_figures_of_a_small_book() -> None:
    levels = levels_of((1, 0, 100, 30), (1, 0, 99, 10), (1, 1, 103, 10), (1, 1, 104, 20), (1, 1, 105, 99))
    out: Any = Depth(DepthParameters(levels=2), desk_of(tick="0.5")).process(
        {"levels": levels, "quotes": quotes_of((1, 0))}
    )
    row = out["depth"][0]
    assert (row["levels"], row["bid_qty"], row["ask_qty"], row["state"]) == (2, 40, 30, 0)
    assert row["imbalance"] == pytest.approx(10 / 70)
    assert row["microprice"] == pytest.approx(0.5 * (100 * 10 + 103 * 30) / 40)
    mean_bid, mean_ask = (100 * 30 + 99 * 10) / 40, (103 * 10 + 104 * 20) / 30
    assert row["depth_price"] == pytest.approx(0.5 * (mean_bid * 30 + mean_ask * 40) / 70)
    assert len(out["depth_levels"]) == 2


def test_a_book_with_one_side_has_no_price_and_an_empty_one_no_levels() -> None:
    operator = Depth(DepthParameters(levels=2), desk_of())
    levels, quotes = levels_of((1, 0, 100, 30), (2, 0, 0, -1)), quotes_of((1, 8), (2, 9))
    out: Any = operator.process({"levels": levels, "quotes": quotes})
    figures = out["depth"][["bid_qty", "ask_qty", "imbalance", "microprice", "depth_price", "state"]].tolist()
    assert figures == [(30, 0, 1.0, 0.0, 0.0, 8), (0, 0, 0.0, 0.0, 0.0, 9)]
    assert out["depth_levels"]["cause"].tolist() == [1]


def test_what_lies_deeper_or_comes_before_the_first_quote_is_not_told() -> None:
    operator = Depth(DepthParameters(levels=1), desk_of())
    assert operator.process({"levels": levels_of((1, 0, 100, 30))}) == {}
    assert told_by(operator, levels_of(), quotes_of((2, BookState.EMPTY))) == [((2, 0, 30, 0, 8), [(1, 100, 0, 30, 0)])]
    assert operator.process({"levels": levels_of((3, 0, 99, 5), (4, 0, 99, 0))}) == {}
    assert told_by(operator, levels_of((5, 0, 101, 5)), quotes_of())[0][1] == [(1, 101, 0, 5, 0)]


def test_impossible_parameters_are_refused() -> None:
    with pytest.raises(ValidationError, match="every must be longer than 0; `event` tells every change"):
        DepthParameters(every=0)
    with pytest.raises(ValidationError, match="less than or equal to 1000"):
        DepthParameters(levels=1001)


def test_a_row_of_an_unknown_instrument_breaks_an_invariant() -> None:
    levels = LEVELS.rows([(7, 7, 1, 1, 3, 0)])
    with pytest.raises(InvariantError, match="input 7: a row of instrument 3, but the desk has 1 instruments"):
        Depth(DepthParameters(), desk_of()).process({"levels": levels})


def test_eight_thousand_instruments() -> None:
    """Orders come and go all over 8,000 books; the first levels at the end are the sums of the orders that are left."""
    instruments, orders = 8_000, 200_000
    rng = np.random.default_rng(8)
    desk = desk_of(instruments)
    adds = np.zeros(orders, EVENTS.dtype)
    adds["kind"], adds["flags"], adds["order"] = EventKind.ADD, LAST, np.arange(1, orders + 1)
    adds["instrument"], adds["side"] = rng.integers(0, instruments, orders), rng.integers(0, 2, orders)
    adds["price"] = np.where(
        adds["side"] == 0, 1_000 - rng.integers(1, 30, orders), 1_000 + rng.integers(1, 30, orders)
    )
    adds["qty"] = rng.integers(1, 100, orders)
    gone = rng.permutation(orders)[: orders // 2]
    deletes = adds[gone].copy()
    deletes["kind"] = EventKind.DELETE
    events = np.concatenate([adds, deletes])
    events["cause"] = np.arange(1, len(events) + 1)
    book, depth = Book(BookParameters(), desk), Depth(DepthParameters(levels=5), desk)
    last: dict[int, list[tuple[int, ...]]] = {}
    for start in range(0, len(events), 4096):
        out: Any = depth.process(book.process({"events": events[start : start + 4096]}))
        for instrument in np.unique(out["depth"]["instrument"]).tolist():
            cause = out["depth"]["cause"][out["depth"]["instrument"] == instrument].max()
            rows = out["depth_levels"]
            rows = rows[(rows["cause"] == cause) & (rows["instrument"] == instrument)] if instrument % 97 == 0 else ()
            last[instrument] = [row[["level", "bid", "ask", "bid_qty", "ask_qty"]].item() for row in rows]
    left = np.delete(adds, gone)
    for instrument in range(0, instruments, 97):
        own = left[left["instrument"] == instrument]
        oracle = DepthOracle(1, 5, 0)
        for side, price, qty in own[["side", "price", "qty"]].tolist():
            oracle.books[0][side][price] = oracle.books[0][side].get(price, 0) + qty
        assert last[instrument] == oracle.shown(0)
    assert len(last) == instruments
