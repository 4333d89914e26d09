"""The real `drum`, with the variables that a storage needs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path


def drum(*words: str | Path, env: Mapping[str, str]) -> subprocess.CompletedProcess[bytes]:
    """Run a command to its end."""
    command = [sys.executable, "-m", "custom_model_runner", *map(str, words)]
    needed = {name: os.environ[name] for name in ("PATH", "HOME")}
    return subprocess.run(command, capture_output=True, env={**needed, **env}, timeout=120, check=False)
