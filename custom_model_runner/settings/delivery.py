"""What is brought to the folder from outside, before it is opened."""

from __future__ import annotations

from dataclasses import dataclass

from custom_model_runner.options import option


@dataclass(frozen=True)
class DeliverySettings:
    """What is brought to the folder from outside, before it is opened."""

    runtime_params_file: str | None = option(
        "--runtime-params-file",
        metavar="FILE",
        variable="RUNTIME_PARAMS_FILE",
        help="YAML file with values of the runtime parameters that the metadata defines",
    )
    lazy_loading_file: str | None = option(
        "--lazy-loading-file",
        metavar="FILE",
        variable="LAZY_LOADING_FILE",
        help="file that lists files to fetch into the folder from storage, in YAML or JSON",
    )
    user_secrets_mount_path: str | None = option(
        "--user-secrets-mount-path",
        metavar="DIR",
        variable="USER_SECRETS_MOUNT_PATH",
        help="folder with one file for each user secret; need not exist",
    )
    user_secrets_prefix: str | None = option(
        "--user-secrets-prefix",
        metavar="PREFIX",
        variable="USER_SECRETS_PREFIX",
        help="prefix of the variables that hold user secrets",
    )
