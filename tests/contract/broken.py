"""A sound operator, and one for every way to break the contract."""

from typing import Any, ClassVar

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from operators import operator
from operators.operator import Example, Operator, Parameters
from schemas.market import QUOTES
from schemas.record import Column, Kind, schema

COUNTS = schema(
    "counts",
    "Quotes so far.",
    Column("instrument", Kind.INSTRUMENT, "of the quote"),
    Column("count", Kind.COUNT, "quotes of the instrument, this one included"),
    Column("side", Kind.SIDE, "+1 where the bid rose"),
    Column("note", Kind.TEXT, "a word"),
)


class Sound(Operator):
    """Counts quotes by instrument."""

    inputs = {"quotes": QUOTES}
    outputs = {"counts": COUNTS}

    def __init__(self, parameters: Any, desk: Any) -> None:
        super().__init__(parameters, desk)
        self.counts = np.zeros(len(desk.instruments), np.int64)

    def process(self, frames: Any) -> Any:
        rows = [self.row(q) for q in frames.get("quotes", ())]
        return {"counts": COUNTS.rows(rows)} if rows else {}

    def row(self, q: Any) -> tuple[Any, ...]:
        self.counts[q["instrument"]] += 1
        return q["cause"], q["ts"], q["instrument"], self.counts[q["instrument"]], 1, "so far"

    def snapshot(self) -> Any:
        return self.counts.copy()

    def restore(self, state: Any) -> None:
        self.counts = state.copy()


class NoPorts(Sound):
    outputs = {}


class StrangeOptional(Sound):
    optional = frozenset({"trades"})


class DottedPort(Sound):
    outputs = {"a.b": COUNTS}


class NoDefault(Sound):
    class Parameters(Parameters):
        limit: int = Field(description="must be given")


class ForeignParameters(Sound):
    class Parameters(BaseModel):
        limit: int = Field(default=1, description="of no matter")


class LooseParameters(Sound):
    class Parameters(Parameters):
        model_config = ConfigDict(extra="allow")


class ReservedParameter(Sound):
    class Parameters(Parameters):
        input: int = Field(default=1, description="taken already")


class MutableDefault(Sound):
    class Parameters(Parameters):
        limits: list[int] = Field(default=[1], description="shared by everyone")


class Undescribed(Sound):
    class Parameters(Parameters):
        limit: int = 1


class Unbuildable(Sound):
    def __init__(self, parameters: Any, desk: Any) -> None:
        raise OSError("no such device")


class BadExample(Sound):
    @classmethod
    def example(cls, seed: int) -> Example:
        raise IndexError("list index out of range")


class StrangePort(Sound):
    def process(self, frames: Any) -> Any:
        return {"totals": rows["counts"]} if (rows := super().process(frames)) else {}


class StrangeColumns(Sound):
    def process(self, frames: Any) -> Any:
        return {"counts": frames["quotes"]} if "quotes" in frames else {}


class NoFrame(Sound):
    def process(self, frames: Any) -> Any:
        return {"counts": [1, 2]}


class NoMapping(Sound):
    def process(self, frames: Any) -> Any:
        return [1, 2]


class FallingCauses(Sound):
    def process(self, frames: Any) -> Any:
        return {port: rows[::-1] for port, rows in super().process(frames).items()}


class StrangeCause(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        return (q["cause"] + 10**6, *super().row(q)[1:])


class StrangeInstrument(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        cause, ts, _, *rest = super().row(q)
        return cause, ts, 99, *rest


class StrangeSide(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        *rest, _, note = super().row(q)
        return *rest, 2, note


class StrangeText(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        return *super().row(q)[:-1], 7


class Silent(Sound):
    def process(self, frames: Any) -> Any:
        return {}


class Raises(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        if self.counts.sum() >= 100:
            raise ValueError("too many quotes")
        return super().row(q)


class ChangesInput(Sound):
    def process(self, frames: Any) -> Any:
        rows = super().process(frames)
        if "quotes" in frames:
            frames["quotes"]["bid"] -= 1
        return rows


class SharedState(Sound):
    seen: ClassVar[list[int]] = []

    def row(self, q: Any) -> tuple[Any, ...]:
        self.seen.append(1)
        cause, ts, instrument, _, *rest = super().row(q)
        return cause, ts, instrument, len(self.seen), *rest


class HashOrder(Sound):
    def row(self, q: Any) -> tuple[Any, ...]:
        words = {f"word {i}" for i in range(20)}
        return *super().row(q)[:-1], " ".join(words)


class CountsFrames(Sound):
    frames = 0

    def process(self, frames: Any) -> Any:
        self.frames += 1
        return super().process(frames)

    def row(self, q: Any) -> tuple[Any, ...]:
        cause, ts, instrument, _, *rest = super().row(q)
        return cause, ts, instrument, self.frames, *rest


class NeedsRows(Sound):
    def process(self, frames: Any) -> Any:
        return super().process({"quotes": frames["quotes"]})


class Unpicklable(Sound):
    def snapshot(self) -> Any:
        return lambda: self.counts


class LiveSnapshot(Sound):
    def snapshot(self) -> Any:
        return self.counts


class Forgetful(Sound):
    def restore(self, state: Any) -> None:
        pass


class CannotRestore(Sound):
    def restore(self, state: Any) -> None:
        raise KeyError("counts")


class SnapshotResets(Sound):
    def snapshot(self) -> Any:
        state = self.counts.copy()
        self.counts[:] = 0
        return state


class LooksAhead(Sound):
    def process(self, frames: Any) -> Any:
        self.quotes = frames.get("quotes", QUOTES.empty)
        return super().process(frames)

    def row(self, q: Any) -> tuple[Any, ...]:
        *rest, _, note = super().row(q)
        usual = self.quotes["bid"][self.quotes["instrument"] == q["instrument"]].mean()
        return *rest, int(q["bid"] > usual), note


class WaitsForMore(Sound):
    """Emits a row when the next one of its instrument comes."""

    held = None

    def process(self, frames: Any) -> Any:
        rows = [self.row(q) for q in frames.get("quotes", ())]
        if not rows:
            return {}
        out, self.held = ([self.held] if self.held else []) + rows[:-1], rows[-1]
        return {"counts": COUNTS.rows(out)} if out else {}

    def snapshot(self) -> Any:
        return self.counts.copy(), self.held

    def restore(self, state: Any) -> None:
        self.counts, self.held = state[0].copy(), state[1]


class HoldsInput(Sound):
    """Compares a quote with the last of the frame before, which it did not copy."""

    last = np.zeros(1, QUOTES.dtype)

    def process(self, frames: Any) -> Any:
        rows = super().process(frames)
        if "quotes" in frames and len(frames["quotes"]):
            self.last = frames["quotes"][-1:]
        return rows

    def row(self, q: Any) -> tuple[Any, ...]:
        *rest, _, note = super().row(q)
        row = (*rest, int(q["bid"] > self.last["bid"][0]), note)
        self.last = np.array([q], QUOTES.dtype)
        return row

    def snapshot(self) -> Any:
        return self.counts.copy(), self.last.copy()

    def restore(self, state: Any) -> None:
        self.counts, self.last = state[0].copy(), state[1].copy()


__all__ = [name for name, cls in globals().items() if isinstance(cls, type) and issubclass(cls, operator.Operator)]
