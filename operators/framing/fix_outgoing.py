"""What one side of a FIX session sends: numbered without a gap, and sent again where the other side asks for it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from operators.framing import fix_tags as tags
from operators.framing.fix_message import Field, encode
from operators.framing.fix_output import Sent
from operators.framing.fix_terms import FixTerms

Body = Sequence[tuple[str, str | int]]

_SECRETS = frozenset((tags.PASSWORD, tags.NEW_PASSWORD, tags.RAW_DATA, tags.RAW_DATA_LENGTH))
_KEPT_MOST = 100_000
_NS = 10**9
_VALUE_WRONG = 5
"""SessionRejectReason."""


class Outgoing:
    """Numbers messages and queues their bytes. Of those with types in `resent` the last are kept to be sent again."""

    def __init__(self, terms: FixTerms, resent: Iterable[str] = ()) -> None:
        self.number = 1
        """Of the next message."""
        self.sent_ns = 0
        self._terms, self._resent = terms, frozenset(resent)
        self._kept: dict[int, list[Field]] = {}
        self._queue = bytearray()

    def send(self, kind: str, body: Body, now_ns: int) -> Sent:
        """Number a message and queue it."""
        number = self.number
        fields = self._fields(kind, number, now_ns, body)
        self._queue += encode(self._terms.begin_string, fields)
        self._keep(number, [(tag, str(value)) for tag, value in fields])
        self.number, self.sent_ns = number + 1, now_ns
        return Sent(encode(self._terms.begin_string, [field for field in fields if field[0] not in _SECRETS]))

    def logon(self, heartbeat_s: int, is_reset: bool, says_who: bool, now_ns: int) -> Sent:
        """Log on; `says_who` with username and password."""
        terms = self._terms
        body: list[tuple[str, str | int]] = [(tags.ENCRYPT_METHOD, 0), (tags.HEART_BT_INT, heartbeat_s)]
        if is_reset:
            body.append((tags.RESET_SEQ_NUM_FLAG, "Y"))
        said = ((tags.USERNAME, terms.username), (tags.PASSWORD, terms.password)) if says_who else ()
        body += [(tag, value) for tag, value in said if value is not None]
        if terms.begin_string.startswith("FIXT") and terms.default_appl_ver_id is not None:
            body.append((tags.DEFAULT_APPL_VER_ID, terms.default_appl_ver_id))
        return self.send(tags.LOGON, body, now_ns)

    def logout(self, text: str, now_ns: int) -> Sent:
        """Log out, and why, if anything is to be said."""
        return self.send(tags.LOGOUT, [(tags.TEXT, text)] if text else [], now_ns)

    def reject(self, number: int, kind: str, tag: str, now_ns: int) -> Sent:
        """Message `number` of the other side cannot be: its field `tag`."""
        body: Body = [
            (tags.REF_SEQ_NUM, number), (tags.REF_TAG_ID, tag), (tags.REF_MSG_TYPE, kind),
            (tags.SESSION_REJECT_REASON, _VALUE_WRONG), (tags.TEXT, f"field {tag} is missing or wrong"),
        ]  # fmt: skip
        return self.send(tags.REJECT, body, now_ns)

    def resend(self, first: int, last: int, now_ns: int) -> None:
        """Queue messages `first` to `last` again; a gap fill stands for those that were not kept."""
        at = first
        for number in [n for n in self._kept if first <= n <= last]:
            self._fill(at, number, now_ns)
            old = self._kept[number]
            kind, sent = old[0][1], dict(old)[tags.SENDING_TIME]
            body = [f for f in old[1:] if f[0] not in _HEADER]
            dup = [(tags.POSS_DUP_FLAG, "Y"), (tags.ORIG_SENDING_TIME, sent)]
            self._queue += encode(self._terms.begin_string, self._fields(kind, number, now_ns, [*dup, *body]))
            at = number + 1
        self._fill(at, last + 1, now_ns)
        self.sent_ns = now_ns

    def pull(self) -> bytes:
        """The bytes queued so far; they are queued no more."""
        data = bytes(self._queue)
        self._queue.clear()
        return data

    def reset(self) -> None:
        """Numbers begin at 1 again, and nothing sent before can be asked for."""
        self.number = 1
        self._kept.clear()

    def forget_queue(self) -> None:
        """The connection is gone, and with it what was not sent: the other side will ask for it."""
        self._queue.clear()

    def follow(self, fields: Sequence[Field]) -> None:
        """Take note of a message that was sent in an earlier life."""
        number = int(dict(fields)[tags.MSG_SEQ_NUM])
        self._keep(number, list(fields[1:]))
        self.number = number + 1

    def _keep(self, number: int, fields: list[Field]) -> None:
        if fields[0][1] in self._resent:
            self._kept[number] = fields
            if len(self._kept) > _KEPT_MOST:
                del self._kept[next(iter(self._kept))]

    def _fill(self, first: int, upcoming: int, now_ns: int) -> None:
        if first < upcoming:
            body: Body = [(tags.POSS_DUP_FLAG, "Y"), (tags.ORIG_SENDING_TIME, utc(now_ns)), *_gap_fill(upcoming)]
            self._queue += encode(self._terms.begin_string, self._fields(tags.SEQUENCE_RESET, first, now_ns, body))

    def _fields(self, kind: str, number: int, now_ns: int, body: Body) -> list[tuple[str, str | int]]:
        return [
            (tags.MSG_TYPE, kind), (tags.SENDER_COMP_ID, self._terms.sender), (tags.TARGET_COMP_ID, self._terms.target),
            (tags.MSG_SEQ_NUM, number), (tags.SENDING_TIME, utc(now_ns)), *body,
        ]  # fmt: skip


_HEADER = frozenset((tags.SENDER_COMP_ID, tags.TARGET_COMP_ID, tags.MSG_SEQ_NUM, tags.SENDING_TIME))


def _gap_fill(upcoming: int) -> Body:
    return [(tags.GAP_FILL_FLAG, "Y"), (tags.NEW_SEQ_NO, upcoming)]


def utc(time_ns: int) -> str:
    """A time as FIX writes it, to the millisecond."""
    seconds, rest = divmod(time_ns, _NS)
    moment = datetime.fromtimestamp(seconds, UTC)
    return f"{moment:%Y%m%d-%H:%M:%S}.{rest // 10**6:03d}"
