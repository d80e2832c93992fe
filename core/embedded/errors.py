"""The one error of this package: a sentence for the person at the terminal."""


class EmbeddedError(RuntimeError):
    """An embedded server cannot be started or stopped. The message says why and what to do."""
