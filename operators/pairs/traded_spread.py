"""Spreads of the pairs that are traded at the time, of very many that could be."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from operators.changes import between
from operators.operator import Desk, Example, Frames, Operator
from operators.pairs.discovery_example import traded_example
from operators.pairs.layout import first_tables, terms_of
from operators.pairs.parameters import SpreadParameters, StaticHedge
from operators.pairs.spread import Spread
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.market import QUOTES
from schemas.record import Frame, Schema
from schemas.signal import SPREAD_QUOTES, SPREADS, TRADED_PAIRS, Membership

_FREE = -1
_FIRST_SLOTS = 16


@register("traded_spread")
class TradedSpread(Operator):
    """The rows that `spread` gives, of pairs only while they are traded.

    A pair is measured from its promotion on as if the desk began there: it is cold until its windows are full. From
    its retirement on it has no rows, and what was known of it is forgotten. Time and memory are those of the pairs
    traded at once, however many the desk has; room is made as they are promoted. Rows of one cause come in the
    order of the desk's pairs.

    Hedges are those of `spread`, but for `static`: nobody has declared one for a pair that is found.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES, "traded": TRADED_PAIRS}
    outputs: ClassVar[Mapping[str, Schema]] = {"spreads": SPREADS, "spread_quotes": SPREAD_QUOTES}
    Parameters = SpreadParameters

    def __init__(self, parameters: SpreadParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs to choose from; declare some, or set `every_pair: true`")
        if isinstance(parameters.hedge, StaticHedge):
            raise ConfigError("pairs that are found have no `static` hedge; use `rolling`, `tls`, `ewls` or `kalman`")
        self._legs = desk.legs
        alone = first_tables(terms_of(parameters), parameters, replace(desk, pairs=desk.pairs[:1]))
        self._fresh = {name: table for name, table in alone.items() if name != "tops"}
        """The state of one pair before its first quote; that of the instruments is of all of them."""
        self._begin(np.full(min(_FIRST_SLOTS, len(desk.pairs)), _FREE, np.int64))

    @classmethod
    def example(cls, seed: int) -> Example:
        """Pairs that come and go, over instruments that halt at times."""
        return traded_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Measure every traded pair that `quotes` touch; promotions and retirements hold from their cause on."""
        if "traded" not in frames:
            return self._measure(frames)
        found: dict[str, list[Frame]] = {}
        for changes, piece in between(frames, "traded"):
            self._change(changes)
            for port, rows in self._measure(piece).items():
                found.setdefault(port, []).append(rows)
        return {port: np.concatenate(rows) for port, rows in found.items()}

    def snapshot(self) -> dict[str, Any]:
        """Which pair is measured where, and what is known of each."""
        return {"slots": self._slots.copy(), "spread": self._spread.snapshot()}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._begin(state["slots"].copy())
        self._spread.restore(state["spread"])

    def _begin(self, slots: Frame) -> None:
        """Have room for as many pairs as there are slots; each names the pair that is measured in it."""
        self._slots = slots
        self._spread = Spread(self.parameters, replace(self.desk, pairs=self.desk.pairs[:1] * len(slots)))
        self._watch()

    def _watch(self) -> None:
        used = [int(slot) for slot in np.argsort(self._slots, kind="stable") if self._slots[slot] != _FREE]
        self._spread.watch({slot: self._legs[self._slots[slot]] for slot in used})

    def _measure(self, frames: Frames) -> dict[str, Frame]:
        """The rows of the pairs in the slots, under the pairs' own numbers."""
        found = {}
        for port, rows in self._spread.process(frames).items():
            assert isinstance(rows, np.ndarray)
            found[port] = rows.copy()
            found[port]["pair"] = self._slots[rows["pair"]]
        return found

    def _change(self, changes: Frame) -> None:
        """Free the slots of pairs that are retired, and give one to each that is promoted."""
        for change in changes:
            pair = int(change["pair"])
            if not 0 <= pair < len(self.desk.pairs):
                raise self._stranger(change)
            if change["state"] == Membership.RETIRED:
                self._slots[self._slots == pair] = _FREE
            elif pair not in self._slots:
                self._promote(pair)
        if len(changes):
            self._watch()

    def _promote(self, pair: int) -> None:
        if _FREE not in self._slots:
            self._grow()
        slot = int(np.argmax(self._slots == _FREE))
        self._slots[slot] = pair
        for name, fresh in self._fresh.items():
            self._spread.state[name][slot * len(fresh) : (slot + 1) * len(fresh)] = fresh

    def _grow(self) -> None:
        """Have twice the slots."""
        slots, known = self._slots, self._spread.state.snapshot()
        self._begin(np.concatenate([slots, np.full(len(slots), _FREE)]))
        for name, rows in known.items():
            self._spread.state[name][: len(rows)] = rows

    def _stranger(self, change: Any) -> InvariantError:
        return InvariantError(
            f"desk {self.desk.id!r}, traded_spread, input {change['cause']}: expected a promotion or retirement of a "
            f"pair numbered 0 to {len(self.desk.pairs) - 1}, got one of number {change['pair']}"
        )
