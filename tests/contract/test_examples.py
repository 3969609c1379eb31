"""The random input of the contract suite is possible input."""

import numpy as np
import pytest

from flows.contract.examples import example_desk, random_rows
from flows.contract.rows import check_rows
from operators.operator import Operator
from schemas.market import EVENTS, LAST, EventKind
from schemas.tables import STREAMS


def rows_for(name: str, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    causes = np.repeat(np.arange(1, 301), rng.integers(0, 4, 300))
    return random_rows(STREAMS[name], example_desk(), causes, causes * 1_000_000 + 10**18, rng)


@pytest.mark.parametrize("name", sorted(STREAMS.keys() - {"raw"}))
def test_rows_are_what_an_operator_may_emit(name: str) -> None:
    class Emits(Operator):
        inputs = {"rows": STREAMS[name]}
        outputs = {"rows": STREAMS[name]}

    rows = rows_for(name, 3)
    check_rows(Emits, "rows", rows, {"rows": rows}, example_desk())
    assert rows.tolist() == rows_for(name, 3).tolist()
    assert rows.tolist() != rows_for(name, 4).tolist()


def test_quotes_do_not_cross() -> None:
    quotes = rows_for("quotes", 1)
    assert (quotes["bid"] < quotes["ask"]).all()
    assert 0 < (quotes["state"] != 0).mean() < 0.2


def test_spreads_leave_and_come_back() -> None:
    spreads = rows_for("spreads", 1)
    assert (abs(spreads["z"]) > 2).any()
    assert (spreads["deviation"] > 0).all()


def test_orders_change_only_while_they_live() -> None:
    events = rows_for(EVENTS.name, 2)
    live: dict[int, int] = {}
    contradictions = 0
    for e in events:
        order, qty = int(e["order"]), int(e["qty"])
        match EventKind(e["kind"]):
            case EventKind.ADD:
                assert order not in live
                live[order] = qty
            case EventKind.EXECUTE | EventKind.CANCEL if order in live:
                assert 0 < qty <= live[order]
                live[order] -= qty
                if not live[order]:
                    del live[order]
            case EventKind.DELETE:
                del live[order]
            case EventKind.REPLACE:
                del live[order]
                live[int(e["order_new"])] = qty
            case EventKind.EXECUTE:
                contradictions += 1
    assert 0 < contradictions < 0.1 * len(events)
    assert set(events["kind"].tolist()) >= {EventKind.ADD, EventKind.DELETE, EventKind.REPLACE, EventKind.SYNC}


def test_the_last_event_of_a_message_and_instrument_is_flagged() -> None:
    events = rows_for(EVENTS.name, 2)
    last = {(e["cause"], e["instrument"]): i for i, e in enumerate(events)}
    assert np.flatnonzero(events["flags"] == LAST).tolist() == sorted(last.values())
