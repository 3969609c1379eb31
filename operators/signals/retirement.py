"""What becomes of a position when its pair leaves the traded set."""

from typing import Any

from operators.signals.decision import UNTRADED
from schemas.record import Frame
from schemas.signal import SIGNALS, Action, Membership


def note_membership(positions: Frame, changes: Frame) -> Frame:
    """Let promoted pairs be entered and retired ones no longer; return the exits from those that are held.

    Spread and z of such an exit are 0: nobody has looked at them. All `changes` are of pairs of the desk.
    """
    exits: list[tuple[Any, ...]] = []
    for change in changes:
        position = positions[change["pair"]]
        if change["state"] == Membership.PROMOTED:
            position["vetoed"] &= ~UNTRADED
            continue
        position["vetoed"] |= UNTRADED
        if position["side"] != 0:
            row = (change["cause"], change["ts"], 0.0, 0.0, change["hedge"], 0)
            exits.append((*row, change["pair"], int(Action.EXIT), position["side"]))
            position["side"] = 0
    return SIGNALS.rows(exits)
