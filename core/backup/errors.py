"""The one error of this package: a sentence for the person at the terminal."""


class BackupError(RuntimeError):
    """A backup cannot be made, or a file not be restored. The message says why; nothing was changed."""
