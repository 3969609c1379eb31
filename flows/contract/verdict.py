"""What the contract suite says of one property."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Verdict:
    """A property of the contract; `message` is a sentence that says how it is broken, empty where it holds."""

    name: str
    message: str = ""

    @property
    def passed(self) -> bool:
        """Whether the property holds."""
        return not self.message
