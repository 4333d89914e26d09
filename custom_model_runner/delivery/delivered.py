"""Everything that a folder is given from outside, as one record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from custom_model_runner import plugins, scrubbing
from custom_model_runner.delivery import orders, secrets, values
from custom_model_runner.delivery.orders import File
from custom_model_runner.settings import DeliverySettings, ModelSettings


@dataclass(frozen=True)
class Delivered:
    """What was settled before the folder is opened: variables for user code, texts to keep secret, files to fetch."""

    variables: Mapping[str, str]
    secrets: tuple[str, ...] = ()
    files: tuple[File, ...] = ()

    def fetch(self) -> None:
        """Fetch the files into the folder, once and before it is opened; a failure is a load error."""
        if self.files:
            plugins.find(plugins.ENTRIES["fetching"]).fetch(self.files)

    def guard_output(self) -> Callable[[], None]:
        """Keep the secrets out of output and logs, until the returned function is called."""
        return scrubbing.install(self.secrets)

    def scrubber(self) -> Callable[[str], str]:
        """Return the function that keeps the secrets out of a text."""
        return scrubbing.scrubber(scrubbing.words(self.secrets))


def deliver(
    model: ModelSettings, settings: DeliverySettings, environ: Mapping[str, str], *, secret_options: Iterable[str]
) -> Delivered:
    """Settle what the folder is given; what was asked for and cannot be had is a usage error."""
    parameters = values.variables(model.code_dir, settings.runtime_params_file, environ)
    variables = {**parameters, **secrets.variables(settings)}
    order = orders.read(model.code_dir, settings.lazy_loading_file, environ)
    hidden = (*secret_options, *secrets.hidden({**environ, **variables}), *order.secrets)
    return Delivered(variables, hidden, order.files)
