"""Where reports go, and what each kind of destination has to offer: `prepare(destination) -> OpenSink`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from custom_model_runner.data.report import Report, Subject
from custom_model_runner.errors import UsageError


@dataclass(frozen=True)
class Destination:
    """What a command says of a destination; `stdout` is a descriptor, None where results go to standard output."""

    subject: Subject
    spooler_type: str
    settings: Mapping[str, str] = field(default_factory=dict)
    stdout: int | None = None
    webserver: str | None = None
    api_token: str | None = None

    def refuse_others(self, known: tuple[str, ...]) -> None:
        """Refuse settings that this kind of destination does not have."""
        unknown = sorted(set(self.settings) - set(known))
        if unknown:
            allowed = f"expected among: {', '.join(known)}" if known else "it has none"
            raise UsageError(f"--monitor-settings: {self.spooler_type} has no setting {', '.join(unknown)}; {allowed}")


@dataclass(frozen=True)
class Sink:
    """An open destination: takes a report, and how many before it were lost; its errors are runner's or foreign."""

    write: Callable[[Report, int], None]
    close: Callable[[], None] = lambda: None


# Called in the process and the thread that writes, and again after a failure.
OpenSink = Callable[[], Sink]
