"""What AI spend is wherever a fee is taken on it: the one definition, which every such fee prints."""

from __future__ import annotations

from typing import Final

AI: Final = "AI and Machine Learning"
#: Days after its end from which a month can be final: providers still restate until about then.
SETTLING: Final = 5
DEFINITION: Final = (
    f"AI spend is FOCUS BilledCost of the charges whose ServiceCategory is '{AI}' or that name a model, by UTC day of "
    "use: net of credits, refunds and discounts on them, commitments when they are billed, without tax. A month is "
    f"closed once it is {SETTLING} days past, and every source that billed AI in it or in the month before has billed "
    "AI in it and has charges up to its last day or later."
)
