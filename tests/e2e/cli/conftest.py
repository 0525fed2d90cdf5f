import os, sys

here = os.path.dirname(__file__)
sys.path[:0] = [here, os.path.join(here, "..", "server")]
