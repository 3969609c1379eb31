"""All live feeds of a desk as one totally ordered input log, in its journal before it is anywhere else."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack, closing
from pathlib import Path

import numpy as np

from operators.sources.journal import Journal, Logged, Sync
from operators.sources.journal_reader import JournalPosition, JournalReader
from operators.sources.journal_records import frame_records
from operators.sources.journal_segment import first_of, segments_of
from operators.sources.line import Entry, Line
from schemas.market import RAW, RawFrame, RawKind

_AT_ONCE = 8192
_NOTHING = np.empty(0, np.uint8)
_NOTHING.flags.writeable = False


class LiveInput:
    """The input log of a desk that listens: its journal from `resume` on, then what its lines hear, numbered on.

    What several lines hear at one look is put in order by (clock, feed). A desk that hears nothing for `tick_ns` gets
    an entry of kind TICK, so that what waits for a time comes about. Where the journal has entries of an earlier life,
    one of kind CONNECT for every feed marks the time that nobody listened. When all lines are over, END follows.

    Raises CaptureError where the journal or a line cannot be had, or is not the one that `resume` is a position in.
    """

    def __init__(
        self,
        folder: Path,
        feeds: Sequence[str],
        open_lines: Callable[[], Sequence[Line]],
        frame: int,
        resume: JournalPosition | None,
        desk: str = "",
        *,
        tick_ns: int = 10**9,
        segment_bytes: int,
        sync: Sync,
    ) -> None:
        self._frame, self._desk, self._tick_ns = frame, desk, tick_ns
        with ExitStack() as opened:
            self._journal = Journal(folder, feeds, segment_bytes, sync)
            opened.callback(self._journal.close)
            self._reader: JournalReader | None = JournalReader(folder, resume.cause if resume is not None else 0)
            opened.callback(self._end_replay)
            self._reader.check(feeds, resume)
            self._lines = [] if self._journal.is_ended else list(open_lines())
            for line in self._lines:
                opened.callback(line.close)
            self._follow(folder)
            self._opened = opened.pop_all()
        self._position = self._reader.position if resume is None else resume
        self._is_taken_up = self._journal.cause > 0
        self._block, self._heard_ns = _NOTHING, time.monotonic_ns()

    @property
    def fraction(self) -> float:
        """1 after the END entry, else 0: nobody knows how much will come."""
        return float(self._position.is_ended)

    def next(self) -> RawFrame | None:
        """The next entries, none where nothing has come; None after the END entry.

        Raises JournalError where the journal does not take what has come.
        """
        if self._position.is_ended:
            return None
        if self._reader is not None:
            frame = self._reader.frame(self._frame, self._desk)
            if frame is not None:
                self._position = self._reader.position
                return frame
            self._end_replay()
        if not len(self._block):
            self._listen()
        return self._cut()

    def snapshot(self) -> JournalPosition:
        """The position behind the last frame handed on."""
        return self._position

    def close(self) -> None:
        """Give lines and files back."""
        self._opened.close()

    def _listen(self) -> None:
        """Write down what has come, or that nothing has."""
        if self._journal.is_full:
            self._journal.begin_segment([line.place for line in self._lines])
        entries = self._outage() if self._is_taken_up else []
        self._is_taken_up = False
        for feed, line in enumerate(self._lines):
            entries += [Logged(clock, kind, feed, data) for clock, kind, data in line.poll()]
        entries.sort(key=lambda entry: entry.clock)
        now = time.monotonic_ns()
        if not entries:
            if all(line.is_over for line in self._lines):
                entries = [Logged(time.time_ns(), RawKind.END, -1, b"")]
            elif now - self._heard_ns >= self._tick_ns:
                entries = [Logged(time.time_ns(), RawKind.TICK, -1, b"")]
            else:
                return
        self._heard_ns = now
        self._block = np.frombuffer(self._journal.append(entries), np.uint8)

    def _cut(self) -> RawFrame:
        """The first entries that were written down and not handed on, at most `frame`."""
        rows = np.empty(min(self._frame, len(self._block)), RAW.dtype)
        count, size = frame_records(self._block, self._position.cause + 1, rows)
        data, self._block = self._block[:size], self._block[size:]
        if count:
            cause, clock, kind = (int(rows[name][count - 1]) for name in ("cause", "ts", "kind"))
            self._position = JournalPosition(cause, clock, kind == RawKind.END, self._journal.id)
        return RawFrame(rows[:count], data, self._desk)

    def _outage(self) -> list[Logged]:
        """That nobody listened up to now."""
        clock = time.time_ns()
        return [Logged(clock, line.outage, feed, b"") for feed, line in enumerate(self._lines) if not line.is_over]

    def _follow(self, folder: Path) -> None:
        """Show the lines what they handed over in earlier lives, as far back as they need it."""
        last = first_of(segments_of(folder)[-1]) - 1
        with closing(JournalReader(folder, last)) as reader:
            places = reader.head.places
        known = [0] * len(self._lines)
        for feed, (line, place) in enumerate(zip(self._lines, places, strict=False)):
            if place is not None:
                line.resume(place)
                known[feed] = last
            if type(line).follow is Line.follow:
                known[feed] = self._journal.cause
        with closing(JournalReader(folder, min(known, default=self._journal.cause))) as reader:
            while (frame := reader.frame(_AT_ONCE, "")) is not None:
                data = frame.data.data
                for cause, clock, kind, feed, start, size in frame.rows.tolist():
                    if feed >= 0 and cause > known[feed]:
                        entry = Entry(clock, RawKind(kind), bytes(data[start : start + size]))
                        self._lines[feed].follow(entry)

    def _end_replay(self) -> None:
        if self._reader is not None:
            self._reader.close()
            self._reader = None
