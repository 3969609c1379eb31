"""A FIX session, of either side, as a pure state machine: bytes and times in; messages in order and bytes out.

The authority is the FIX Trading Community's "FIX Session Layer" (2020), which covers FIX 4.4 and FIXT.1.1.
"""

from collections.abc import Iterable
from enum import Enum

from operators.framing import fix_tags as tags
from operators.framing.fix_incoming import Incoming, Kept
from operators.framing.fix_message import Field, decode
from operators.framing.fix_outgoing import Body, Outgoing
from operators.framing.fix_output import Ended, Heard, LoggedOn, Output, Sent, Skipped
from operators.framing.fix_stream import FixStream
from operators.framing.fix_terms import FixTerms
from operators.framing.refused import Refused

_NS = 10**9
_SILENT_AFTER, _BROKEN_AFTER = 1.2, 2.4
"""Heartbeat intervals without a word: then a test request is sent; then the connection is taken for broken."""
_ANSWER_NS = 10 * _NS
"""How long a logon or a logout may take."""


class _State(Enum):
    CLOSED = "not connected"
    WAITING = "not logged on"
    ON = "logged on"
    LEAVING = "logged out"


class FixSession:
    """One session over any number of connections; its place in it is `incoming.number` and `outgoing.number`.

    The initiator logs on when it is connected, the acceptor answers. What is to be sent is queued and told of as
    `Sent`, so that it can be recorded before `pull` gives it away; `follow` takes a session up again where a record
    of what was heard and sent leaves it. Messages of types in `resent` are sent again where the other side asks for
    them; a gap fill stands for any other.
    """

    def __init__(self, terms: FixTerms, is_initiator: bool = True, resent: Iterable[str] = ()) -> None:
        self.incoming, self.outgoing = Incoming(), Outgoing(terms, resent)
        self._terms, self._is_initiator = terms, is_initiator
        self._heartbeat_ns = terms.heartbeat_s * _NS
        self._stream = FixStream()
        self._state = _State.CLOSED
        self._asked: tuple[int, int] | None = None
        self._is_tested = False
        self._asked_ns = self._heard_ns = self._since_ns = 0

    @property
    def is_on(self) -> bool:
        """Whether both sides have logged on, and neither has logged out."""
        return self._state is _State.ON

    def connect(self, now_ns: int) -> list[Output]:
        """A connection was made. Times are ns UTC."""
        self.disconnect()
        self._stream, self._state = FixStream(), _State.WAITING
        self._heard_ns = self._since_ns = self.outgoing.sent_ns = now_ns
        if not self._is_initiator:
            return []
        if self._terms.resets:
            self._reset()
        return [self._send_logon(self._terms.resets, now_ns)]

    def disconnect(self) -> None:
        """The connection is gone."""
        self._state, self._asked, self._is_tested = _State.CLOSED, None, False
        self.incoming.forget_ahead()
        self.outgoing.forget_queue()

    def receive(self, data: bytes, now_ns: int) -> list[Output]:
        """What a piece of the byte stream leads to. What cannot be read is refused, and later asked for again."""
        self._heard_ns, self._is_tested = now_ns, False
        out: list[Output] = []
        for message in self._stream.feed(data):
            if self._state is _State.CLOSED:
                break
            if isinstance(message, Refused):
                out.append(message)
                continue
            fields = decode(message)
            if isinstance(fields, Refused):
                out.append(fields)
            else:
                self._take(message, fields, out, now_ns)
        return out

    def send(self, kind: str, body: Body, now_ns: int) -> Sent:
        """Queue a message. Raises ValueError while not logged on, and for a value that no field can hold."""
        if not self.is_on:
            raise ValueError(f"a message of type {kind!r} cannot be sent while {self._state.value}")
        return self.outgoing.send(kind, body, now_ns)

    def logout(self, now_ns: int, text: str = "") -> list[Output]:
        """End the session in good order: the other side is to answer."""
        if self._state is not _State.ON:
            return []
        self._state, self._since_ns = _State.LEAVING, now_ns
        return [self.outgoing.logout(text, now_ns)]

    def pull(self) -> bytes:
        """The bytes to send."""
        return self.outgoing.pull()

    def tick(self, now_ns: int) -> list[Output]:
        """What the passing of time leads to: heartbeats, test requests, and that the other side is gone."""
        out: list[Output] = []
        if self._state in (_State.WAITING, _State.LEAVING) and now_ns - self._since_ns >= _ANSWER_NS:
            self._end(f"no answer came while {self._state.value}", False, out)
        if self._state is not _State.ON or not self._heartbeat_ns:
            return out
        silent_ns = now_ns - self._heard_ns
        if silent_ns >= _BROKEN_AFTER * self._heartbeat_ns:
            self._end("nothing was heard for too long", False, out)
            return out
        if silent_ns >= _SILENT_AFTER * self._heartbeat_ns and not self._is_tested:
            self._is_tested = True
            out.append(self.outgoing.send(tags.TEST_REQUEST, [(tags.TEST_REQ_ID, now_ns)], now_ns))
        elif now_ns - self.outgoing.sent_ns >= self._heartbeat_ns:
            out.append(self.outgoing.send(tags.HEARTBEAT, [], now_ns))
        if self._asked is not None and now_ns - self._asked_ns >= self._heartbeat_ns:
            self._asked = None
            self._ask(out, now_ns)
        return out

    def follow(self, data: bytes, was_sent: bool) -> None:
        """Take note of a message of an earlier life, as `Heard` or `Sent` told of it. What is none is passed over."""
        fields = decode(data)
        if isinstance(fields, Refused):
            return
        head = dict(reversed(fields))
        kind, number = head[tags.MSG_TYPE], _number(head, tags.MSG_SEQ_NUM)
        is_reset = kind == tags.LOGON and head.get(tags.RESET_SEQ_NUM_FLAG) == "Y" and number == 1
        if is_reset:
            self._reset()
            self.outgoing.number = 2
        told = _number(head, tags.NEW_SEQ_NO) or 0 if kind == tags.SEQUENCE_RESET else 0
        if was_sent:
            self.outgoing.follow(fields)
        elif kind == tags.SEQUENCE_RESET and head.get(tags.GAP_FILL_FLAG) != "Y":
            self.incoming.number = max(told, self.incoming.number)
        elif number == self.incoming.number:  # what was refused is in the record too
            self.incoming.number = max(told, number + 1)

    def _take(self, data: bytes, fields: list[Field], out: list[Output], now_ns: int) -> None:
        """A message that can be read: in its turn, before it, again, or not of this session."""
        head = dict(reversed(fields))  # of a field that is there twice the first counts
        kind, number = head[tags.MSG_TYPE], _number(head, tags.MSG_SEQ_NUM)
        wrong = self._misfit(head, kind)
        if wrong is not None or number is None:
            out.append(Refused(wrong or "MsgSeqNum: expected a number, came none", data))
            self._leave(wrong or "MsgSeqNum is missing", out, now_ns)
            return
        if kind == tags.LOGOUT and number != self.incoming.number:
            self._logged_out(head, out, now_ns)  # there is nobody any more to ask for what is missing
            return
        if kind == tags.LOGON and head.get(tags.RESET_SEQ_NUM_FLAG) == "Y" and number == 1:
            self._reset_by_logon(out, now_ns)
        if kind == tags.SEQUENCE_RESET and head.get(tags.GAP_FILL_FLAG) != "Y":
            self._reset_to(head, number, data, fields, out, now_ns)
        elif number < self.incoming.number:
            if head.get(tags.POSS_DUP_FLAG) == "Y":
                self.incoming.duplicates += 1
            else:
                text = f"MsgSeqNum too low, expecting {self.incoming.number} but received {number}"
                out.append(Refused(text, data))
                self._leave(text, out, now_ns)
        elif number > self.incoming.number:
            is_urgent = kind in (tags.LOGON, tags.RESEND_REQUEST)
            if is_urgent:
                self._act(kind, head, number, out, now_ns)
            self.incoming.keep(number, Kept(data, fields, is_urgent))
            self._ask(out, now_ns)
        else:
            self._accept(Kept(data, fields, False), head, out, now_ns)
            self._go_on(out, now_ns)

    def _go_on(self, out: list[Output], now_ns: int) -> None:
        """What came before its turn may be due now; what is still missing is asked for."""
        while self._state is not _State.CLOSED and (kept := self.incoming.due()) is not None:
            self._accept(kept, dict(reversed(kept.fields)), out, now_ns)
        self._ask(out, now_ns)

    def _misfit(self, head: dict[str, str], kind: str) -> str | None:
        """Why a message is not one of this session, if it is not."""
        expected = (self._terms.begin_string, self._terms.target, self._terms.sender)
        came = tuple(head.get(tag) for tag in (tags.BEGIN_STRING, tags.SENDER_COMP_ID, tags.TARGET_COMP_ID))
        if came != expected:
            return f"session: expected {' '.join(expected)}, came {' '.join(map(str, came))[:60]}"
        if self._state is _State.WAITING and kind not in (tags.LOGON, tags.LOGOUT):
            return f"MsgType: expected a logon first, came {kind[:10]!r}"
        return None

    def _accept(self, message: Kept, head: dict[str, str], out: list[Output], now_ns: int) -> None:
        """The message whose turn it is."""
        kind, number = head[tags.MSG_TYPE], self.incoming.number
        upcoming = _number(head, tags.NEW_SEQ_NO) or 0 if kind == tags.SEQUENCE_RESET else number + 1
        out.append(Heard(message.data, message.fields))
        if upcoming <= number:
            out.append(self.outgoing.reject(number, kind, tags.NEW_SEQ_NO, now_ns))
        elif kind == tags.SEQUENCE_RESET:
            out.append(Skipped(number, upcoming - 1))
        self.incoming.go_on(max(upcoming, number + 1))
        if not message.is_done:
            self._act(kind, head, number, out, now_ns)

    def _act(self, kind: str, head: dict[str, str], number: int, out: list[Output], now_ns: int) -> None:
        """Do what a message of the session asks for."""
        if kind == tags.LOGON and self._state is _State.WAITING:
            self._logged_on(head, out, now_ns)
        elif kind == tags.TEST_REQUEST:
            body = [(tags.TEST_REQ_ID, head[tags.TEST_REQ_ID])] if tags.TEST_REQ_ID in head else []
            out.append(self.outgoing.send(tags.HEARTBEAT, body, now_ns))
        elif kind == tags.RESEND_REQUEST:
            first, last = _number(head, tags.BEGIN_SEQ_NO), _number(head, tags.END_SEQ_NO)
            if not first or last is None:
                out.append(self.outgoing.reject(number, kind, tags.END_SEQ_NO if first else tags.BEGIN_SEQ_NO, now_ns))
            else:
                most = self.outgoing.number - 1
                self.outgoing.resend(first, min(last or most, most), now_ns)
        elif kind == tags.LOGOUT:
            self._logged_out(head, out, now_ns)

    def _logged_on(self, head: dict[str, str], out: list[Output], now_ns: int) -> None:
        if not self._is_initiator:
            said = head.get(tags.USERNAME), head.get(tags.PASSWORD)
            if said != (self._terms.username, self._terms.password):
                self._leave("not authorised", out, now_ns)
                return
            self._heartbeat_ns = (_number(head, tags.HEART_BT_INT) or 0) * _NS
            out.append(self._send_logon(head.get(tags.RESET_SEQ_NUM_FLAG) == "Y", now_ns))
        self._state = _State.ON
        out.append(LoggedOn())

    def _send_logon(self, is_reset: bool, now_ns: int) -> Sent:
        return self.outgoing.logon(self._heartbeat_ns // _NS, is_reset, self._is_initiator, now_ns)

    def _logged_out(self, head: dict[str, str], out: list[Output], now_ns: int) -> None:
        was = self._state
        if was is _State.ON:
            out.append(self.outgoing.logout("", now_ns))
        self._end(head.get(tags.TEXT, "logged out"), was is not _State.WAITING, out)

    def _reset_by_logon(self, out: list[Output], now_ns: int) -> None:
        """The other side begins at 1 with this logon, and so do we with ours."""
        self._reset()
        if self._state is _State.ON:
            out += [self._send_logon(True, now_ns), LoggedOn()]
        elif self._is_initiator:
            self.outgoing.number = 2

    def _reset_to(
        self, head: dict[str, str], number: int, data: bytes, fields: list[Field], out: list[Output], now_ns: int
    ) -> None:
        """SequenceReset without a gap fill: whatever its own number is, the next one is what it says."""
        upcoming = _number(head, tags.NEW_SEQ_NO)
        if upcoming is None or upcoming < self.incoming.number:
            out.append(self.outgoing.reject(number, tags.SEQUENCE_RESET, tags.NEW_SEQ_NO, now_ns))
            return
        out.append(Heard(data, fields))
        if upcoming > self.incoming.number:
            out.append(Skipped(self.incoming.number, upcoming - 1))
        self.incoming.go_on(upcoming)
        self._go_on(out, now_ns)

    def _ask(self, out: list[Output], now_ns: int) -> None:
        """Ask for what is missing, once."""
        missing = self.incoming.missing
        if missing is None:
            self._asked = None
        elif self._state is _State.ON and (self._asked is None or missing[0] > self._asked[1]):
            self._asked, self._asked_ns = missing, now_ns
            body = ((tags.BEGIN_SEQ_NO, missing[0]), (tags.END_SEQ_NO, missing[1]))
            out.append(self.outgoing.send(tags.RESEND_REQUEST, body, now_ns))

    def _leave(self, why: str, out: list[Output], now_ns: int) -> None:
        """What came cannot be gone on with."""
        out.append(self.outgoing.logout(why, now_ns))
        self._end(why, False, out)

    def _end(self, why: str, is_logout: bool, out: list[Output]) -> None:
        self._state = _State.CLOSED
        out.append(Ended(why, is_logout))

    def _reset(self) -> None:
        self.incoming.forget_ahead()
        self.incoming.go_on(1)
        self.outgoing.reset()


def _number(head: dict[str, str], tag: str) -> int | None:
    """The number that a field holds, if it is one."""
    text = head.get(tag, "")
    return int(text) if text.isdecimal() and len(text) <= 18 else None
