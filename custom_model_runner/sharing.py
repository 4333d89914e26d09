"""A model that is loaded once, before the workers are forked that share its memory: when that may be done.

Threads, sockets and locks do not survive a fork, and a thread pool that has run hangs after it.
"""

from __future__ import annotations

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from custom_model_runner import codedir, plugins
from custom_model_runner.codedir import CodeDir
from custom_model_runner.errors import RunnerError
from custom_model_runner.model import Model
from custom_model_runner.settings import ModelSettings

LOG = logging.getLogger("drum.sharing")

PROCESS = Path("/proc/self")


@dataclass(frozen=True)
class Traces:
    """What of this process would not survive a fork: other threads, and the sockets that it holds."""

    threads: int
    sockets: frozenset[str]

    def are_more_than(self, before: Traces) -> bool:
        """Whether something was added to what there was before."""
        return self.threads > before.threads or bool(self.sockets - before.sockets)


def traces() -> Traces:
    """Return the threads and sockets of this process; where the system does not tell, there are none."""
    sockets = set()
    for descriptor in _names(PROCESS / "fd"):
        # The descriptor of the listing itself is closed again.
        with suppress(OSError):
            sockets.add(os.readlink(PROCESS / "fd" / descriptor))
    return Traces(len(_names(PROCESS / "task")), frozenset(name for name in sockets if name.startswith("socket:")))


def _names(folder: Path) -> list[str]:
    try:
        return os.listdir(folder)
    except OSError:
        return []


def is_worth_a_try(settings: ModelSettings) -> bool:
    """Say whether the folder's model may be loaded before the fork, as far as can be told without loading it."""
    try:
        folder = codedir.open_folder(settings.code_dir, settings.language, refuses_code=settings.no_pickle)
        wish = folder.metadata.is_fork_safe
        if wish is not None:
            return wish
        has_extension = codedir.find_extension(folder.path) is not None
    except RunnerError:
        # Workers will say it.
        return False
    return folder.interface == "artifact" and not has_extension and _may_survive(folder)


def _may_survive(folder: CodeDir) -> bool:
    """Say whether no artifact is of a framework that is not known to survive a fork; a pickle may be of any."""
    modules = {plugins.LOADERS[file.suffix.lower()].module for file in folder.artifacts}
    return all(line.survives_fork for line in plugins.FRAMEWORKS.values() if line.module in modules)


def is_safe(model: Model, before: Traces) -> bool:
    """Say whether a model that was loaded may be shared; the author's word counts more than what is seen."""
    if model.info.codedir.metadata.is_fork_safe:
        return True
    framework = plugins.FRAMEWORKS.get(model.info.framework or "")
    after = traces()
    if not model.traits.is_fork_safe or framework is None or not framework.survives_fork:
        LOG.info("the model is not shared by workers: %s is not known to survive a fork", model.info.framework)
        return False
    if after.are_more_than(before):
        LOG.info("the model is not shared by workers: loading it left %s and %s behind", before, after)
        return False
    return True
