"""A live FIX market data session as a line of a desk: logged on, subscribed, in order, recorded in both directions."""

import time
from collections.abc import Sequence

from operators.framing import fix_tags as tags
from operators.framing.fix_note import SENT
from operators.framing.fix_outgoing import Body
from operators.framing.fix_output import Ended, Heard, LoggedOn, Output, Sent, Skipped
from operators.framing.fix_session import FixSession
from operators.framing.refused import Refused
from operators.sources.fix_settings import FixSettings
from operators.sources.line import Entry, Line
from operators.sources.live_feed import FixSessionFeed
from operators.sources.tcp_stream import TcpStream
from schemas.instrument import Instrument
from schemas.market import RawKind

_RETRY_NS = 10**9
_SNAPSHOT, _SUBSCRIBE, _UNSUBSCRIBE = 0, 1, 2
_INCREMENTAL = 1


class FixLine(Line):
    """Keeps a session with the server that `settings` name, subscribed to the market data of `symbols`.

    Every message of the venue becomes an entry, in its order and once; so does what breaks the protocol. Our own are
    entries behind `SENT`, without passwords, and are sent at the poll after the one that told of them: by then they
    are in the journal, from which `follow` takes up both sequences again. The end of a connection is an entry too.
    The subscription is made with each logon, and anew where the venue will not send again what was missed.
    """

    def __init__(self, settings: FixSettings, symbols: Sequence[str], retry_ns: int = _RETRY_NS) -> None:
        self._settings, self._symbols, self._retry_ns = settings, tuple(symbols), retry_ns
        self._session = FixSession(settings.terms)
        self._stream: TcpStream | None = None
        self._retry_at = self._clock = self._asked_ns = 0
        self._is_over = self._is_noted = False
        self._why: str | None = None
        self._requests = 0
        self._request = ""

    @classmethod
    def of(cls, feed: FixSessionFeed, instruments: Sequence[Instrument]) -> "FixLine":
        """The line of a feed, which speaks of these instruments."""
        return cls(feed.fix, [instrument.symbol for instrument in instruments])

    def poll(self) -> list[Entry]:
        """What has come, and what is about to be sent. Connects, and connects again, as time goes on."""
        self._clock = now = max(self._clock, time.time_ns())
        if self._stream is None:
            return [] if self._is_over else self._connect(now)
        entries: list[Entry] = []
        is_up = self._stream.send(self._session.pull())
        data = self._stream.receive() if is_up and self._why is None else None
        if data is None:
            return self._break(now)
        if self._stream.is_new:
            self._stream.is_new = False
            self._is_noted, self._request = True, ""
            entries.append(Entry(now, RawKind.CONNECT, self._settings.address.encode()))
            self._note(self._session.connect(now), entries, now)
        if data:
            self._note(self._session.receive(data, now), entries, now)
        self._note(self._session.tick(now), entries, now)
        refresh = self._settings.refresh
        if refresh is not None and self._request and self._session.is_on and now - self._asked_ns >= refresh:
            self._ask(f"{now}-refresh", _SNAPSHOT, entries, now)
        return entries

    def follow(self, entry: Entry) -> None:
        """Take note of an entry of an earlier life: both sequences go on where it leaves them."""
        self._clock = max(self._clock, entry.clock)
        if entry.kind == RawKind.MESSAGE:
            was_sent = entry.data.startswith(SENT)
            self._session.follow(entry.data[len(SENT) :] if was_sent else entry.data, was_sent)

    @property
    def place(self) -> str:
        """The next number of either side: with it, `resume` stands for everything followed and handed over so far."""
        return f"{self._session.incoming.number} {self._session.outgoing.number}"

    def resume(self, place: str) -> None:
        """Be where a line was whose `place` this is, before the first `follow`."""
        self._session.incoming.number, self._session.outgoing.number = map(int, place.split())

    @property
    def is_over(self) -> bool:
        """Whether the venue has logged out, where that is the end of the feed."""
        return self._is_over

    def close(self) -> None:
        """Give the connection back; log out where numbers start at 1 again, for a logout would not be recorded."""
        if self._stream is not None:
            if self._settings.reset:
                self._session.logout(self._clock)
                self._stream.send(self._session.pull())
            self._stream.close()
            self._stream = None

    def _connect(self, now: int) -> list[Entry]:
        if now >= self._retry_at:
            self._retry_at = now + self._retry_ns
            self._stream = TcpStream(self._settings.endpoint, self._settings.tls)
        return []

    def _break(self, now: int) -> list[Entry]:
        """The connection is gone: the next one is made after a pause."""
        if self._stream is not None:
            self._stream.close()
        self._session.disconnect()
        why = self._why or "the connection broke"
        entries = [Entry(now, RawKind.DISCONNECT, why.encode())] if self._is_noted else []
        self._stream, self._why, self._is_noted, self._retry_at = None, None, False, now + self._retry_ns
        return entries

    def _note(self, out: Sequence[Output], entries: list[Entry], now: int) -> None:
        """What becomes of what the session says."""
        for item in out:
            if isinstance(item, Heard | Refused):
                entries.append(Entry(now, RawKind.MESSAGE, item.data))
            elif isinstance(item, Sent):
                entries.append(Entry(now, RawKind.MESSAGE, SENT + item.data))
            elif isinstance(item, Ended):
                self._why = item.reason
                self._is_over = item.is_logout and self._settings.until_logout
        if self._session.is_on and any(isinstance(item, LoggedOn | Skipped) for item in out):
            self._subscribe(entries, now)  # behind all that was numbered before it

    def _subscribe(self, entries: list[Entry], now: int) -> None:
        if not self._settings.subscribes:
            return
        if self._request:
            self._ask(self._request, _UNSUBSCRIBE, entries, now)
        self._requests += 1
        self._request = f"{now}-{self._requests}"
        self._ask(self._request, _SUBSCRIBE, entries, now)

    def _ask(self, request: str, kind: int, entries: list[Entry], now: int) -> None:
        self._asked_ns = now
        sent = self._session.send(tags.MARKET_DATA_REQUEST, self._body(request, kind), now)
        entries.append(Entry(now, RawKind.MESSAGE, SENT + sent.data))

    def _body(self, request: str, kind: int) -> Body:
        """MarketDataRequest: a full refresh and what changes behind it, or an end to that."""
        types, source = self._settings.entry_types, self._settings.security_id_source
        subjects: list[tuple[str, str | int]] = []
        for symbol in self._symbols:
            by_id = [(tags.SYMBOL, "[N/A]"), (tags.SECURITY_ID, symbol), (tags.SECURITY_ID_SOURCE, source or "")]
            subjects += by_id if source else [(tags.SYMBOL, symbol)]
        return [
            (tags.MD_REQ_ID, request), (tags.SUBSCRIPTION_REQUEST_TYPE, kind),
            (tags.MARKET_DEPTH, self._settings.depth), (tags.MD_UPDATE_TYPE, _INCREMENTAL),
            (tags.NO_MD_ENTRY_TYPES, len(types)), *((tags.MD_ENTRY_TYPE, entry) for entry in types),
            (tags.NO_RELATED_SYM, len(self._symbols)), *subjects,
        ]  # fmt: skip
