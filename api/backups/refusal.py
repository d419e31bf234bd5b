"""Why a backup is not made, not taken for one, or not restored."""


class BackupRefused(Exception):
    """The message says what is wrong and what to do, in one line."""
