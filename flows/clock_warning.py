"""Warnings of feeds whose stamps are in another timezone than declared, as soon as an operator finds one."""

import structlog

from flows.graph import Graph
from operators.integrity.clock_check import ClockCheck
from operators.integrity.clock_skew import ClockSkew
from operators.operator import Desk
from schemas.market import FEED_EVENTS, FeedEventKind
from schemas.output import Output


def watches_clocks(graph: Graph) -> bool:
    """Whether an operator looks for such feeds."""
    return any(issubclass(node.component, ClockCheck | ClockSkew) for node in graph.nodes)


def warn_of_clocks(desk: Desk, output: Output) -> None:
    """Log each CLOCK_SKEW among the rows of a cut that a timezone would explain."""
    if FEED_EVENTS.name not in output.streams:
        return
    _, events = output.streams[FEED_EVENTS.name]
    for event in events[(events["kind"] == FeedEventKind.CLOCK_SKEW) & (events["last"] != 0)]:
        structlog.get_logger().warning(
            "a feed's stamps are in another timezone than declared; correct its `timezone`, or `date`",
            desk=desk.id,
            feed=desk.feeds[event["feed"]].id if event["feed"] >= 0 else "",
            instrument=desk.instruments[event["instrument"]].id if event["instrument"] >= 0 else "",
            hours_early=round(int(event["last"]) / 60, 1),
            cause=int(event["cause"]),
        )
