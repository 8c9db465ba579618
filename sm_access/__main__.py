"""`python -m sm_access`: the command line, where its script is not on the PATH."""

from sm_access.cli.main import run

run()
