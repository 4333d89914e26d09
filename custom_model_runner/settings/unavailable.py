"""What the original has and this version does not."""

from __future__ import annotations

# Options of the original that this version does not have, and the variable that would set each.
NOT_AVAILABLE = {
    "--docker": None,
    "--gpu-predictor": None,
    "--lazy-loading-file": "LAZY_LOADING_FILE",
    "--memory": None,
    "--sidecar": None,
    "--skip-deps-install": None,
    "--triton-grpc-port": None,
    "--triton-host": None,
    "--triton-http-port": None,
}
COMMANDS_NOT_AVAILABLE = ("fit", "perf-test", "validation", "push")
