"""The project's own benchmark: `drum` against a bare floor and an ordinary script, in interleaved rounds."""
