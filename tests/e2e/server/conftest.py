import os, sys
import pytest

sys.path.insert(0, os.path.dirname(__file__))
from skips import pytest_sessionfinish, pytest_terminal_summary  # noqa: F401 (pytest finds them here)


@pytest.fixture(params=["uring", "epoll"])
def io(request):
    """Every test runs on both back ends: their behaviour is the same."""
    return request.param
