"""What a check has to say: facts, problems that make it fail, and notes that do not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from custom_model_runner.errors import EXIT_FAILURE, EXIT_OK, RunnerError

WIDTH = 14
Found = TypeVar("Found")


@dataclass
class Report:
    """The lines of a report, collected while a folder is looked at."""

    facts: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def fact(self, title: str, text: object, *, depth: int = 0) -> None:
        """Add a line: a title, and what was found."""
        self.facts.append(f"{'  ' * depth + title:<{WIDTH}}{text}")

    def problem(self, text: object, *, cause: str | None = None) -> None:
        """Add something that makes the check fail, once; lines that end with the same cause are one problem."""
        line = " ".join(str(text).split())
        if line not in self.problems and not (cause and any(known.endswith(cause) for known in self.problems)):
            self.problems.append(line)

    def note(self, text: str) -> None:
        """Add something to know, once."""
        if text not in self.notes:
            self.notes.append(text)

    def attempt(self, function: Callable[..., Found], *args: Any, **kwargs: Any) -> Found | None:
        """Return what a function returns; what it refuses becomes a problem, and the look goes on."""
        try:
            return function(*args, **kwargs)
        except RunnerError as refusal:
            self.problem(refusal)
            return None

    @property
    def exit_code(self) -> int:
        """0 without a problem, else that of a failed check."""
        return EXIT_FAILURE if self.problems else EXIT_OK

    def text(self) -> str:
        """Return the report for a person, with the verdict in its last line."""
        lines = list(self.facts)
        for title, texts in (("notes", self.notes), ("problems", self.problems)):
            lines += ["", title, *(f"  - {text}" for text in texts)] if texts else []
        count = len(self.problems)
        verdict = f"{count} problem{'s' * (count > 1)} found" if count else "no problem found"
        return "\n".join([*lines, "", f"verdict: {verdict}", ""])
