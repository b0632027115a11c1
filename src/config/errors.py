"""The error of whoever runs the service."""


class OperatorError(Exception):
    """A mistake on the command line or in the settings: shown as one clear line, exit code 2."""
