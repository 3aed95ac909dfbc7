"""AWS bills: the two Cost and Usage Reports, the FOCUS exports, and what a Bedrock usage type says."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.aws import FORMATS, bedrock
from connectors.aws.cur import CUR_2, CUR_LEGACY
from connectors.aws.focus import FORMAT as FOCUS
from connectors.aws.services import SERVICES
from connectors.mapping import mapped_sql
from connectors.values import NARROW
from ledger.focus import SERVICE_CATEGORIES
from ledger.tables import CHARGES

Mapped = Callable[..., list[dict[str, Any]]]
D = Decimal

PLAN = "arn:aws:savingsplans::111122223333:savingsplan/5a1b"
RESERVATION = "arn:aws:rds:us-east-1:111122223333:ri:r-9"
ALLOWED = {column.name: column.allowed for column in CHARGES if column.allowed}


def line(kind: str, unblended: str, **columns: str) -> dict[str, str]:
    """One line item as CSV text: an hour of October 2026 in a payer's account."""
    return {
        "bill_payer_account_id": "111122223333",
        "bill_invoicing_entity": "Amazon Web Services, Inc.",
        "bill_billing_entity": "AWS",
        "bill_bill_type": "Anniversary",
        "bill_billing_period_start_date": "2026-10-01T00:00:00Z",
        "bill_billing_period_end_date": "2026-11-01T00:00:00Z",
        "line_item_usage_start_date": "2026-10-05T00:00:00Z",
        "line_item_usage_end_date": "2026-10-05T01:00:00Z",
        "line_item_usage_account_id": "444455556666",
        "line_item_currency_code": "USD",
        "line_item_product_code": "AmazonEC2",
        "line_item_line_item_type": kind,
        "line_item_unblended_cost": unblended,
    } | columns


def relation(*lines: dict[str, str]) -> str:
    """The lines as an SQL relation of texts; what a line does not name is NULL, as in a CSV file."""
    names = sorted({name for each in lines for name in each})

    def text(value: str | None) -> str:
        return "NULL::VARCHAR" if value is None else "'" + value.replace("'", "''") + "'"

    rows = ", ".join("(" + ", ".join(text(each.get(name)) for name in names) + ")" for each in lines)
    columns = ", ".join(f'"{name}"' for name in names)
    return f"SELECT * FROM (VALUES {rows}) AS t({columns})"


def kept(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows that go into the ledger."""
    return [row for row in rows if row["x_State"] in (None, "added")]


def total(rows: list[dict[str, Any]], column: str) -> Decimal:
    return sum((row[column] for row in rows), D(0))


BEDROCK = {"line_item_product_code": "AmazonBedrock", "product": '{"product_name": "Amazon Bedrock"}'}
OPUS = {
    "line_item_product_code": "3o7xyz9k2m4w6q8r1t5v",
    "bill_billing_entity": "AWS Marketplace",
    "line_item_legal_entity": "Anthropic, PBC",
    "product": '{"servicename": "Claude Opus 5.5 (Amazon Bedrock Edition)"}',
    "pricing_unit": "Units",
    "line_item_line_item_description": "AWS Marketplace software usage|us-east-1|Million Input Tokens",
}

#: Usage type -> model id, direction, cache action, lifetime, tier, serving region.
TOKENS: list[tuple[str, tuple[str | None, ...]]] = [
    ("USE1-Claude4.6Sonnet-input-tokens", ("claude-sonnet-4-6", "Input", "Uncached", None, "standard", "Regional")),
    ("APN2-Claude4.6Sonnet-output-tokens", ("claude-sonnet-4-6", "Output", None, None, "standard", "Regional")),
    ("CAN1-Claude3Sonnet-input-tokens", ("claude-3-sonnet", "Input", "Uncached", None, "standard", "Regional")),
    (
        "USE1-Claude4.6Sonnet-cache-read-input-token-count",
        ("claude-sonnet-4-6", "Input", "Read", None, "standard", "Regional"),
    ),
    (
        "EUC1-Claude4.6Sonnet-cache-write-input-token-count",
        ("claude-sonnet-4-6", "Input", "Write", "5m", "standard", "Regional"),
    ),
    (
        "USE1-Claude4.6Sonnet-cache-write-1h-input-token-count",
        ("claude-sonnet-4-6", "Input", "Write", "1h", "standard", "Regional"),
    ),
    (
        "USE1-Claude4.6Opus-cache-read-input-token-count-cross-region-global",
        ("claude-opus-4-6", "Input", "Read", None, "standard", "Global"),
    ),
    (
        "USE1-Claude4.5Sonnet-input-tokens-cross-region-global",
        ("claude-sonnet-4-5", "Input", "Uncached", None, "standard", "Global"),
    ),
    ("USE1-Nova2.0Lite-input-tokens-flex", ("nova-2-lite", "Input", "Uncached", None, "flex", "Regional")),
    ("USE1-NovaLite-input-tokens", ("nova-lite", "Input", "Uncached", None, "standard", "Regional")),
    ("USE1-NovaPro-output-tokens", ("nova-pro", "Output", None, None, "standard", "Regional")),
    ("USE1-NovaPro-input-tokens-batch", ("nova-pro", "Input", "Uncached", None, "batch", "Regional")),
    ("USE1-NovaPro-input-tokens-custom-model", ("nova-pro", "Input", "Uncached", None, "standard", "Regional")),
    ("USE1-gpt-oss-120b-output-tokens-priority", ("gpt-oss-120b", "Output", None, None, "priority", "Regional")),
    ("gpt-oss-120b-output-tokens", ("gpt-oss-120b", "Output", None, None, "standard", "Regional")),
    (
        "USE1-TitanEmbeddingV2-Text-input-tokens",
        ("titan-embed-text", "Input", "Uncached", None, "standard", "Regional"),
    ),
    (
        "USE1-openai.gpt-5.5-mantle-input-tokens-standard",
        ("gpt-5.5", "Input", "Uncached", None, "standard", "Regional"),
    ),
    (
        "USW2-anthropic.claude-opus-4-8-mantle-cache-write-tokens-global-standard",
        ("claude-opus-4-8", "Input", "Write", "5m", "standard", "Global"),
    ),
    (
        "USW2-anthropic.claude-opus-5-mantle-input-tokens-global-standard",
        ("claude-opus-5", "Input", "Uncached", None, "standard", "Global"),
    ),
    (
        "EU-qwen.qwen3-coder-480b-a35b-instruct-mantle-input-tokens-flex",
        ("qwen3-coder-480b-a35b-instruct", "Input", "Uncached", None, "flex", "Regional"),
    ),
    ("USE1-deepseek.r1-mantle-output-tokens-standard", ("deepseek-r1", "Output", None, None, "standard", "Regional")),
    (
        "USE1-Llama4-Maverick-17B-input-tokens-latency-optimized",
        ("llama4-maverick-17b", "Input", "Uncached", None, None, "Regional"),
    ),
]

MARKETPLACE: list[tuple[str, tuple[str | None, ...]]] = [
    ("USE1-MP:USE1_InputTokenCount-Units", ("Input", "Uncached", None, "standard", "Regional", None)),
    ("USE1-MP:USE1_OutputTokenCount-Units", ("Output", None, None, "standard", "Regional", None)),
    ("USE2-MP:USE2_InputTokenCount_Global-Units", ("Input", "Uncached", None, "standard", "Global", None)),
    ("USE1-MP:USE1_CacheReadInputTokenCount_Global-Units", ("Input", "Read", None, "standard", "Global", None)),
    ("USE1-MP:USE1_CacheWriteInputTokenCount-Units", ("Input", "Write", "5m", "standard", "Regional", None)),
    ("USW2-MP:USW2_CacheWrite1hInputTokenCount-Units", ("Input", "Write", "1h", "standard", "Regional", None)),
    ("USW2-MP:USW2_InputTokenCount_LCtx_Global-Units", ("Input", "Uncached", None, "standard", "Global", "Long")),
    ("USW2-MP:USW2_InputTokenCount_Global_Batch-Units", ("Input", "Uncached", None, "batch", "Global", None)),
    ("USW2-MP:USW2_input_tokens_standard-Units", ("Input", "Uncached", None, "standard", "Regional", None)),
    ("USW2-MP:USW2_input_tokens_global_standard-Units", ("Input", "Uncached", None, "standard", "Global", None)),
    ("USW2-MP:USW2_cache_write_tokens_standard-Units", ("Input", "Write", "5m", "standard", "Regional", None)),
    ("USW2-MP:USW2_cache_write_tokens_1h_standard-Units", ("Input", "Write", "1h", "standard", "Regional", None)),
    ("USW2-MP:USW2_cache_read_tokens_global_standard-Units", ("Input", "Read", None, "standard", "Global", None)),
    ("USE1-MP:USE1_output_tokens_long_ctx_standard-Units", ("Output", None, None, "standard", "Regional", "Long")),
]


def test_every_bedrock_usage_type_of_the_documentation_has_its_identity(mapped: Mapped) -> None:
    lines = [
        line(
            "Usage", "1", **BEDROCK, line_item_usage_type=usage, line_item_usage_amount="2.5", pricing_unit="1K tokens"
        )
        for usage, _ in TOKENS
    ]
    rows = {row["x_UsageType"]: row for row in mapped(CUR_2, relation(*lines))}
    columns = ("x_ModelId", "x_TokenDirection", "x_TokenCacheAction", "x_CacheTtl", "x_ServiceTier", "x_ServingRegion")
    found = {usage: tuple(rows[usage].get(column) for column in columns) for usage, _ in TOKENS}
    assert found == dict(TOKENS)
    assert {row["x_Tokens"] for row in rows.values()} == {D(2500)}
    assert {row["x_Unmapped"] for row in rows.values()} == {None}
    assert {(row["ServiceCategory"], row["ServiceSubcategory"]) for row in rows.values()} == {
        ("AI and Machine Learning", "Generative AI")
    }
    assert rows["USE1-TitanEmbeddingV2-Text-input-tokens"]["x_Modality"] == "Embedding"
    assert rows["USE1-TitanEmbeddingV2-Text-input-tokens"]["x_ModelVersion"] == "v2"


def test_a_marketplace_usage_type_takes_its_model_from_the_product_name(mapped: Mapped) -> None:
    lines = [
        line("Usage", "3", **OPUS, line_item_usage_type=usage, line_item_usage_amount="2") for usage, _ in MARKETPLACE
    ]
    rows = {row["x_UsageType"]: row for row in mapped(CUR_2, relation(*lines))}
    columns = (
        "x_TokenDirection",
        "x_TokenCacheAction",
        "x_CacheTtl",
        "x_ServiceTier",
        "x_ServingRegion",
        "x_ContextWindow",
    )
    assert {usage: tuple(rows[usage].get(c) for c in columns) for usage, _ in MARKETPLACE} == dict(MARKETPLACE)
    assert {(row["x_ModelDeveloper"], row["x_ModelFamily"], row["x_ModelId"]) for row in rows.values()} == {
        ("Anthropic", "Claude", "claude-opus-5-5")
    }
    assert {row["x_Tokens"] for row in rows.values()} == {D(2_000_000)}


def test_one_marketplace_usage_type_under_two_products_is_two_models(mapped: Mapped) -> None:
    usage = {"line_item_usage_type": "USE1-MP:USE1_InputTokenCount-Units", "line_item_usage_amount": "1"}
    names = ("Claude 4.6 Sonnet", "Claude 3 Haiku", "OpenAI GPT-5.6 Sol")
    lines = [
        line("Usage", "1", **(OPUS | {"product": f'{{"product_name": "{name} (Amazon Bedrock Edition)"}}'}), **usage)
        for name in names
    ]
    rows = mapped(CUR_2, relation(*lines))
    assert {row["ServiceName"].split(" (")[0]: row["x_ModelId"] for row in rows} == {
        "Claude 4.6 Sonnet": "claude-sonnet-4-6",
        "Claude 3 Haiku": "claude-3-haiku",
        "OpenAI GPT-5.6 Sol": "gpt-5.6-sol",
    }


def test_thousands_and_millions_of_tokens_are_the_same_tokens(mapped: Mapped) -> None:
    usage = {**BEDROCK, "line_item_usage_type": "USE1-NovaLite-input-tokens"}
    lines = [
        line("Usage", "0.09", **usage, line_item_usage_amount=amount, pricing_unit=unit)
        for amount, unit in (("1500.25", "1K tokens"), ("1.50025", "1M tokens"), ("1500250", "Tokens"))
    ]
    assert [row["x_Tokens"] for row in mapped(CUR_2, relation(*lines))] == [D(1_500_250)] * 3


#: Usage type, unit, description, and why there are no tokens.
UNMAPPED: list[tuple[str, str, str, str]] = [
    ("USE1-Claude9Sonnet-dream-tokens", "1K tokens", "", "usage type not known: USE1-Claude9Sonnet-dream-tokens"),
    (
        "USE1-NovaLite-input-tokens-quantum",
        "1K tokens",
        "",
        "usage type not known: USE1-NovaLite-input-tokens-quantum",
    ),
    ("USE1-NovaLite-input-tokens", "1G tokens", "", "unit not known: 1g tokens"),
    ("USE1-NovaLite-input-tokens", "", "", "unit not known: none"),
    ("USE1-NovaLite-input-tokens", "Units", "x|us-east-1|API Calls", "unit not known: units"),
    ("USE1-Guardrail-ContentPolicyUnitsConsumed", "1K TextUnits", "", "guardrail units, not tokens"),
    (
        "USE1-MP:USE1_ProvisionedThroughput_NoCommit_ModelUnits_Usage-Units",
        "Units",
        "",
        "provisioned throughput: capacity by the hour, not tokens",
    ),
    (
        "USW2-MP:USW2_Reserved_1Month_InputTPM_Geo-Units",
        "1M TPM Hour",
        "",
        "reserved capacity: tokens per minute held ready, not tokens used",
    ),
    ("USE1-NovaCanvas-T2I-1024-Standard", "image", "", "not billed by the token but by: image"),
    ("USE1-MP:CCU-Units", "Units", "x|us-east-1|Claude Consumption Unit", bedrock.CCU_REASON),
]


def test_what_is_no_known_token_charge_keeps_its_cost_and_says_why(mapped: Mapped) -> None:
    lines = [
        line(
            "Usage",
            "7.25",
            **BEDROCK,
            line_item_usage_type=usage_type,
            line_item_usage_amount="4",
            pricing_unit=unit,
            line_item_line_item_description=description,
        )
        for usage_type, unit, description, _ in UNMAPPED
    ]
    rows = mapped(CUR_2, relation(*lines))
    assert [row["x_Unmapped"] for row in rows] == [reason for *_, reason in UNMAPPED]
    assert {(row["x_Tokens"], row["BilledCost"], row["ServiceCategory"]) for row in rows} == {
        (None, D("7.25"), "AI and Machine Learning")
    }


def test_consumption_units_name_the_developer_and_no_model(mapped: Mapped) -> None:
    item = line(
        "Usage",
        "10",
        **(OPUS | {"product": '{"product_name": "Claude Platform on AWS"}'}),
        line_item_usage_type="USE1-MP:ConsumptionUnits-Units",
        line_item_usage_amount="1000",
    )
    (row,) = mapped(CUR_2, relation(item))
    assert (row["x_ModelDeveloper"], row["x_ModelFamily"], row.get("x_ModelId")) == ("Anthropic", "Claude", None)
    assert row["x_Unmapped"] == bedrock.CCU_REASON


def test_capacity_is_of_the_provisioned_tier(mapped: Mapped) -> None:
    item = line(
        "Usage", "39.6", **BEDROCK, line_item_usage_type="USE1-ProvisionedThroughput-ModelUnits", pricing_unit="Hrs"
    )
    (row,) = mapped(CUR_2, relation(item))
    assert row["x_ServiceTier"] == "provisioned"


def test_a_discount_on_tokens_has_their_model_and_no_tokens_of_its_own(mapped: Mapped) -> None:
    """Otherwise each token under a negotiated discount would count twice."""
    usage = {
        **BEDROCK,
        "line_item_usage_type": "USE1-NovaLite-input-tokens",
        "line_item_usage_amount": "10",
        "pricing_unit": "1K tokens",
    }
    rows = mapped(
        CUR_2, relation(line("Usage", "6", **usage), line("EdpDiscount", "-1", **usage), line("Tax", "0.5", **usage))
    )
    assert [row["x_ModelId"] for row in rows] == ["nova-lite", "nova-lite", None]
    assert [row["x_Tokens"] for row in rows] == [D(10_000), None, None]
    assert [row["ChargeCategory"] for row in rows] == ["Usage", "Usage", "Tax"]
    assert {row["ServiceCategory"] for row in rows} == {"AI and Machine Learning"}
    assert [row.get("x_Unmapped") for row in rows] == [None, None, None]


def test_other_services_carry_no_model(mapped: Mapped) -> None:
    (row,) = mapped(
        CUR_2, relation(line("Usage", "1", line_item_usage_type="USE1-input-tokens", pricing_unit="1K tokens"))
    )
    assert (row.get("x_ModelId"), row.get("x_Tokens"), row.get("x_Unmapped")) == (None, None, None)


def savings_plan_month() -> list[dict[str, str]]:
    """A plan of 10.00 of which 8.00 is used by instances worth 12.00 on demand; 3.00 runs outside the plan."""
    plan = {"savings_plan_savings_plan_a_r_n": PLAN}
    return [
        line(
            "SavingsPlanCoveredUsage",
            "7.5",
            **plan,
            savings_plan_savings_plan_effective_cost="5",
            pricing_public_on_demand_cost="7.5",
        ),
        line(
            "SavingsPlanCoveredUsage",
            "4.5",
            **plan,
            savings_plan_savings_plan_effective_cost="3",
            pricing_public_on_demand_cost="4.5",
        ),
        line("SavingsPlanNegation", "-12", **plan),
        line(
            "SavingsPlanRecurringFee",
            "10",
            **plan,
            line_item_product_code="ComputeSavingsPlans",
            savings_plan_total_commitment_to_date="10",
            savings_plan_used_commitment="8",
        ),
        line("Usage", "3", pricing_public_on_demand_cost="3"),
    ]


def test_a_savings_plan_month_keeps_the_bill_and_spreads_the_fee(mapped: Mapped) -> None:
    rows = mapped(CUR_2, relation(*savings_plan_month()))
    assert [row["x_State"] for row in rows].count("dropped") == 1
    ledger = kept(rows)
    assert total(rows, "x_BilledIn") == total(ledger, "BilledCost") == D(13)
    assert total(ledger, "EffectiveCost") == D(13)
    shown = [
        (r["ChargeCategory"], r["CommitmentDiscountStatus"], r["BilledCost"], r["EffectiveCost"], r["ListCost"])
        for r in sorted(ledger, key=lambda r: (r["ChargeCategory"], r["EffectiveCost"]))
    ]
    assert shown == [
        ("Purchase", None, D(10), D(0), D(10)),
        ("Usage", "Unused", D(0), D(2), None),
        ("Usage", "Used", D(0), D(3), D("4.5")),
        ("Usage", None, D(3), D(3), D(3)),
        ("Usage", "Used", D(0), D(5), D("7.5")),
    ]
    assert {r["CommitmentDiscountId"] for r in ledger if r["CommitmentDiscountType"]} == {PLAN}
    assert {r["CommitmentDiscountCategory"] for r in ledger if r["CommitmentDiscountId"]} == {"Spend"}
    assert [r["PricingCategory"] for r in ledger if r["ChargeCategory"] == "Purchase"] == ["Standard"]
    assert [r["ChargeFrequency"] for r in ledger if r["ChargeCategory"] == "Purchase"] == ["Recurring"]


def test_covered_use_without_its_negation_shows_as_a_difference(mapped: Mapped) -> None:
    rows = mapped(
        CUR_2, relation(*[item for item in savings_plan_month() if "Negation" not in item["line_item_line_item_type"]])
    )
    assert total(rows, "x_BilledIn") - total(kept(rows), "BilledCost") == D(12)


def test_a_reservation_month_keeps_the_bill_and_spreads_the_fee(mapped: Mapped) -> None:
    """A partly prepaid reservation: 6.00 a month; 4.40 is used, 1.60 not. Its prepayment was billed before."""
    reservation = {"reservation_reservation_a_r_n": RESERVATION, "line_item_product_code": "AmazonRDS"}
    used = line(
        "DiscountedUsage", "0", **reservation, reservation_effective_cost="4.4", pricing_public_on_demand_cost="7"
    )
    fee = line(
        "RIFee",
        "6",
        **reservation,
        reservation_unused_amortized_upfront_fee_for_billing_period="0.6",
        reservation_unused_recurring_fee="1",
    )
    rows = mapped(CUR_2, relation(used, fee))
    assert total(rows, "x_BilledIn") == total(rows, "BilledCost") == total(rows, "EffectiveCost") == D(6)
    assert {(r["ChargeCategory"], r["CommitmentDiscountStatus"]): r["EffectiveCost"] for r in rows} == {
        ("Usage", "Used"): D("4.4"),
        ("Purchase", None): D(0),
        ("Usage", "Unused"): D("1.6"),
    }
    assert {r["CommitmentDiscountType"] for r in rows} == {"Reserved Instance"}
    assert rows[0]["ContractedCost"] == D(7)
    assert rows[0]["x_Repairs"] == "contracted cost of reserved use is not stated, list cost stands for it"


def test_a_wholly_used_fee_adds_no_row(mapped: Mapped) -> None:
    fee = line(
        "RIFee",
        "6",
        reservation_unused_amortized_upfront_fee_for_billing_period="0",
        reservation_unused_recurring_fee="0.0",
    )
    (row,) = mapped(CUR_2, relation(fee))
    assert (row["BilledCost"], row["EffectiveCost"], row.get("x_Repairs")) == (D(6), D(0), None)


def test_a_fee_whose_use_the_export_does_not_state_says_so(mapped: Mapped) -> None:
    (row,) = mapped(CUR_2, relation(line("SavingsPlanRecurringFee", "6")))
    assert row["x_Repairs"] == "effective cost not in the export"


def test_covered_use_without_its_effective_cost_is_a_gap(mapped: Mapped) -> None:
    item = line("SavingsPlanCoveredUsage", "6", savings_plan_savings_plan_effective_cost="")
    (row,) = mapped(CUR_2, relation(item, line("SavingsPlanNegation", "-6")))[:1]
    assert (row.get("EffectiveCost"), row["x_Repairs"]) == (None, "effective cost not in the export")


#: Type, other columns; ChargeCategory, ChargeClass, ChargeFrequency, EffectiveCost of a line of 9.
LINE_TYPES: list[tuple[str, dict[str, str], str, str | None, str, str]] = [
    ("Fee", {}, "Purchase", None, "One-Time", "9"),
    ("Fee", {"reservation_reservation_a_r_n": RESERVATION}, "Purchase", None, "One-Time", "0"),
    ("SavingsPlanUpfrontFee", {"bill_bill_type": "Purchase"}, "Purchase", None, "One-Time", "0"),
    (
        "Refund",
        {"savings_plan_savings_plan_a_r_n": PLAN, "bill_bill_type": "Refund"},
        "Purchase",
        "Correction",
        "One-Time",
        "0",
    ),
    ("Refund", {}, "Adjustment", "Correction", "Usage-Based", "9"),
    ("Credit", {}, "Credit", None, "Usage-Based", "9"),
    ("PrivateRateDiscount", {}, "Usage", None, "Usage-Based", "9"),
    ("Usage", {"line_item_usage_end_date": "2026-10-01T00:00:00Z"}, "Usage", "Correction", "Usage-Based", "9"),
]


def test_line_item_types_are_focus_charges(mapped: Mapped) -> None:
    rows = mapped(CUR_2, relation(*[line(kind, "9", **columns) for kind, columns, *_ in LINE_TYPES]))
    assert [
        (row["ChargeCategory"], row["ChargeClass"], row["ChargeFrequency"], row["EffectiveCost"]) for row in rows
    ] == [(*expected, D(effective)) for _, _, *expected, effective in LINE_TYPES]
    assert {row["BilledCost"] for row in rows} == {D(9)}


def test_a_line_item_type_that_is_new_keeps_its_amount_and_is_named(mapped: Mapped) -> None:
    (row,) = mapped(CUR_2, relation(line("MoonDiscount", "-2")))
    assert (row["ChargeCategory"], row["BilledCost"]) == ("Adjustment", D(-2))
    assert row["x_Repairs"] == "line item type not known: MoonDiscount"


def test_net_amounts_win_where_they_are_stated(mapped: Mapped) -> None:
    rows = mapped(
        CUR_2,
        relation(
            line("Usage", "10", line_item_net_unblended_cost="9", pricing_public_on_demand_cost="10"),
            line("Usage", "5", line_item_net_unblended_cost="", pricing_public_on_demand_cost="5"),
        ),
    )
    assert [(r["BilledCost"], r["EffectiveCost"], r["ListCost"], r["x_BilledIn"]) for r in rows] == [
        (D(9), D(9), D(10), D(9)),
        (D(5), D(5), D(5), D(5)),
    ]


def test_a_list_cost_of_zero_for_marketplace_use_is_unknown(mapped: Mapped) -> None:
    usage = {"line_item_usage_type": "USE1-MP:USE1_InputTokenCount-Units", "line_item_usage_amount": "2"}
    zero = {"pricing_public_on_demand_cost": "0.0", "pricing_public_on_demand_rate": "0.0"}
    (row,) = mapped(CUR_2, relation(line("Usage", "3", **OPUS, **usage, **zero)))
    assert (row["ListCost"], row["ListUnitPrice"], row["x_Repairs"]) == (None, None, "list cost 0 means unknown")
    assert (row["ServiceProviderName"], row["HostProviderName"]) == ("Anthropic, PBC", "AWS")


def test_free_use_of_aws_itself_has_a_list_cost_of_zero(mapped: Mapped) -> None:
    (row,) = mapped(CUR_2, relation(line("Usage", "0", pricing_public_on_demand_cost="0")))
    assert (row["ListCost"], row["x_Repairs"], row["ServiceProviderName"]) == (D(0), None, "AWS")


def test_parquet_maps_doubles_and_rates_as_text_load_like_csv(
    con: duckdb.DuckDBPyConnection, mapped: Mapped, tmp_path: Path
) -> None:
    path = tmp_path / "cur.parquet"
    con.execute(
        f"""COPY (SELECT '111122223333' AS bill_payer_account_id, 'USD' AS line_item_currency_code,
            'Usage' AS line_item_line_item_type, 'AmazonBedrock' AS line_item_product_code,
            TIMESTAMP '2026-10-01' AS bill_billing_period_start_date,
            TIMESTAMP '2026-11-01' AS bill_billing_period_end_date,
            TIMESTAMP '2026-10-05' AS line_item_usage_start_date, TIMESTAMP '2026-10-06' AS line_item_usage_end_date,
            0.1::DOUBLE + 0.2::DOUBLE AS line_item_unblended_cost, 4.35::DOUBLE AS pricing_public_on_demand_cost,
            '0.00000006' AS pricing_public_on_demand_rate, 72.5::DOUBLE AS line_item_usage_amount,
            '1K tokens' AS pricing_unit, 'USE1-NovaLite-input-tokens' AS line_item_usage_type,
            MAP {{'product_name': 'Amazon Bedrock', 'region': 'us-east-1'}} AS product,
            MAP {{'user_team': 'search', 'user_cost:center': '7'}} AS resource_tags,
            MAP {{'Department': 'R&D'}} AS cost_category,
            'arn:aws:bedrock:us-east-1:444455556666:inference-profile/us.nova' AS line_item_resource_id
        ) TO '{path}'"""
    )
    (row,) = mapped(CUR_2, f"read_parquet('{path}')")
    assert row["BilledCost"] == D("0.30000000000000004")
    assert (row["ListCost"], row["ListUnitPrice"]) == (D("4.35"), D("0.00000006"))
    assert (row["x_Tokens"], row["ServiceName"], row["RegionId"]) == (D(72_500), "Amazon Bedrock", "us-east-1")
    assert row["Tags"] == '{"user_team":"search","user_cost:center":"7"}'
    assert row["x_CostCategories"] == '{"Department":"R&D"}'
    assert (row["ResourceName"], row["ResourceType"]) == ("us.nova", "inference-profile")


def test_a_resource_is_named_by_the_end_of_its_arn(mapped: Mapped) -> None:
    expected = [
        ("arn:aws:ec2:us-east-1:1:instance/i-0a", "i-0a", "instance"),
        ("arn:aws:rds:us-east-1:1:db:orders", "orders", "db"),
        ("arn:aws:s3:::logs", "logs", None),
        ("arn:aws:bedrock:us-east-1:1:inference-profile/us.nova-v1:0", "us.nova-v1:0", "inference-profile"),
        ("i-0a", "i-0a", None),
    ]
    rows = mapped(CUR_2, relation(*[line("Usage", "1", line_item_resource_id=resource) for resource, _, _ in expected]))
    assert [(row["ResourceId"], row["ResourceName"], row["ResourceType"]) for row in rows] == expected


def test_tags_of_principals_stand_in_where_a_resource_has_none(mapped: Mapped) -> None:
    rows = mapped(
        CUR_2,
        relation(
            line("Usage", "1", resource_tags="{}", tags='{"iamPrincipal/team":"search"}'),
            line("Usage", "1", resource_tags='{"user_team":"ads"}', tags='{"iamPrincipal/team":"search"}'),
            line("Usage", "1", resource_tags="{}", tags="{}"),
        ),
    )
    assert [row["Tags"] for row in rows] == ['{"iamPrincipal/team":"search"}', '{"user_team":"ads"}', None]


def test_a_row_without_an_amount_is_bad(mapped: Mapped) -> None:
    rows = mapped(CUR_2, relation(line("Usage", ""), line("Usage", "1,5"), line("Usage", "1")))
    assert [row["x_State"] for row in rows] == ["bad", "bad", None]


def test_the_real_legacy_report_loads_to_its_last_digit(mapped: Mapped, shared: Path) -> None:
    path = shared / "aws" / "aws_cur_anonymous_1281rows.csv"
    rows = mapped(CUR_LEGACY, f"read_csv('{path}', all_varchar = true)")
    assert len(rows) == 1281
    assert {row["x_State"] for row in rows} == {None}
    assert total(rows, "x_BilledIn") == total(rows, "BilledCost") == total(rows, "EffectiveCost") == D("1.6823086974")
    assert total([r for r in rows if r["ChargeCategory"] == "Tax"], "BilledCost") == D("0.08")
    storage = [r for r in rows if r["x_ServiceCode"] == "AmazonS3"]
    assert {(r["ServiceName"], r["ServiceCategory"]) for r in storage} == {("Amazon Simple Storage Service", "Storage")}
    assert {r["InvoiceIssuerName"] for r in rows} == {"Amazon Web Services Canada, Inc."}
    assert all(row[name] in {*allowed, None} for row in rows for name, allowed in ALLOWED.items() if name in row)


def test_tags_of_the_legacy_report_are_gathered_from_their_columns(mapped: Mapped) -> None:
    spelled = {
        "bill_payer_account_id": "bill/PayerAccountId",
        "bill_billing_period_start_date": "bill/BillingPeriodStartDate",
        "bill_billing_period_end_date": "bill/BillingPeriodEndDate",
        "line_item_usage_start_date": "lineItem/UsageStartDate",
        "line_item_usage_end_date": "lineItem/UsageEndDate",
        "line_item_currency_code": "lineItem/CurrencyCode",
        "line_item_line_item_type": "lineItem/LineItemType",
        "line_item_unblended_cost": "lineItem/UnblendedCost",
    }
    item = {spelled[name]: value for name, value in line("Usage", "2").items() if name in spelled}
    tags = {"resourceTags/user:team": "search", "resourceTags/user:env.name": "", "costCategory/Unit": "ads"}
    (row,) = mapped(CUR_LEGACY, relation(item | tags))
    assert row["Tags"] == '{"user:team":"search"}'
    assert row["x_CostCategories"] == '{"Unit":"ads"}'


def test_the_flattened_parquet_layout_of_the_legacy_report_keeps_its_tags(mapped: Mapped) -> None:
    item = line("Usage", "2", product_product_name="Amazon EC2", resource_tags_user_team="search")
    (row,) = mapped(CUR_2, relation(item))
    assert (row["Tags"], row["ServiceName"]) == ('{"user_team":"search"}', "Amazon EC2")


def test_a_net_amount_of_zero_is_kept_and_named(mapped: Mapped) -> None:
    (row,) = mapped(CUR_2, relation(line("Usage", "10", line_item_net_unblended_cost="0")))
    assert (row["BilledCost"], row["x_Repairs"]) == (D(0), "net amount 0 taken as stated")


def focus_line(**columns: str) -> dict[str, str]:
    return {
        "BilledCost": "3",
        "EffectiveCost": "3",
        "ListCost": "4",
        "ContractedCost": "3",
        "BillingCurrency": "USD",
        "BillingAccountId": "111122223333",
        "BillingPeriodStart": "2026-10-01T00:00:00Z",
        "BillingPeriodEnd": "2026-11-01T00:00:00Z",
        "ChargePeriodStart": "2026-10-05T00:00:00Z",
        "ChargePeriodEnd": "2026-10-06T00:00:00Z",
        "ChargeCategory": "Usage",
        "ProviderName": "AWS",
        "InvoiceIssuerName": "AWS",
        "ServiceName": "Amazon Bedrock",
        "x_ServiceCode": "AmazonBedrock",
        "x_Operation": "InvokeModelInference",
    } | columns


def test_the_focus_export_names_models_by_usage_type_or_meter(mapped: Mapped) -> None:
    usage = "USE1-Claude4.6Sonnet-output-tokens"
    rows = mapped(
        FOCUS,
        relation(
            focus_line(x_UsageType=usage, PricingUnit="1K tokens", PricingQuantity="7"),
            focus_line(SkuMeter=usage, PricingUnit="1M tokens", PricingQuantity="0.007"),
        ),
    )
    assert [(r["x_ModelId"], r["x_TokenDirection"], r["x_Tokens"]) for r in rows] == [
        ("claude-sonnet-4-6", "Output", D(7000))
    ] * 2
    assert {(r["ServiceProviderName"], r["x_Operation"]) for r in rows} == {("AWS", "InvokeModelInference")}


def test_the_focus_export_is_mended_where_zero_means_unknown(mapped: Mapped) -> None:
    rows = mapped(
        FOCUS,
        relation(
            focus_line(ListCost="0", ListUnitPrice="0", InvoiceIssuerName=""),
            focus_line(ListCost="0", BilledCost="0", EffectiveCost="0", ListUnitPrice="0"),
            focus_line(ListCost="", ListUnitPrice=""),
        ),
    )
    assert [(r["ListCost"], r["ListUnitPrice"], r["InvoiceIssuerName"], r["x_Repairs"]) for r in rows] == [
        (None, None, "AWS", "list cost 0 means unknown, invoice issuer not stated, AWS stands for it"),
        (D(0), D(0), "AWS", None),
        (None, None, "AWS", None),
    ]


def test_a_discount_row_of_the_focus_export_counts_no_tokens(mapped: Mapped) -> None:
    usage = {"x_UsageType": "USE1-NovaLite-input-tokens", "PricingUnit": "1K tokens", "PricingQuantity": "5"}
    discount = focus_line(**usage, BilledCost="-1", EffectiveCost="-1", ListCost="0")
    correction = focus_line(**(usage | {"PricingQuantity": "-2"}), BilledCost="-1", EffectiveCost="-1", ListCost="-1")
    rows = mapped(FOCUS, relation(focus_line(**usage), discount, correction))
    assert [(r["x_ModelId"], r["x_Tokens"]) for r in rows] == [
        ("nova-lite", D(5000)),
        ("nova-lite", None),
        ("nova-lite", D(-2000)),
    ]


@pytest.mark.parametrize("version", ["1_2", "1_3"])
def test_a_focus_file_of_aws_keeps_both_totals(mapped: Mapped, shared: Path, version: str) -> None:
    path = shared / "focus" / "synthetic_focus_data_toolkit" / f"focus_{version}_cost_and_usage_aws.csv"
    rows = mapped(FOCUS, f"read_csv('{path}', all_varchar = true)")
    assert len(rows) == 1000
    assert total(rows, "x_BilledIn") == total(rows, "BilledCost")
    assert {row["x_State"] for row in rows} == {None}


def test_the_rows_of_a_bill_stream_through_its_mapping() -> None:
    """The stage that source rows and added rows share is read twice, never held in memory."""
    layout = dict.fromkeys(CUR_2.signature, "VARCHAR")
    assert '" AS NOT MATERIALIZED (' in mapped_sql(CUR_2, layout, "FROM bill")
    assert '" AS (' not in mapped_sql(CUR_2, layout, "FROM bill")


def test_service_categories_are_those_of_focus() -> None:
    codes = [code for group in SERVICES.values() for code in group]
    assert len(codes) == len(set(codes))
    assert {category for category, _ in SERVICES} <= set(SERVICE_CATEGORIES)


@pytest.mark.parametrize("code", ["AmazonBraket", ""])
def test_an_unlisted_service_is_other(mapped: Mapped, code: str) -> None:
    (row,) = mapped(CUR_2, relation(line("Usage", "1", line_item_product_code=code)))
    assert (row["x_ServiceCode"], row["ServiceCategory"], row["ServiceSubcategory"]) == (
        code or None,
        "Other",
        "Other (Other)",
    )


def test_narrow_amounts_stay_narrow(con: duckdb.DuckDBPyConnection) -> None:
    """A 0, a NULL or a column that the report lacks stands beside them, and so does the difference of two."""
    money = ("line_item_unblended_cost", "pricing_public_on_demand_cost", "savings_plan_total_commitment_to_date")
    layout = dict.fromkeys(CUR_2.signature, "VARCHAR") | dict.fromkeys(
        (*money, "savings_plan_used_commitment"), NARROW[0]
    )
    columns = ", ".join(f'NULL::{type_} AS "{name}"' for name, type_ in layout.items())
    rows = con.execute(f"DESCRIBE {mapped_sql(CUR_2, layout, f'SELECT {columns}')}").fetchall()
    types = {name: type_ for name, type_, *_ in rows if type_.startswith("DECIMAL")}
    assert {types[name] for name in ("BilledCost", "ListCost", "ContractedCost")} == {NARROW[0]}
    assert types["EffectiveCost"] == "DECIMAL(18,9)"


@pytest.mark.parametrize("format_", FORMATS, ids=lambda f: f.name)
def test_a_signature_is_made_of_columns_that_the_format_reads(format_: Any) -> None:
    places = {place for column in format_.columns for place in column.places}
    assert format_.signature <= places
