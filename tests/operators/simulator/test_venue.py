import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from operators.simulator import itch, venue
from operators.simulator.market import draw_market
from operators.simulator.parameters import SessionParameters
from operators.simulator.state import initial_state
from tests.operators.simulator.replay import Replay, messages

PARAMETERS = SessionParameters(symbols=2, groups=1, pairs=1, messages=100, hours=1, levels=4, orders_max=6)
ACTS = st.lists(
    st.tuples(
        st.sampled_from(["add", "execute", "execute_better", "cancel", "delete", "replace", "trade_hidden"]),
        st.integers(0, 1),  # member
        st.integers(0, 1),  # side
        st.integers(0, 5),  # rank
        st.integers(9990, 10010),  # price
        st.integers(1, 400),  # shares
    ),
    max_size=60,
)


class Exchange:
    """Performs acts through the kernels; a replay of what they said must find the same books."""

    def __init__(self):
        self.state = initial_state(PARAMETERS, draw_market(PARAMETERS))
        self.replay = Replay(check_priority=True)
        started = [itch.system_event(0, code) for code in (b"O", b"S")]
        for locate, symbol in enumerate(("AAA", "AAB"), start=1):
            started += [itch.stock_directory(locate, 0, symbol), itch.trading_action(locate, 0, symbol)]
        for message in messages(b"".join(started)):
            self.replay.apply(message)

    def perform(self, act, *arguments):
        out = np.zeros(itch.LONGEST, np.uint8)
        end = getattr(venue, act)(self.state.ctx, out, 0, *arguments)
        (message,) = messages(out[:end].tobytes())
        self.replay.apply(message)

    def book(self, i, side):
        """(ref, price, qty), the next to trade first."""
        n = int(self.state["depths"][2 * i + side])
        first = (2 * i + side) * PARAMETERS.orders_max
        rows = self.state["orders"][first : first + n][::-1]
        return [(int(o["ref"]), abs(int(o["key"])) * 100, int(o["qty"])) for o in rows]


@given(ACTS)
def test_a_book_is_what_its_messages_say(acts):
    exchange = Exchange()
    for act, i, side, wanted, price, qty in acts:
        depth = venue.depth(exchange.state.ctx, i, side)
        key = price if side == 0 else -price
        rank = min(wanted, depth - 1)
        if act == "add" and depth < PARAMETERS.orders_max:
            exchange.perform("add", i, side, key, qty, qty % 5 - 1)
        elif act == "trade_hidden" and all(venue.depth(exchange.state.ctx, i, s) for s in (0, 1)):
            exchange.perform(act, i, venue.best_key(exchange.state.ctx, i, 0), qty)
        elif act.startswith("execute") and depth:
            exchange.perform(act, i, side, qty)
        elif act == "cancel" and depth and venue.remaining(exchange.state.ctx, i, side, rank) > qty:
            exchange.perform(act, i, side, rank, qty)
        elif act == "delete" and depth:
            exchange.perform(act, i, side, rank)
        elif act == "replace" and depth:
            exchange.perform(act, i, side, rank, key, qty)
        for locate in (1, 2):
            for s, code in enumerate((b"B", b"S")):
                assert exchange.book(locate - 1, s) == exchange.replay.live(locate, code)
            bid, ask = exchange.replay.best(locate)
            assert bid is None or ask is None or bid < ask
    assert exchange.replay.counts.keys() == {chr(k) for k in np.flatnonzero(exchange.state["counts"])} | set("SRH")


def test_an_order_that_would_cross_stops_one_tick_short():
    exchange = Exchange()
    exchange.perform("add", 0, 1, -10_000, 100, -1)
    exchange.perform("add", 0, 0, 10_005, 100, -1)
    assert exchange.replay.best(1) == (999_900, 1_000_000)


def test_equal_prices_trade_in_order_of_arrival():
    exchange = Exchange()
    for qty in (100, 200):
        exchange.perform("add", 0, 0, 10_000, qty, -1)
    exchange.perform("execute", 0, 0, 100)
    assert [qty for _, _, qty in exchange.book(0, 0)] == [200]


def test_a_replaced_order_loses_its_place():
    exchange = Exchange()
    for qty in (100, 200):
        exchange.perform("add", 0, 0, 10_000, qty, -1)
    exchange.perform("replace", 0, 0, 1, 10_000, 100)
    assert [(ref, qty) for ref, _, qty in exchange.book(0, 0)] == [(2, 200), (3, 100)]


def test_an_execution_takes_no_more_than_the_order_has():
    exchange = Exchange()
    exchange.perform("add", 0, 1, -10_000, 300, -1)
    exchange.perform("execute", 0, 1, 1_000)
    assert exchange.book(0, 1) == []
