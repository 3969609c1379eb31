"""The listening side of MoldUDP64: any number of lossy lines in, one stream without unreported gaps out.

The two lines of a feed (A and B) and the answers of a retransmission server carry the same numbers, so they all go
to the same `receive`: whichever brings a message first, wins. Nothing is passed on before what precedes it was passed
on or given up. A gap is given up when nothing of it has come for `patience_ns`, or when more messages wait behind it
than `waiting_max`; then, and only then, its numbers are reported as lost.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from operators.framing.mold_output import Counts, Ended, Gap, Lost, Message, Output, Recovered
from operators.framing.mold_packet import COUNT_MAX, Packet, Request, decode_packet, padded
from operators.framing.refused import Refused


@dataclass
class _Opening:
    """A gap as it was found: its numbers, when it was found or last grew smaller, and when to ask for it (again)."""

    first: int
    last: int
    since_ns: int
    ask_ns: int
    asked_ns: int = 0


@dataclass
class MoldReceiver:
    """Puts the packets of one session in order.

    `session` is the one to follow, `sequence` the first message wanted; without them, those of the first packet are
    taken. To resume, hand in both as a receiver before had them. Packets of another session are refused, until this
    one has ended: then the next one begins, at 1. Packets numbered 0 (of captures whose headers were removed) are
    passed on as they come.

    Times are nanoseconds of any clock that does not go back; 0 will do where patience and requests are not used.
    """

    session: bytes | None = None
    sequence: int = 0
    """The message that comes next; 0 before the first packet where nothing was asked for."""
    patience_ns: int = 1_000_000_000
    waiting_max: int = 100_000
    ask_every_ns: int = 20_000_000
    """A gap is asked for so long after the last time, if nothing of it has come."""
    ask_on_ns: int = 200_000
    """And so long, if something has: what fits into one answer is often a small part."""
    counts: Counts = field(default_factory=Counts)
    _highest: int = 0
    """One more than the highest number known to have been sent."""
    _end: int = 0
    """The number no message will have, once it is known."""
    _is_followed: bool = False
    _is_over: bool = False
    _waiting: dict[int, bytes] = field(default_factory=dict)
    _open: list[_Opening] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.session = padded(self.session) if self.session is not None else None

    def receive(self, data: bytes, now_ns: int = 0) -> list[Output]:
        """What one packet, of any line, leads to."""
        self.counts.packets += 1
        packet = decode_packet(data)
        if isinstance(packet, Refused):
            return self._refuse(packet)
        if not packet.sequence:
            self.counts.messages += len(packet.messages)
            return [Message(0, message) for message in packet.messages]
        if not self._is_followed or (self._is_over and packet.session != self.session):
            self._follow(packet)
        if packet.session != self.session:
            return self._refuse(Refused(f"session: expected {self.session!r}, came {packet.session!r}", data))
        behind = packet.sequence + len(packet.messages)
        if packet.sequence == self._highest == self.sequence and not packet.is_end and not self._end:
            self.sequence = self._highest = behind  # the usual case: nothing is missing, and this comes next
            self.counts.messages += len(packet.messages)
            return list(map(Message, range(packet.sequence, behind), packet.messages))
        if self._end and behind > self._end:
            return self._refuse(Refused(f"sequence number: expected the end at {self._end}, came {behind - 1}", data))
        out: list[Output] = []
        self._take(packet, now_ns, out)
        self._advance(now_ns, out)
        return out

    def expire(self, now_ns: int) -> list[Output]:
        """What the passing of time leads to: gaps are given up."""
        out: list[Output] = []
        self._advance(now_ns, out)
        return out

    def finish(self) -> list[Output]:
        """There will be no more packets: everything that is missing is lost."""
        out: list[Output] = []
        while self._open:
            self._give_up(out)
        self._advance(0, out)
        return out

    def requests(self, now_ns: int) -> Iterator[Request]:
        """What to ask a retransmission server for now: all that is missing and was not asked for lately."""
        for gap in self._open:
            if gap.ask_ns > now_ns:
                continue
            gap.ask_ns, gap.asked_ns = now_ns + self.ask_every_ns, now_ns
            for first, last in self._missing(gap):
                yield Request(self.session or b"", first, min(last - first + 1, COUNT_MAX))

    @property
    def expires_ns(self) -> int | None:
        """When `expire` will have something to do; None: not before the next packet."""
        return self._open[0].since_ns + self.patience_ns if self._open else None

    @property
    def asks_ns(self) -> int | None:
        """When `requests` will have something to ask; None: not before the next packet."""
        return min((gap.ask_ns for gap in self._open), default=None)

    def _refuse(self, refused: Refused) -> list[Output]:
        self.counts.refused += 1
        return [refused]

    def _follow(self, packet: Packet) -> None:
        """Begin with the packet's session, where none is known or the last one has ended."""
        if self._is_over:
            self.session, self.sequence = packet.session, 1
        elif self.session in (None, packet.session):
            self.session, self.sequence = packet.session, self.sequence or packet.sequence
        else:
            return
        self._is_followed, self._highest = True, self.sequence
        self._end, self._is_over = 0, False

    def _take(self, packet: Packet, now_ns: int, out: list[Output]) -> None:
        """Pass on what is next, keep what comes later, and note what is missing before it."""
        sequence, messages, expected = packet.sequence, packet.messages, self.sequence
        behind, highest = sequence + len(messages), self._highest
        if packet.is_end:
            self._end = max(behind, highest)
        if sequence > highest:
            self._open.append(_Opening(highest, sequence - 1, now_ns, now_ns))
            self.counts.missing += sequence - highest
            out.append(Gap(highest, sequence - 1))
        self._highest = max(highest, behind)
        if behind <= expected:
            self.counts.duplicates += len(messages)
            return
        if sequence <= expected:
            self.counts.duplicates += expected - sequence
            fresh = messages[expected - sequence :]
            if not self._open:
                out += map(Message, range(expected, behind), fresh)
                self.counts.messages += len(fresh)
                self.sequence = behind
                return
            messages, sequence, gap = fresh, expected, self._open[0]
            gap.since_ns, gap.ask_ns = now_ns, min(gap.ask_ns, max(now_ns, gap.asked_ns + self.ask_on_ns))
        for number, message in enumerate(messages, sequence):
            if number < expected or number in self._waiting:
                self.counts.duplicates += 1
            else:
                self._waiting[number] = message

    def _advance(self, now_ns: int, out: list[Output]) -> None:
        """Pass on what has become next, and give up what has been missing for too long."""
        self._pass_on(out)
        while self._open and (
            now_ns - self._open[0].since_ns >= self.patience_ns or len(self._waiting) > self.waiting_max
        ):
            self._give_up(out)
        if self.session is not None and self.sequence == self._end and not self._is_over:
            self._is_over = True
            out.append(Ended(self.session, self._end))

    def _pass_on(self, out: list[Output]) -> None:
        """Pass on what waits in an unbroken row, and tell which of it had been missing."""
        while (first := self.sequence) in self._waiting:
            gap = self._open[0] if self._open else _Opening(self._highest, self._highest, 0, 0)
            is_missed = first >= gap.first
            stop = gap.last + 1 if is_missed else gap.first
            behind = first
            while behind < stop and behind in self._waiting:
                behind += 1
            if is_missed:
                self.counts.recovered += behind - first
                out.append(Recovered(first, behind - 1))
                if behind == stop:
                    self._open.pop(0)
            out += [Message(number, self._waiting.pop(number)) for number in range(first, behind)]
            self.counts.messages += behind - first
            self.sequence = behind

    def _give_up(self, out: list[Output]) -> None:
        """The missing messages that hold up the stream are lost: go on behind them."""
        self._pass_on(out)
        if not self._open:
            return
        gap, first = self._open[0], self.sequence
        behind = next((last for _, last in self._missing(gap)), gap.last) + 1
        self.counts.lost += behind - first
        out.append(Lost(first, behind - 1))
        self.sequence = behind
        if behind > gap.last:
            self._open.pop(0)
        self._pass_on(out)

    def _missing(self, gap: _Opening) -> list[tuple[int, int]]:
        """(first, last) of every row of numbers of a gap that has not come since."""
        first = max(gap.first, self.sequence)
        if gap is self._open[-1] and len(self._waiting) == self._highest - gap.last - 1:
            return [(first, gap.last)] if first <= gap.last else []  # all that waits is behind it
        if gap.last - first < len(self._waiting):
            came = [number for number in range(first, gap.last + 1) if number in self._waiting]
        else:
            came = sorted(number for number in self._waiting if first <= number <= gap.last)
        rows = []
        for number in (*came, gap.last + 1):
            if number > first:
                rows.append((first, number - 1))
            first = number + 1
        return rows
