"""What the original has and this version does not."""

from __future__ import annotations

# Options of the original that this version does not have, and the variable that would set each.
NOT_AVAILABLE = {
    "--allow-dr-api-access": "ALLOW_DR_API_ACCESS_FOR_ALL_CUSTOM_MODELS",
    "--api-token": None,
    "--deployment-id": None,
    "--docker": None,
    "--gpu-predictor": None,
    "--lazy-loading-file": "LAZY_LOADING_FILE",
    "--memory": None,
    "--model-id": None,
    "--monitor": "MONITOR",
    "--monitor-embedded": "MLOPS_REPORTING_FROM_UNSTRUCTURED_MODELS",
    "--monitor-settings": None,
    "--sidecar": None,
    "--skip-deps-install": None,
    "--triton-grpc-port": None,
    "--triton-host": None,
    "--triton-http-port": None,
    "--user-secrets-mount-path": "USER_SECRETS_MOUNT_PATH",
    "--user-secrets-prefix": "USER_SECRETS_PREFIX",
    "--webserver": None,
}
COMMANDS_NOT_AVAILABLE = ("fit", "perf-test", "validation", "push")
