"""The parameters of the model operator."""

from typing import Any, Literal

from pydantic import ConfigDict, Field, model_validator

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


class Reverts(Parameters):
    """The target: z comes back to the exit band before it is beyond the stop, and in time."""

    type: Literal["reverts"] = Field("reverts", description="z is back at `exit`, or on the other side of it")
    exit: float = Field(ge=0, description="z of the exit, counted on the side where z is")
    stop: float = Field(gt=0, description="z of the stop; at or beyond it the answer is no")
    horizon: Duration = Field(gt=0, description="after this long, by the clock of the desk, the answer is no")

    @model_validator(mode="after")
    def _bands_nest(self) -> "Reverts":
        if self.exit >= self.stop:
            raise ValueError(f"exit {self.exit:g} must be below stop {self.stop:g}")
        return self


class ModelParameters(Parameters):
    """What is learned, of what, by whom."""

    model: Estimator | tuple[Estimator, ...] = Field(
        description="a River classifier, or a list: transformers, and a classifier at the end"
    )
    target: Reverts = Field(description="what is predicted")
    scope: Literal["desk", "pair"] = Field("desk", description="one model for all pairs, or one for each")
    warm_up: int = Field(100, ge=0, description="examples to learn before a prediction counts as an opinion")
    validate_every: int = Field(500, ge=1, description="outcomes of opinions from one row of validation to the next")

    @property
    def estimators(self) -> tuple[Estimator, ...]:
        """The steps of the pipeline, one where there is no pipeline."""
        return (self.model,) if isinstance(self.model, Estimator) else self.model
