"""What the original has and this version does not."""

from __future__ import annotations

# Options of the original that this version does not have.
NOT_AVAILABLE = (
    "--docker",
    "--gpu-predictor",
    "--memory",
    "--sidecar",
    "--skip-deps-install",
    "--triton-grpc-port",
    "--triton-host",
    "--triton-http-port",
)
COMMANDS_NOT_AVAILABLE = ("fit", "perf-test", "validation", "push")
