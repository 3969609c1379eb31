"""River models that learn online what becomes of deviations, and say what they expect."""

import json
import pickle
from collections.abc import Mapping
from typing import Any, ClassVar, NamedTuple

import numpy as np

from operators.learn.canonical import digest_of
from operators.learn.contenders import Contenders, Decided, Opinions
from operators.learn.derived import RECENT, Derived
from operators.learn.example import model_example
from operators.learn.inventory import header_of, packed
from operators.learn.maker import Maker, started
from operators.learn.owners import owners_of
from operators.learn.parameters import Gain, ModelParameters
from operators.learn.schedule import Schedule
from operators.learn.waiting import LEARN, NO_EXAMPLE, PREDICT
from operators.operator import Desk, Example, Frames, Operator
from operators.registry import register
from schemas.errors import ConfigError
from schemas.learn import (
    FEATURE_NAMES,
    FEATURES,
    MODEL_EVENTS,
    MODEL_FAILURES,
    MODELS,
    PREDICTIONS,
    SHADOW_PREDICTIONS,
    SIGNED,
    VALIDATION,
    PredictionState,
)
from schemas.market import QUOTES
from schemas.record import Schema
from schemas.signal import SPREADS

_NO_FEATURES, _NO_SPREADS, _NO_QUOTES = (np.empty(0, of.dtype) for of in (FEATURES, SPREADS, QUOTES))
_IS_SIGNED = np.array([name in SIGNED for name in FEATURE_NAMES])
_UNTAUGHT, _OUTSIDE, _FAILED = map(int, (PredictionState.UNTAUGHT, PredictionState.OUTSIDE, PredictionState.FAILED))
_NO_STEP = (PREDICT,)
_NEW_OUTCOME = 0.1
"""Weight of a pair's last outcome in the feature `recent`."""


class Asked(NamedTuple):
    """An example whose outcome is not known yet: what was seen, and the opinions that count."""

    x: dict[str, float]
    opinions: Opinions


Rows = dict[str, list[tuple[Any, ...]]]


@register("model")
class Model(Operator):
    """Per row of `features`, what becomes of the trade against the deviation, learned from those of before.

    Target `reverts`: z comes back to `exit` on the side where it is (or crosses to the other) before it is at
    `stop`, and not later than `horizon` after the row; with `min_gain_bps`, the trade must also have gained more than
    that. Target `gain`: what the trade has gained where one of the three ends it. The trade crosses both legs at the
    best prices, as last quoted, when it is entered and when it is left, and pays `taker_bps` of each fill; how long
    orders take is left out. A row of features with z between exit and stop is an example; its outcome is known with
    the first usable row of `spreads` that decides it, or with the first row of any pair that is later than the
    horizon. Only then is it learned: a model never learns from what its desk has not yet seen. Whatever is decided by
    a row is learned before the model is asked next; of one cause quotes come before `spreads`, these before `features`.

    A model sees the pair from the side of its deviation: features that have a sign (see `schemas.learn.SIGNED`) are
    multiplied by that of z, so that a deviation up and its mirror image down are one example twice. It also sees
    `recent`, the share of the pair's last deviations that came true (each weighing a tenth, 1/2 before the first), and
    what `derive` adds.

    Every row of features gives one of `predictions`, from the live model, and one of `shadows` from each other; see
    `PredictionState` for why there may be no opinion. A model that raises, or says what cannot be, has none from there
    on, and `failures` says why. `validation` compares opinions, as they were given, with their outcomes, model by
    model and group by group; `events` tells drifts and promotions.
    """

    inputs: ClassVar[Mapping[str, Schema]] = {"quotes": QUOTES, "spreads": SPREADS, "features": FEATURES}
    outputs: ClassVar[Mapping[str, Schema]] = {
        "predictions": PREDICTIONS,
        "shadows": SHADOW_PREDICTIONS,
        "validation": VALIDATION,
        "failures": MODEL_FAILURES,
        "events": MODEL_EVENTS,
        "models": MODELS,
    }
    version = 2
    Parameters = ModelParameters

    def __init__(self, parameters: ModelParameters, desk: Desk) -> None:
        super().__init__(parameters, desk)
        if not desk.pairs:
            raise ConfigError(f"desk {desk.id!r} has no pairs, so nothing to learn; declare some under `pairs`")
        self._derived = Derived(parameters.derive or {})
        self._owners = owners_of(parameters, desk)
        self._schedule = Schedule(parameters, desk)
        self._judges = parameters.drift is not None or parameters.promote is not None
        self._regresses = isinstance(parameters.target, Gain)
        self._maker = Maker(parameters, desk, self._derived.names)
        self._header = header_of(parameters, self._derived.names, self._owners.names)
        self._contenders = started(self._maker.contenders(len(self._owners.names)), parameters.start, self._header)
        self._asked: dict[int, Asked] = {}
        self._recent = [0.5] * len(desk.pairs)
        self._examples = 0

    @classmethod
    def example(cls, seed: int) -> Example:
        """Spreads that revert, run away and become unusable, and what is seen of them."""
        return model_example(seed)

    def process(self, frames: Frames) -> Frames:
        """Learn what has been decided, and predict for every row of `features`."""
        quotes: Any = frames.get("quotes", _NO_QUOTES)
        spreads: Any = frames.get("spreads", _NO_SPREADS)
        features: Any = frames.get("features", _NO_FEATURES)
        steps = self._schedule.steps(quotes, spreads, features)
        if not len(steps):
            return {}
        seen = _seen(features)
        rows: Rows = {port: [] for port in self.outputs}
        together: list[Decided] = []
        todo = steps.tolist()
        for step, following in zip(todo, [*todo[1:], _NO_STEP], strict=True):
            owner = self._owners.of[step[6]]
            if step[0] == LEARN:
                together.append(self._learn(owner, step, rows))
                if not self._judges:
                    together.clear()
                elif following[0] != LEARN or following[4] != step[4] or following[6] != step[6]:
                    self._judge(owner, step, together, rows)
                    together.clear()
            else:
                self._predict(owner, step, seen[step[1]], rows)
        return {port: self.outputs[port].rows(found) for port, found in rows.items() if found}

    def snapshot(self) -> dict[str, Any]:
        """Models with what they have learned, and examples whose outcome is not known yet."""
        learned = (self._contenders, self._asked, self._recent, self._examples)
        return {"open": self._schedule.snapshot(), "learned": pickle.dumps(learned, protocol=5)}

    def restore(self, state: Mapping[str, Any]) -> None:
        """Continue from a snapshot of an operator with the same parameters on the same desk."""
        self._schedule.restore(state["open"])
        self._contenders, self._asked, self._recent, self._examples = pickle.loads(state["learned"])

    def _predict(self, owner: int, step: tuple[Any, ...], values: list[float], rows: Rows) -> None:
        """Ask for row `step`, and remember what was said where the row is an example."""
        _, _, number, _, cause, ts, pair, _ = step
        contenders = self._contenders[owner]
        outside = _OUTSIDE if number == NO_EXAMPLE else 0
        opinions: Opinions = (None,) * len(contenders.learners)
        if not outside:
            x = dict(zip(FEATURE_NAMES, values, strict=True))
            x[RECENT] = self._recent[pair]
            self._derived.add(x)
            opinions = contenders.ask(x, self.parameters.warm_up)
            self._asked[number] = Asked(x, opinions)
        for k, (learner, opinion) in enumerate(zip(contenders.learners, opinions, strict=True)):
            state = outside | (_FAILED if learner.failure else 0 if opinion or outside else _UNTAUGHT)
            size, port = 1.0, "shadows"
            if k == contenders.live:
                port = "predictions"
                if contenders.watch is not None:
                    size, state = contenders.watch.size, state | contenders.watch.state
            said = opinion[:3] if opinion else (0.0, 0.0, 0.0)
            of = (learner.fingerprint, learner.digest, learner.examples, k, pair, state)
            rows[port].append((cause, ts, *said, size, *of))
        if contenders.have_failed:
            self._tell_failures(contenders, owner, step, rows)

    def _learn(self, owner: int, step: tuple[Any, ...], rows: Rows) -> Decided:
        """Teach the outcome of an example, and note how right what was said of it was."""
        _, _, number, outcome, cause, ts, pair, gain_bps = step
        x, opinions = self._asked.pop(number)
        decided = Decided(opinions, int(gain_bps > 0.0) if self._regresses else outcome, gain_bps)
        self._recent[pair] += _NEW_OUTCOME * (decided.outcome - self._recent[pair])
        contenders, group = self._contenders[owner], self._owners.group[pair]
        contenders.learn(x, decided)
        for k, name, count, found in contenders.validate(decided, group, self.parameters.validate_every):
            learner = contenders.learners[k]
            its = (learner.fingerprint, count, learner.examples, k, self._owners.pair(owner), name)
            rows["validation"].append((cause, ts, *found, *its))
        if contenders.have_failed:
            self._tell_failures(contenders, owner, step, rows)
        self._examples += 1
        if self.parameters.save_every is not None and self._examples % self.parameters.save_every == 0:
            self._save(cause, ts, rows)
        return decided

    def _judge(self, owner: int, step: tuple[Any, ...], decided: list[Decided], rows: Rows) -> None:
        """See whether the live model has drifted or is beaten, by outcomes that one row has decided."""
        contenders, drift = self._contenders[owner], self.parameters.drift
        resets = drift is not None and drift.then == "reset"
        for kind, before, after, size, k in contenders.judge(decided, self._maker.learner, resets):
            live = contenders.learners[k]
            whose = (live.fingerprint, live.examples, k, self._owners.pair(owner), self._owners.label(owner))
            rows["events"].append((*step[4:6], before, after, size, *whose, int(kind)))
        if contenders.have_failed:
            self._tell_failures(contenders, owner, step, rows)

    def _tell_failures(self, contenders: Contenders, owner: int, step: tuple[Any, ...], rows: Rows) -> None:
        for k, reason in contenders.untold_failures():
            learner = contenders.learners[k]
            its = (learner.fingerprint, learner.examples, k, self._owners.pair(owner), reason)
            rows["failures"].append((*step[4:6], *its))

    def _save(self, cause: int, ts: int, rows: Rows) -> None:
        """All models become a row."""
        state = packed([(contenders.live, contenders.learners) for contenders in self._contenders])
        header = json.dumps(self._header | {"examples": self._examples}, sort_keys=True)
        rows["models"].append((cause, ts, self._maker.fingerprint, digest_of(state), self._examples, header, state))


def _seen(features: Any) -> list[list[float]]:
    """Rows of features as a model sees them, from the side of the deviation."""
    values = np.column_stack([features[name] for name in FEATURE_NAMES])
    side = np.where(features["z"] < 0.0, -1.0, 1.0)[:, None]
    return (np.where(_IS_SIGNED, values * side, values) + 0.0).tolist()  # -0.0 is 0.0: mirror images are one
