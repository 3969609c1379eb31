"""Models as they are before they have learned, and those that come from another run."""

import pickle
from collections.abc import Sequence
from typing import Any

from operators.learn.contenders import Contenders
from operators.learn.drift import Watch
from operators.learn.estimator import fingerprint, make_detector, make_model
from operators.learn.inventory import check_header, read_stored, unpacked
from operators.learn.learner import ClassLearner, Learner, ValueLearner
from operators.learn.parameters import Gain, ModelParameters, Start
from operators.operator import Desk
from operators.sources.model_file import read_model_file
from schemas.errors import ConfigError


class Maker:
    """Makes the declared models, as often as they are needed.

    Each is built and tried once, and copied from then on. Raises ConfigError where one cannot be.
    """

    def __init__(self, parameters: ModelParameters, desk: Desk, names: Sequence[str]) -> None:
        self._parameters = parameters
        self._seed = desk.seed
        self._learners = [self._template(k, names) for k in range(len(parameters.candidates))]
        drift = parameters.drift
        self._detector = pickle.dumps(make_detector(drift.detector, desk.seed)) if drift else b""

    @property
    def fingerprint(self) -> int:
        """That of the model under `model`."""
        return self.learner(0).fingerprint

    def learner(self, k: int) -> Learner:
        """Model number `k`, which knows nothing."""
        made: Learner = pickle.loads(self._learners[k])
        return made

    def contenders(self, count: int) -> list[Contenders]:
        """All models, for each of so many owners."""
        drift, promotion = self._parameters.drift, self._parameters.promote
        return [
            Contenders(
                [self.learner(k) for k in range(len(self._learners))],
                Watch(drift, self._detector) if drift else None,
                promotion,
            )
            for _ in range(count)
        ]

    def _template(self, k: int, names: Sequence[str]) -> bytes:
        """Model number `k`, pickled."""
        steps, target = self._parameters.candidates[k], self._parameters.target
        regresses = isinstance(target, Gain)
        model = make_model(steps, names, self._seed, regresses)
        its = fingerprint(steps, target.model_dump(mode="json"), self._seed)
        learner = (ValueLearner if regresses else ClassLearner)(model, its, self._parameters.digest_every)
        try:
            return pickle.dumps(learner, protocol=5)
        except Exception as e:
            raise ConfigError(f"{steps[-1].path} cannot be kept in a checkpoint: {type(e).__name__} ({e})") from e


def started(contenders: list[Contenders], start: Start | None, header: dict[str, Any]) -> list[Contenders]:
    """The contenders, with the models of `start` where there are some. Raises ConfigError where those do not fit."""
    if start is None:
        return contenders
    path = str(start.path)
    stored = read_stored(read_model_file(start.path), path, start.digest)
    check_header(stored.header, header, path)
    for its, (live, learners) in zip(contenders, unpacked(stored.state, path), strict=True):
        its.live, its.learners = live, learners
    return contenders
