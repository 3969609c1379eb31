"""The exception tree. A message to a person says where, what, and what to do next.

Bad *data* is never an exception: it becomes a row of `dead_letters`. These are for bad configuration,
an unusable target or recovery directory, and broken invariants.
"""


class PairflowError(Exception):
    """Anything pairflow raises on purpose."""


class ConfigError(PairflowError):
    """The configuration cannot run; the message names the line, what was found and what would be right."""


class CaptureError(PairflowError):
    """An input capture cannot be read, or is not the one an earlier run of the same name read."""


class JournalError(PairflowError):
    """The journal of a live desk cannot be written to: what comes cannot be kept, so nothing may be made of it."""


class TargetError(PairflowError):
    """The ClickHouse target refuses, is held by another process, or holds another configuration's run."""


class RecoveryError(PairflowError):
    """The recovery directory is damaged, incomplete, or belongs to another configuration."""


class ContractError(PairflowError):
    """An operator broke the operator contract."""


class InvariantError(PairflowError):
    """Something that cannot happen did; names desk, operator and sequence number."""
