"""Every failure of the runner, with its exit code and its HTTP status.

RunnerError                 1 / 500   anything else
  UsageError                2 / 500   the command line, a variable or the metadata contradicts itself
  SchemaError               3 / 422   data breaks the declared schema
  LoadError                 4 / 513   the code directory cannot be loaded
  UserCodeError             5 / 500   the user's code raised
    ContractError           5 / 500   the user's code returned what its contract forbids
  InputError                6 / 422   the data handed in cannot be used
    MalformedRequest        6 / 400   the request itself is broken
    Unauthorized            6 / 401   the request has no valid API key
    TooSlow                 6 / 408   the request does not come in time
    PayloadTooLarge         6 / 413   the body, or what it decodes to, is over its limit
    MissingColumns          6 / 422   the table lacks columns that the model was fitted on
    UnusableValues          6 / 422   the table holds values that the model does not take
    UnknownEncoding         6 / 415   the content encoding is not one that can be undone
    UnknownMediaType        6 / 415   the content type is not one that the route reads
    Unsupported             6 / 422   the code directory lacks the ability that was asked for
      NotOffered            6 / 404   the same, where the ability is a route of its own
  Overloaded                1 / 429   a full queue
  TimedOut                  1 / 504   the time of a request is over
BaseCustomUserError         5 / 500   raised by user code, passed on unwrapped
  CustomHTTPError           5 / its own status
Terminated                  143       SIGTERM in batch; not an Exception, so that user code cannot swallow it
                            129       the same for SIGHUP
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

EXIT_OK = 0
EXIT_FAILURE = 1
EXIT_INTERRUPTED = 130


# Of a sentence; a number is the place of a row in a table, counted from 0, and is told as the number of that row.
Pieces = tuple[str | int, ...]


class RunnerError(Exception):
    """A failure that the runner explains in one sentence, given in pieces."""

    exit_code = EXIT_FAILURE
    status = 500

    def __init__(self, *pieces: str | int) -> None:
        super().__init__(*pieces)

    def told(self, before: int = 0) -> str:
        """Return the sentence for a table before which so many rows of the input stand; they are counted from 1."""
        return "".join(piece if isinstance(piece, str) else str(before + piece + 1) for piece in self.args)

    def __str__(self) -> str:
        return self.told()


class UsageError(RunnerError):
    """The command line, a variable or the metadata is wrong or contradicts another."""

    exit_code = 2


class SchemaError(RunnerError):
    """Data breaks the schema that the code directory declares."""

    exit_code = 3
    status = 422


class LoadError(RunnerError):
    """The code directory cannot be loaded."""

    exit_code = 4
    status = 513


class UserCodeError(RunnerError):
    """The user's code raised."""

    exit_code = 5


class ContractError(UserCodeError):
    """The user's code returned what its contract forbids."""


class InputError(RunnerError):
    """The data handed in cannot be used."""

    exit_code = 6
    status = 422


class MalformedRequest(InputError):
    """The request itself is broken: HTTP framing, its encoding or JSON."""

    status = 400


class Unauthorized(InputError):
    """The request has no valid API key."""

    status = 401


class TooSlow(InputError):
    """The request does not come in the time that it has."""

    status = 408


class PayloadTooLarge(InputError):
    """The body, or what it decodes to, is over its limit."""

    status = 413


class UnknownEncoding(InputError):
    """The content encoding is not one that can be undone."""

    status = 415


class UnknownMediaType(InputError):
    """The content type of the body is not one that the route reads."""

    status = 415


class MissingColumns(InputError):
    """The table lacks columns of these names that the model was fitted on; `words` say so of whichever table it is."""

    def __init__(self, words: str, names: frozenset[str]) -> None:
        super().__init__(f"The input {words}")
        self.words = words
        self.names = names


class UnusableValues(InputError):
    """The table holds values that the model does not take; rows without them are no matter."""


class Unsupported(InputError):
    """The code directory lacks the ability that was asked for."""


class NotOffered(Unsupported):
    """The code directory lacks the ability that a route of its own stands for."""

    status = 404


class Overloaded(RunnerError):
    """The server takes no further call now."""

    status = 429


class TimedOut(RunnerError):
    """The time that a request may take is over."""

    status = 504


class BaseCustomUserError(Exception):
    """A failure that user code raises on purpose and that reaches the client as it is."""

    exit_code = UserCodeError.exit_code
    status = 500
    status_code: Any = status


class CustomHTTPError(BaseCustomUserError):
    """A failure whose message and HTTP status the user's code chooses."""

    message: Any = None

    def __init__(self, message: Any, status_code: Any = 400) -> None:
        super().__init__(message)
        self.message = message
        self.status = self.status_code = status_code

    def __str__(self) -> str:
        return super().__str__() if self.message is None else str(self.message)


def listed(lines: Iterable[Pieces]) -> Pieces:
    """Return sentences as one."""
    return tuple(piece for line in lines for piece in ("; ", *line))[1:]


class Terminated(BaseException):
    """SIGTERM, or another signal of a number, arrived while a batch command ran."""

    exit_code = 143

    def __init__(self, number: int = 15) -> None:
        super().__init__(number)
        self.exit_code = 128 + number
