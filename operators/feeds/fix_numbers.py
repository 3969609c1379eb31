"""Which message is next: sequence numbers of the session, of applications, and what resets them."""

from collections.abc import Mapping
from typing import NamedTuple

from operators.feeds.fix_fields import number
from operators.feeds.multiples import MalformedError, shown
from operators.framing import fix_tags as tags

_MOST_STREAMS = 64
"""Senders and applications on one connection; more are a mistake."""


class Verdict(NamedTuple):
    """What the numbers of a message say: whether it is to be read, and which before it never came."""

    repeated: int = 0
    """The number that was there before: the message is not to be read. 0 where it is new."""
    gaps: tuple[tuple[int, int], ...] = ()
    """First and last number of each run of messages that never came."""
    is_reset: bool = False
    """Whether numbers start anew: nothing that was counted before goes on."""


class Numbers:
    """The last number of every sender (MsgSeqNum) and every application (ApplSeqNum), which only ever rise by one.

    The first that is seen of either is where it begins.
    """

    def __init__(self) -> None:
        self.last: dict[str, int] = {}

    def follow(self, kind: str, head: Mapping[str, str]) -> Verdict:
        """Take note of a message. Raises MalformedError, and takes none, where its numbers are none."""
        stated = self._stated(head)
        if kind == tags.LOGON and head.get(tags.RESET_SEQ_NUM_FLAG) == "Y":
            self.last = dict(stated)
            return Verdict(is_reset=True)
        if kind == tags.LOGON and head.get(tags.MSG_SEQ_NUM) == "1":
            self.last.update(stated)
            return Verdict(is_reset=True)
        if kind == tags.SEQUENCE_RESET:
            return self._reset(head, stated)
        gaps: list[tuple[int, int]] = []
        for stream, n in stated:
            last = self.last.get(stream, n - 1)
            if n <= last:
                return Verdict(n, tuple(gaps))
            self.last[stream] = n
            if n > last + 1:
                gaps.append((last + 1, n - 1))
        return Verdict(gaps=tuple(gaps))

    def _stated(self, head: Mapping[str, str]) -> list[tuple[str, int]]:
        """The numbers of a message by what counts them: first the session's, then the application's."""
        stated = []
        if tags.MSG_SEQ_NUM in head:
            stated.append(("34:" + head.get(tags.SENDER_COMP_ID, ""), number(head[tags.MSG_SEQ_NUM], "MsgSeqNum")))
        if tags.APPL_SEQ_NUM in head:
            stated.append(("1181:" + head.get(tags.APPL_ID, ""), number(head[tags.APPL_SEQ_NUM], "ApplSeqNum")))
        for stream, n in stated:
            if n == 0:
                raise MalformedError("sequence number: expected one from 1 on, came 0")
            if stream not in self.last and len(self.last) >= _MOST_STREAMS:
                raise MalformedError(f"sender: expected at most {_MOST_STREAMS} on a connection, came {shown(stream)}")
        return stated

    def _reset(self, head: Mapping[str, str], stated: list[tuple[str, int]]) -> Verdict:
        """SequenceReset: the next number is another. What lies between was of no concern, or will never come."""
        upcoming = number(head.get(tags.NEW_SEQ_NO), "NewSeqNo")
        if not stated or not upcoming:
            raise MalformedError("SequenceReset: expected MsgSeqNum, and a NewSeqNo from 1 on")
        stream, n = stated[0]
        last = self.last.get(stream)
        is_fill = head.get(tags.GAP_FILL_FLAG) == "Y"
        if is_fill and (upcoming <= n or (last is not None and upcoming <= last + 1)):
            return Verdict(n)
        self.last[stream] = upcoming - 1
        gaps = () if last is None or upcoming <= last + 1 else ((last + 1, upcoming - 1),)
        return Verdict(gaps=gaps, is_reset=last is not None and upcoming <= last)
