"""What holds for every test: nothing is answered from what an earlier run remembered."""

from __future__ import annotations

import os

os.environ["RECONCHECK_CACHE"] = "off"  # the tests of the cache have one of their own
