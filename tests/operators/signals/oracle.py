"""The band decision again, written from its description: one generator per pair, rows in, signals out."""

from collections.abc import Generator
from typing import Any, NamedTuple

from schemas.record import Frame

ENTER, EXIT, STOP = 1, 2, 3
Decision = tuple[int, int] | None


class Rules(NamedTuple):
    """Parameters in ns and plain numbers; None where there is none."""

    entry: float
    exit: float
    stop: float | None
    cooldown: int
    min_hold: int | None
    max_hold: int | None
    min_deviation: float
    min_hedge: float
    max_hedge: float


def one_pair(rules: Rules) -> Generator[Decision, Any, None]:
    """Send it usable rows of one pair; it answers (action, side) or None."""
    row = yield None
    while True:
        while not enters(rules, row):
            row = yield None
        side, entered = (-1 if row["z"] > 0 else 1), row["ts"]
        row = yield ENTER, side
        while (why := leaves(rules, row, side, row["ts"] - entered)) is None:
            row = yield None
        calm = why == "back" or (why == "late" and -side * row["z"] < rules.entry)
        ready_at = row["ts"] + (rules.cooldown if why == "stop" else 0)
        row = yield (STOP if why == "stop" else EXIT), side
        while not (calm := calm or abs(row["z"]) < rules.entry) or row["ts"] < ready_at:
            row = yield None


def enters(rules: Rules, row: Any) -> bool:
    z, hedge = abs(row["z"]), abs(row["hedge"])
    within = z >= rules.entry and (rules.stop is None or z < rules.stop)
    return within and row["deviation"] >= rules.min_deviation and rules.min_hedge <= hedge <= rules.max_hedge


def leaves(rules: Rules, row: Any, side: int, held: int) -> str | None:
    if side == 1:
        stopped, back = rules.stop is not None and row["z"] <= -rules.stop, row["z"] >= -rules.exit
    else:
        stopped, back = rules.stop is not None and row["z"] >= rules.stop, row["z"] <= rules.exit
    if stopped:
        return "stop"
    if rules.max_hold is not None and held >= rules.max_hold:
        return "late"
    if back and (rules.min_hold is None or held >= rules.min_hold):
        return "back"
    return None


def expected_signals(rules: Rules, notional: int, pairs: int, spreads: Frame) -> list[tuple[Any, ...]]:
    """Rows of SIGNALS."""
    deciders = [one_pair(rules) for _ in range(pairs)]
    for decider in deciders:
        next(decider)
    rows = []
    for row in spreads:
        decision = deciders[row["pair"]].send(row) if row["state"] == 0 else None
        if decision is not None:
            action, side = decision
            wanted = notional if action == ENTER else 0
            seen = (row["cause"], row["ts"], row["spread"], row["z"], row["hedge"])
            rows.append((*seen, wanted, row["pair"], action, side))
    return rows
