"""A session as a stream of bytes, and the truth about it."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from operators.simulator import itch
from operators.simulator.flow import write_messages
from operators.simulator.market import Market, draw_market
from operators.simulator.parameters import OPEN_NS, SECOND_NS, SessionParameters
from operators.simulator.state import initial_state
from schemas.record import Frame

_LEAD_NS = SECOND_NS
"""The directory starts this long before the open; system hours end this long after the close."""


class Session(Iterator[Frame]):
    """An iterator of chunks: uint8 arrays of whole messages in BinaryFILE framing, `chunk_bytes` at most.

    The bytes, end to end, depend on the parameters alone. `counts` and `fair` speak of what was streamed so far.
    """

    def __init__(self, parameters: SessionParameters, chunk_bytes: int = 4 << 20) -> None:
        if chunk_bytes < itch.LONGEST:
            raise ValueError(f"chunk_bytes {chunk_bytes} has no room for a message; use at least {itch.LONGEST}")
        self.parameters = parameters
        self.market: Market = draw_market(parameters)
        self._chunk_bytes = chunk_bytes
        self._state = initial_state(parameters, self.market)
        self._chunks = self._stream()

    def __next__(self) -> Frame:
        return next(self._chunks)

    @property
    def counts(self) -> dict[str, int]:
        """Messages so far by type."""
        counts = self._state["counts"]
        return {chr(kind): int(counts[kind]) for kind in np.flatnonzero(counts)}

    @property
    def fair(self) -> Frame:
        """Fair price of every instrument in ticks, as of its last message; float64."""
        members, groups = self._state["members"], self._state["groups"]
        return members["price"] + members["beta"] * groups["factor"][members["group"]] + members["own"]

    def truth(self) -> dict[str, Any]:
        """The parameters, what is true of every pair, and the counts so far, as JSON knows them."""
        return {
            "parameters": self.parameters.model_dump(mode="json"),
            "pairs": self.market.truth(),
            "messages": self.counts,
        }

    def _stream(self) -> Iterator[Frame]:
        opened, closed = OPEN_NS, self.parameters.close_ns
        yield from self._told(self._directory())
        self._begin(opened - _LEAD_NS // 2, opened, self.parameters.opening_orders)
        self._state["session"]["opening"] = self.parameters.opening_orders
        yield from self._orders()
        yield from self._told([itch.system_event(opened, b"Q")])
        self._begin(opened, closed, self.parameters.continuous_messages)
        yield from self._orders()
        ends = ((closed, b"M"), (closed + _LEAD_NS, b"E"), (closed + _LEAD_NS, b"C"))
        yield from self._told([itch.system_event(ts, code) for ts, code in ends])

    def _directory(self) -> list[bytes]:
        start = OPEN_NS - _LEAD_NS
        listed = list(enumerate(self.market.symbols, start=1))
        return [
            itch.system_event(start, b"O"),
            itch.system_event(start, b"S"),
            *(itch.stock_directory(locate, start + locate, symbol) for locate, symbol in listed),
            *(itch.trading_action(locate, start + len(listed) + locate, symbol) for locate, symbol in listed),
        ]

    def _told(self, messages: list[bytes]) -> Iterator[Frame]:
        """The messages, counted, in chunks."""
        chunk = bytearray()
        for message in messages:
            self._state["counts"][message[2]] += 1
            if len(chunk) + len(message) > self._chunk_bytes:
                yield np.frombuffer(chunk, np.uint8)
                chunk = bytearray()
            chunk += message
        yield np.frombuffer(chunk, np.uint8)

    def _begin(self, start: int, end: int, messages: int) -> None:
        """A phase of the order flow: `messages` strictly between `start` and `end`."""
        session = self._state["session"]
        session["now"], session["end"], session["left"] = start + 1, end, messages

    def _orders(self) -> Iterator[Frame]:
        while self._state["session"]["left"][0]:
            chunk = np.empty(self._chunk_bytes, np.uint8)
            yield chunk[: write_messages(self._state.ctx, chunk)]


def simulate(parameters: SessionParameters, chunk_bytes: int = 4 << 20) -> Session:
    """The session of these parameters, not yet streamed."""
    return Session(parameters, chunk_bytes)
