"""The one error that says: what you gave is not usable."""


class InputError(ValueError):
    """Input that cannot be used; the message names file, line or parameter, what was found and what was expected."""
