"""Networks that lose, repeat and reorder packets, driven by a seed; and what must be true of what comes out."""

import random
from collections.abc import Sequence
from itertools import chain

from operators.framing.mold_output import Gap, Lost, Message, Output, Recovered


def messages_of(rng: random.Random, count: int) -> list[bytes]:
    """Messages no two of which are equal."""
    return [n.to_bytes(3, "big") + rng.randbytes(rng.randrange(12)) for n in range(count)]


def line(rng: random.Random, packets: Sequence[bytes], loss: float, repeats: float, reach: float) -> list[bytes]:
    """One line's arrivals: each packet lost or not, repeated or not, each up to `reach` places late."""
    arriving = [
        (place + rng.random() * reach, packet)
        for place, packet in enumerate(packets)
        if rng.random() >= loss
        for _ in range(1 + (rng.random() < repeats))
    ]
    return [packet for _, packet in sorted(arriving, key=lambda arrival: arrival[0])]


def interleaved(rng: random.Random, lines: Sequence[Sequence[bytes]]) -> list[bytes]:
    """Lines that arrive side by side, none of them keeping pace with the others."""
    turns = list(chain.from_iterable([i] * len(packets) for i, packets in enumerate(lines)))
    rng.shuffle(turns)
    arrivals = [iter(packets) for packets in lines]
    return [next(arrivals[i]) for i in turns]


def assert_honest(out: Sequence[Output], sent: Sequence[bytes], first: int = 1) -> set[int]:
    """Every number from `first` on was passed on as sent or reported lost, in order; returns the lost ones.

    Each gap is reported once, and each of its numbers is afterwards recovered or lost, exactly once.
    """
    expected, recovering = first, 0
    open_, lost = set[int](), set[int]()
    for item in out:
        if isinstance(item, Gap):
            fresh = set(range(item.first, item.last + 1))
            assert fresh
            assert min(fresh) >= expected
            assert not fresh & open_
            open_ |= fresh
        elif isinstance(item, Message):
            assert item.sequence == expected
            assert item.data == sent[expected - 1]
            assert (expected in open_) == (expected < recovering)
            open_.discard(expected)
            expected += 1
        elif isinstance(item, Recovered):
            assert item.first == expected
            recovering = item.last + 1
        elif isinstance(item, Lost):
            assert item.first == expected
            lost |= (numbers := set(range(item.first, item.last + 1)))
            assert numbers <= open_
            open_ -= numbers
            expected = item.last + 1
    assert not open_
    return lost
