"""What a person is told at the end of a run."""

from dataclasses import replace

from flows.contract.examples import example_desk
from flows.numbering import Numbering, TableRule
from flows.progress import Progress
from operators.feeds.raw_log import raw_frame
from schemas.integrity import AUDITS, AuditScope

REF = ("audit", "audits")
DESK = replace(example_desk(), id="main")


def numbering() -> Numbering:
    return Numbering({"audits": TableRule(AUDITS, (REF,))}, DESK)


def audited(*rows: tuple[int, AuditScope, int, int, int]) -> Numbering:
    """Of rows (feed, scope, received, lost, out of order), in cuts of one."""
    counting = numbering()
    for i, (feed, scope, received, lost, late) in enumerate(rows, 1):
        audits = AUDITS.rows([(i, 0, 0, received, 0, lost, 0, late, 0, feed, scope)])
        counting.number(raw_frame([(0, b"")], i), {REF: audits})
    return counting


def told(counting: Numbering) -> list[str]:
    progress = Progress("run", "config.yaml", {"main": 0, "other": 0})
    progress.reached("main", counting)
    return progress.losses()


def test_each_feed_that_lost_something_is_named_once_the_input_is_over():
    hours = [(0, AuditScope.HOUR, 5, 1, 0), (1, AuditScope.HOUR, 7, 0, 0)]
    assert told(audited(*hours)) == []
    counting = numbering()
    rows = [(2, 0, 0, 4_000, 0, 12, 0, 0, 0, 0, AuditScope.RUN), (2, 0, 0, 7, 0, 0, 0, 0, 0, 1, AuditScope.RUN)]
    counting.number(raw_frame([(0, b"")]), {REF: AUDITS.rows(rows)})
    line = "desk main, feed F0: 4,000 messages came, 12 were lost, 0 came too late; see the table audits"
    assert told(counting) == [line]


def test_what_came_too_late_is_worth_a_line_and_survives_a_checkpoint():
    counting = audited((1, AuditScope.RUN, 9, 0, 3))
    resumed = numbering()
    resumed.restore(counting.snapshot())
    line = "desk main, feed F1: 9 messages came, 0 were lost, 3 came too late; see the table audits"
    assert told(counting) == told(resumed) == [line]


def test_without_an_audit_nothing_is_said():
    assert told(numbering()) == []
