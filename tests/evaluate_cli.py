"""The command line in this process."""

from typer.testing import CliRunner

from hybridlib import __main__ as command_line


def invoke(*arguments):
    return CliRunner().invoke(command_line.app, [str(argument) for argument in arguments], catch_exceptions=False)
