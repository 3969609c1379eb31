"""The parameters of the model operator."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ValidationInfo, field_validator, model_validator

from operators.learn.derived import check_expressions
from operators.operator import Parameters
from schemas.parameter_types import Duration


class Estimator(Parameters):
    """A River class by dotted path, and what it is made with. Values may be estimators or optimizers themselves."""

    model_config = ConfigDict(populate_by_name=True)

    path: str = Field(
        alias="class",
        pattern=r"^\w+(\.\w+)+$",
        description="dotted path, such as river.linear_model.LogisticRegression",
    )
    parameters: dict[str, Any] = Field(
        default={}, description="what the class takes; {class: …, parameters: …} as a value makes an object of it"
    )


Steps = Estimator | tuple[Estimator, ...]


class Reverts(Parameters):
    """The target: z comes back to the exit band before it is beyond the stop, and in time."""

    type: Literal["reverts"] = Field("reverts", description="z is back at `exit`, or on the other side of it")
    exit: float = Field(ge=0, description="z of the exit, counted on the side where z is")
    stop: float = Field(gt=0, description="z of the stop; at or beyond it the answer is no")
    horizon: Duration = Field(gt=0, description="after this long, by the clock of the desk, the answer is no")
    min_gain_bps: float | None = Field(
        None, description="the answer is also no where the trade gains no more than this after costs; null: z decides"
    )

    @model_validator(mode="after")
    def _bands_nest(self) -> "Reverts":
        if self.exit >= self.stop:
            raise ValueError(f"exit {self.exit:g} must be below stop {self.stop:g}")
        return self


class Gain(Parameters):
    """The target: what the trade against the deviation gains after costs, in bps of its gross value."""

    type: Literal["gain"] = Field(description="gain after costs of the trade against the deviation; for regressors")
    exit: float | None = Field(None, ge=0, description="the trade ends where z is back here; null: not for that")
    stop: float | None = Field(None, gt=0, description="and where z is here or beyond; null: not for that")
    horizon: Duration = Field(gt=0, description="and after this long, by the clock of the desk")

    @model_validator(mode="after")
    def _bands_nest(self) -> "Gain":
        if self.exit is not None and self.stop is not None and self.exit >= self.stop:
            raise ValueError(f"exit {self.exit:g} must be below stop {self.stop:g}")
        return self


Target = Annotated[Reverts | Gain, Field(discriminator="type")]


class Drift(Parameters):
    """What is done where the errors of the live model rise."""

    detector: Estimator = Field(description="a drift detector, such as river.drift.ADWIN or river.drift.PageHinkley")
    error: Literal["brier", "wrong", "loss"] = Field(
        "brier",
        description="what it watches, outcome by outcome: squared error of the probability, 1 for being on the wrong "
        "side of 1/2, or what was lost (bps) where a gain was expected",
    )
    size: float = Field(1.0, ge=0, le=1, description="sizes are multiplied by this; 0: entries pause")
    then: Literal["keep", "reset", "rule"] = Field(
        "keep", description="the model goes on, is made anew, or is set aside for the bare rule"
    )
    outcomes: int = Field(
        200, ge=1, description="for so many outcomes, those decided together being one; another drift starts anew"
    )

    @model_validator(mode="after")
    def _does_something(self) -> "Drift":
        if self.size == 1.0 and self.then == "keep":
            raise ValueError("a drift that changes nothing; set `size` below 1, or `then` to reset or rule")
        return self


class Promotion(Parameters):
    """When a model from the shadow takes the place of the live one."""

    measure: Literal["log_loss", "brier", "gain"] = Field(
        "log_loss", description="what is compared: mean log loss, mean Brier score, or mean gain (bps) of trades chosen"
    )
    outcomes: int = Field(
        500,
        ge=1,
        description="over the last so many outcomes of which all had an opinion, those decided together being one",
    )
    margin: float = Field(0.01, ge=0, description="by how much a model must be better than the live one")


class Start(Parameters):
    """Models of another run to begin with."""

    path: Path = Field(
        exclude=True, description="a file written by `pairflow model export`; relative to the configuration"
    )
    digest: str = Field(pattern="^[0-9a-f]{16}$", description="the digest that the export stated")

    @field_validator("path")
    @classmethod
    def _rooted(cls, path: Path, info: ValidationInfo) -> Path:
        return (info.context["folder"] / path.expanduser()).resolve() if info.context else path


class ModelParameters(Parameters):
    """What is learned, of what, by whom."""

    model: Steps = Field(
        description="a River classifier (regressor for target gain), or a list: transformers, and one at the end"
    )
    target: Target = Field(description="what is predicted")
    shadows: tuple[Steps, ...] = Field((), description="further models that are asked and taught the same, unheard")
    promote: Promotion | None = Field(None, description="when one of them takes the live model's place; null: never")
    drift: Drift | None = Field(None, description="what is done where the live model's errors rise; null: nothing")
    derive: dict[str, str] | None = Field(None, description="features of your own: name -> expression of the others")
    scope: Literal["desk", "group", "pair"] = Field(
        "desk", description="one model for all pairs, one for each of `groups`, or one for each pair"
    )
    groups: dict[str, tuple[str, ...]] | None = Field(
        None, description="groups of pairs: name -> ids; each is validated apart"
    )
    taker_bps: float = Field(0.0, ge=0, description="fee of each fill; a trade crosses both legs twice")
    hedge: Literal["units", "notional"] = Field(
        "units", description="what the hedge ratio counts: units (price spreads) or value (log prices)"
    )
    warm_up: int = Field(100, ge=0, description="examples to learn before a prediction counts as an opinion")
    validate_every: int = Field(500, ge=1, description="outcomes of opinions from one row of validation to the next")
    digest_every: int = Field(
        5000, ge=1, description="examples from one look at a model's whole state for its digest to the next"
    )
    save_every: int | None = Field(None, ge=1, description="examples from one row of `models` to the next; null: none")
    start: Start | None = Field(None, description="models to begin with; null: new ones")

    @field_validator("derive")
    @classmethod
    def _computable(cls, expressions: dict[str, str] | None) -> dict[str, str] | None:
        check_expressions(expressions or {})
        return expressions

    @model_validator(mode="after")
    def _fits(self) -> "ModelParameters":
        members = [pair for pairs in (self.groups or {}).values() for pair in pairs]
        if len(set(members)) < len(members):
            twice = next(pair for pair in members if members.count(pair) > 1)
            raise ValueError(f"pair {twice!r} is in two groups; validation needs each pair in one at most")
        if "" in (self.groups or {}):
            raise ValueError("a group without a name; that is what pairs of no group are in")
        if self.promote is not None and not self.shadows:
            raise ValueError("promote needs models to promote; list some under `shadows`")
        return self

    @property
    def candidates(self) -> tuple[tuple[Estimator, ...], ...]:
        """The steps of every pipeline, the live one first; one step where there is no pipeline."""
        return tuple((steps,) if isinstance(steps, Estimator) else steps for steps in (self.model, *self.shadows))
