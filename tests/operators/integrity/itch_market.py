"""ITCH messages that make sense, with the true books behind each, and two lossy lines to send them on."""

import random
from collections.abc import Sequence

from operators.feeds import itch_encode as itch
from operators.framing.mold_output import Lost, Message, Output, Recovered
from operators.framing.mold_receiver import MoldReceiver
from operators.framing.mold_sender import MoldSender
from tests.operators.framing.lossy import interleaved, line
from tests.operators.integrity.faults import Levels, Sent

STOCKS = ("AAPL", "MSFT")
_SIDES = (b"B", b"S")
_TICK = 100
"""A cent."""


class Stock:
    """The true book of one stock, order by order."""

    def __init__(self, locate: int) -> None:
        self.locate, self.name = locate, STOCKS[locate - 1]
        self.orders: dict[int, tuple[int, int, int]] = {}
        """Reference -> (side, ticks, shares)."""

    def change(self, rng: random.Random, ref: int) -> bytes:
        """The message of something that happens; `ref` is a reference not used yet."""
        if len(self.orders) < 4 or rng.random() < 0.45:
            side, shares = rng.randrange(2), rng.randint(1, 9) * 100
            ticks = 1000 + rng.randint(1, 5) * (1 if side else -1)
            self.orders[ref] = (side, ticks, shares)
            return itch.add_order(self.locate, ref, ref, _SIDES[side], shares, self.name, ticks * _TICK)
        old = rng.choice(list(self.orders))
        side, ticks, shares = self.orders.pop(old)
        kind, part = rng.randrange(4), rng.randint(1, shares)
        if kind == 0:
            return itch.order_delete(self.locate, ref, old)
        if kind == 1:
            ticks = 1000 + rng.randint(1, 5) * (1 if side else -1)
            self.orders[ref] = (side, ticks, part)
            return itch.order_replace(self.locate, ref, old, ref, part, ticks * _TICK)
        if part < shares:
            self.orders[old] = (side, ticks, shares - part)
        if kind == 2:
            return itch.order_cancel(self.locate, ref, old, part)
        return itch.order_executed(self.locate, ref, old, part, ref)

    def levels(self) -> Levels:
        """Shares by ticks, of bids and asks."""
        sides: Levels = ({}, {})
        for side, ticks, shares in self.orders.values():
            sides[side][ticks] = sides[side].get(ticks, 0) + shares
        return sides


def itch_session(rng: random.Random, messages: int) -> list[Sent]:
    """Directory messages, then changes of two books; numbered from 1 as MoldUDP64 does."""
    stocks = [Stock(1), Stock(2)]
    sent = [Sent(s.locate, s.locate - 1, itch.stock_directory(s.locate, 0, s.name), ({}, {})) for s in stocks]
    for number in range(3, messages + 1):
        stock = rng.choice(stocks)
        data = stock.change(rng, number)
        sent.append(Sent(number, stock.locate - 1, data, stock.levels()))
    return sent


def over_two_lines(rng: random.Random, sent: Sequence[Sent]) -> list[Output]:
    """What a receiver passes on of two lines that each lose, repeat and reorder packets."""
    sender = MoldSender(b"SESSION", payload_max=rng.choice((80, 200, 1400)))
    packets = [p for start in range(0, len(sent), 3) for p in sender.send([s.data for s in sent[start : start + 3]])]
    packets += [sender.heartbeat(), sender.end()]
    loss, repeats = rng.choice((0, 0.02, 0.1, 0.3)), rng.choice((0, 0.1, 0.5))
    lines = [line(rng, packets, loss, repeats, rng.choice((0, 1.5, 8))) for _ in "AB"]
    receiver = MoldReceiver(sequence=1, waiting_max=rng.choice((3, 20, 10_000)))
    out = [item for packet in interleaved(rng, lines) for item in receiver.receive(packet)]
    return [i for i in out + receiver.finish() if isinstance(i, Message | Lost | Recovered)]
