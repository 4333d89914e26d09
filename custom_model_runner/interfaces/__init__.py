"""One file per way of writing a model: `load(codedir, declared) -> Model`."""
