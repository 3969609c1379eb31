"""The best levels of a book with their prices and quantities as the venue wrote them, which checksums are made of."""

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import islice
from operator import neg
from typing import Any, NamedTuple


class Texted(NamedTuple):
    """New totals of levels of one side, as a window takes them: ticks, lots, and a text each."""

    prices: list[int]
    quantities: list[int]
    texts: list[str]


class PriceWindow:
    """Levels of both sides by price, best first, each with a text."""

    def __init__(self) -> None:
        self._ranks: tuple[list[int], list[int]] = ([], [])
        """Ticks of the levels, ascending: negative ones of bids, so that the best is first on either side."""
        self._texts: tuple[dict[int, str], dict[int, str]] = ({}, {})

    def clear(self) -> None:
        """No levels at all."""
        for ranks, texts in zip(self._ranks, self._texts, strict=True):
            ranks.clear()
            texts.clear()

    def update(self, side: int, prices: Iterable[int], quantities: Sequence[int], texts: Iterable[str]) -> None:
        """Set the levels of a side (0 bids, 1 asks) one after the other; one of quantity 0 goes."""
        ranks, known = self._ranks[side], self._texts[side]
        if not ranks and 0 not in quantities:
            known.update(zip(prices if side else map(neg, prices), texts, strict=True))
            ranks += sorted(known)
            return
        for price, quantity, text in zip(prices, quantities, texts, strict=True):
            rank = price if side else -price
            if quantity:
                if rank not in known:
                    insort(ranks, rank)
                known[rank] = text
            elif known.pop(rank, None) is not None:
                del ranks[bisect_left(ranks, rank)]

    def truncate(self, side: int, depth: int) -> list[int]:
        """Take away what lies behind the `depth` best levels of a side; the prices of what went, in ticks."""
        ranks, known = self._ranks[side], self._texts[side]
        if len(ranks) <= depth:
            return []
        gone = ranks[depth:]
        del ranks[depth:]
        for rank in gone:
            del known[rank]
        return [abs(rank) for rank in gone]

    def best(self, side: int, count: int) -> list[str]:
        """Texts of the `count` best levels of a side, or as many as there are, best first."""
        return list(map(self._texts[side].__getitem__, islice(self._ranks[side], count)))

    def snapshot(self) -> Any:
        """The levels, as a value that later updates leave alone."""
        return [dict(texts) for texts in self._texts]

    def restore(self, state: Any) -> None:
        """Take up the levels of a snapshot."""
        self._texts = (dict(state[0]), dict(state[1]))
        self._ranks = (sorted(state[0]), sorted(state[1]))
