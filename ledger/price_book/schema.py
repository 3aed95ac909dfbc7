"""The rows of the price book and what their dimensions may be.

A price is an integer: pico-dollars (1e-12 of the currency unit) for one token or one other unit, so that pricing is
exact integer arithmetic. $3 per million tokens is 3,000,000 pico-dollars a token.
"""

from __future__ import annotations

from typing import Final

from ledger.focus import INSTANT, TEXT, Column

#: Token kinds, disjoint; each is priced by its own row. The names are those of the usage columns
#: (`InputUncachedTokens`, ...) in short.
TOKEN_KINDS: Final = (
    "input",
    "cache_read",
    "cache_write",
    "cache_write_5m",
    "cache_write_30m",
    "cache_write_1h",
    "cache_write_12h",
    "output",
    "reasoning",
    "input_audio",
    "cache_read_audio",
    "output_audio",
    "input_image",
    "output_image",
    "embedding",
    "request",
)
TIERS: Final = ("standard", "batch", "flex", "priority", "fast", "provisioned")
#: The cheapest place a model is served from where a seller has several prices: global, one data zone, one region.
REGIONS: Final = ("Global", "Data Zone", "Regional")

#: One row for each price. A correction is a new row with a later KnownFrom; nothing is ever overwritten.
PRICES: Final = (
    #: Who sells, as a charge names its ServiceProviderName (OpenAI, Anthropic, AWS, Microsoft, Google Cloud, ...).
    Column("Seller", TEXT, nullable=False),
    #: x_ModelId / ModelId, the same whoever sells it.
    Column("ModelId", TEXT, nullable=False),
    #: x_ModelVersion / ModelVersion of the one release that has this price (gpt-4o of 2024-05-13 costs twice the later
    #: ones); NULL: the price of every release that has no row of its own for this seller and model.
    Column("ModelVersion", TEXT),
    #: The model as the source spells it.
    Column("ModelName", TEXT, nullable=False),
    Column("TokenKind", TEXT, nullable=False, allowed=TOKEN_KINDS),
    Column("ServiceTier", TEXT, nullable=False, allowed=TIERS),
    Column("ServingRegion", TEXT, nullable=False, allowed=REGIONS),
    #: The price holds for requests whose whole input is larger than this many tokens (a cliff: output too).
    Column("ContextAbove", "BIGINT", nullable=False),
    Column("ValidFrom", INSTANT, nullable=False),
    #: The moment from which it no longer holds; NULL where it still does.
    Column("ValidTo", INSTANT),
    Column("KnownFrom", INSTANT, nullable=False),
    Column("PricePico", "BIGINT", nullable=False),
    Column("Currency", TEXT, nullable=False),
    #: list, or negotiated: the customer's own price, which wins over the list's.
    Column("Layer", TEXT, nullable=False, allowed=("list", "negotiated")),
    Column("Source", TEXT, nullable=False),
    Column("SourceVersion", TEXT, nullable=False),
    #: The sources differ by more than one percent; `OtherPricePico` is what the other one says.
    Column("Disputed", "BOOLEAN", nullable=False),
    Column("OtherSource", TEXT),
    Column("OtherPricePico", "BIGINT"),
)

#: What a customer has agreed with a seller, one row for each line of the file; every file is a new KnownFrom, and the
#: newest counts. What is NULL in a discount means all. Line 0 says that there was a file, were it empty.
AGREEMENTS: Final = (
    Column("KnownFrom", INSTANT, nullable=False),
    Column("Line", "BIGINT", nullable=False),
    Column("Seller", TEXT, nullable=False),
    Column("ModelId", TEXT),
    Column("TokenKind", TEXT, allowed=TOKEN_KINDS),
    Column("ServiceTier", TEXT, allowed=TIERS),
    Column("ServingRegion", TEXT, allowed=REGIONS),
    Column("ContextAbove", "BIGINT"),
    Column("ValidFrom", INSTANT, nullable=False),
    Column("ValidTo", INSTANT),
    Column("PricePico", "BIGINT"),
    Column("DiscountPercent", "DECIMAL(9,6)"),
    Column("Currency", TEXT, nullable=False),
)
