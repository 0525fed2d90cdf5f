import os, sys

here = os.path.dirname(__file__)
sys.path[:0] = [here, os.path.join(here, "..", "server")]
from skips import pytest_sessionfinish, pytest_terminal_summary  # noqa: E402, F401 (pytest finds them here)
