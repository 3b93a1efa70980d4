"""How far the clocks of two pods may be apart, for whoever compares one's time with another's."""

from datetime import timedelta
from typing import Final

LEEWAY: Final = timedelta(seconds=60)
"""A node whose time service has just started, or failed for days, is off by less. Tokens of the auth service are taken
for so long before they begin and after they end; their keys are kept for so much longer."""
