"""A River model that learns online what becomes of deviations, and says what it expects."""

import pickle
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from operators.kernel import State
from operators.learn.estimator import fingerprint, make_model
from operators.learn.example import model_example
from operators.learn.learner import NO_OPINION, Learner
from operators.learn.parameters import ModelParameters
from operators.learn.target import LEARN, NO_EXAMPLE, OPEN, QUEUE, QUEUE_ENDS, STEP, TARGET_TERMS, schedule
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import ConfigError, InvariantError
from schemas.learn import (
    FEATURE_NAMES,
    FEATURES,
    MODEL_FAILURES,
    PREDICTIONS,
    SIGNED,
    VALIDATION,
    PredictionState,
)
from schemas.record import Frame, Schema
from schemas.signal import SPREADS

_NO_FEATURES, _NO_SPREADS = np.empty(0, FEATURES.dtype), np.empty(0, SPREADS.dtype)
_IS_SIGNED = np.array([name in SIGNED for name in FEATURE_NAMES])
_UNTAUGHT, _OUTSIDE, _FAILED = map(int, (PredictionState.UNTAUGHT, PredictionState.OUTSIDE, PredictionState.FAILED))


class _Asked(NamedTuple):
    """An example whose outcome is not known yet: what was seen, and the opinion given, or NO_OPINION."""

    x: list[float]
    opinion: float


@register("model")
class Model(Operator):
    """Per row of `features`, the probability that the target comes true, learned from those of before.

    Target `reverts`: z comes back to `exit` on the side where it is (or crosses to the other) before it is at
    `stop`, and not later than `horizon` after the row. A row of features with z between the two is an example; its
    outcome is known with the first usable row of `spreads` that decides it, or with the first row of any pair that is
    later than the horizon. Only then is it learned: a model never learns from what its desk has not yet seen. Whatever
    is decided by a row is learned before the model is asked next; of one cause `spreads` come before `features`.

    A model sees the pair from the side of its deviation: features that have a sign (see `schemas.learn.SIGNED`) are
    multiplied by that of z, so that a deviation up and its mirror image down are one example twice.

    Every row of features gives one of `predictions`; see `PredictionState` for why there may be no opinion. A model
    that raises, or says what is no probability, has none from there on, and `failures` says why. `validation`
    compares opinions, as they were given, with their outcomes.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"spreads": SPREADS, "features": FEATURES}
    outputs: ClassVar[Mapping[str, Schema]] = {
        "predictions": PREDICTIONS,
        "validation": VALIDATION,
        "failures": MODEL_FAILURES,
    }
    Parameters = ModelParameters

    def __init__(self, parameters: ModelParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so nothing to learn; declare some under `pairs`")
        steps, target = parameters.estimators, parameters.target
        self._is_desk_wide = parameters.scope == "desk"
        models = 1 if self._is_desk_wide else len(desk.pairs)
        self._learners = [Learner(make_model(steps, FEATURE_NAMES, desk.seed)) for _ in range(models)]
        self._fingerprint = fingerprint(steps, target.model_dump(mode="json"), desk.seed)
        self._asked: dict[int, _Asked] = {}
        terms = np.array([(target.exit, target.stop, target.horizon)], TARGET_TERMS)
        self._desk_tables = State(terms=terms, steps=np.zeros(1024, STEP))
        queues = np.zeros(2 * len(desk.pairs), QUEUE)
        queues["first"] = NO_EXAMPLE
        self._state = State(ends=np.zeros(1, QUEUE_ENDS), examples=np.zeros(1024, OPEN), queues=queues)

    @classmethod
    def example(cls, seed: int) -> Example:
        """Spreads that revert, run away and become unusable, and what is seen of them."""
        return model_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Learn what has been decided, and predict for every row of `features`."""
        spreads: Any = frames.get("spreads", _NO_SPREADS)
        features: Any = frames.get("features", _NO_FEATURES)
        steps = self._scheduled(spreads, features)
        if not len(steps):
            return {}
        seen = _seen(features)
        rows: dict[str, list[tuple[Any, ...]]] = {port: [] for port in self.outputs}
        for step in steps.tolist():
            learner = self._learners[0 if self._is_desk_wide else step[6]]
            had_failed = bool(learner.failure)
            if step[0] == LEARN:
                self._learn(learner, step, rows)
            else:
                self._predict(learner, step, seen[step[1]], rows)
            if learner.failure and not had_failed:
                rows["failures"].append((*step[4:6], *self._of(learner, step), learner.failure))
        return {port: self.outputs[port].rows(found) for port, found in rows.items() if found}

    def snapshot(self) -> dict[str, Any]:
        """Models with what they have learned, and examples whose outcome is not known yet."""
        return {"open": self._state.snapshot(), "learned": pickle.dumps((self._learners, self._asked), protocol=5)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._state.restore(state["open"])
        self._make_room(0)
        self._learners, self._asked = pickle.loads(state["learned"])

    def _predict(self, learner: Learner, step: tuple[int, ...], x: list[float], rows: dict[str, Any]) -> None:
        """Ask for row `step`, and remember what was said where the row is an example."""
        _, _, number, _, cause, ts, pair = step
        state = _OUTSIDE if number == NO_EXAMPLE else 0
        probability = NO_OPINION if state else learner.probability(_named(x))
        if learner.failure:
            state |= _FAILED
        elif not state and (probability < 0.0 or learner.examples < self.parameters.warm_up):
            state = _UNTAUGHT
        opinion = NO_OPINION if state else probability
        if number != NO_EXAMPLE and not learner.failure:
            self._asked[number] = _Asked(x, opinion)
        rows["predictions"].append((cause, ts, max(opinion, 0.0), self._fingerprint, learner.examples, pair, state))

    def _learn(self, learner: Learner, step: tuple[int, ...], rows: dict[str, Any]) -> None:
        """Teach the outcome of an example, and judge what was said of it."""
        _, _, number, outcome, cause, ts, _ = step
        asked = self._asked.pop(number, None)
        if asked is None:  # the model had failed when the example was made
            return
        judged = learner.judge(asked.opinion, outcome, self.parameters.validate_every)
        learner.learn(_named(asked.x), outcome)
        if judged:
            found, count = judged
            its, examples, pair = self._of(learner, step)
            rows["validation"].append((cause, ts, *found, its, count, examples, pair))

    def _of(self, learner: Learner, step: tuple[int, ...]) -> tuple[int, int, int]:
        """Fingerprint, examples learned and pair of a model, as rows about it say."""
        return self._fingerprint, learner.examples, -1 if self._is_desk_wide else step[6]

    def _scheduled(self, spreads: Any, features: Any) -> Frame:
        """What is to be done for these rows, in order; see `operators.learn.target`."""
        if len(features):
            self._make_room(len(features))
        count = schedule(self._desk_tables.ctx, self._state.ctx, spreads, features)
        if count < 0:
            raise self._stranger(spreads, features, -1 - count)
        return self._desk_tables["steps"][:count]

    def _make_room(self, rows: int) -> None:
        """Have room for so many more examples, and for what there is to do with them and with those that are open."""
        ends = self._state["ends"][0]
        live = int(ends["tail"] - ends["head"])
        if int(ends["tail"] - ends["base"]) + rows > len(self._state["examples"]):
            self._forget_closed(live, live + rows)
        if live + 2 * rows > len(self._desk_tables["steps"]):
            self._desk_tables.replace("steps", np.zeros(2 * (live + 2 * rows), STEP))

    def _forget_closed(self, live: int, needed: int) -> None:
        """Make room for so many examples: those from the oldest open one on move to the front of the table."""
        ends, old = self._state["ends"], self._state["examples"]
        first = int(ends["head"][0] - ends["base"][0])
        examples = np.zeros(max(1024, 2 * needed), OPEN)
        examples[:live] = old[first : first + live]
        self._state.replace("examples", examples)
        ends["base"] = ends["head"]

    def _stranger(self, spreads: Any, features: Any, i: int) -> InvariantError:
        row, what = (spreads[i], "spread") if i < len(spreads) else (features[i - len(spreads)], "row of features")
        return InvariantError(
            f"desk {self.desk.id!r}, model, input {row['cause']}: expected a {what} of a pair numbered "
            f"0 to {len(self.desk.pairs) - 1}, got one of number {row['pair']}"
        )


def _seen(features: Any) -> list[list[float]]:
    """Rows of features as a model sees them, from the side of the deviation."""
    values = np.column_stack([features[name] for name in FEATURE_NAMES])
    side = np.where(features["z"] < 0.0, -1.0, 1.0)[:, None]
    return np.where(_IS_SIGNED, values * side, values).tolist()


def _named(x: list[float]) -> dict[str, float]:
    return dict(zip(FEATURE_NAMES, x, strict=True))
