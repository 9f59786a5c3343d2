"""The evidence that the tests of the panels make is at hand here too."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "panels"))
