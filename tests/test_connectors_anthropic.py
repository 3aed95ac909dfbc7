from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.anthropic import COST, COST_REPORT, FORMATS, USAGE, USAGE_REPORT
from connectors.format import Format
from connectors.pages import flatten
from connectors.registry import recognised
from tests.conftest import Mapped

PERIOD = {"starting_at": "2026-10-20T00:00:00Z", "ending_at": "2026-10-21T00:00:00Z"}
GROUP = {"model": "claude-opus-5-5", "service_tier": "standard", "context_window": "0-200k", "cost_type": "tokens"}
Load = Callable[[Format, dict[str, Any]], list[dict[str, Any]]]


def items(*rows: dict[str, Any]) -> dict[str, Any]:
    """An answer of the analytics API: one entry for each row."""
    return {"data": [PERIOD | row for row in rows], "has_more": False, "next_page": None}


def bucket(*results: dict[str, Any]) -> dict[str, Any]:
    """An answer of the Admin API's reports: one bucket of results."""
    return {"data": [PERIOD | {"results": list(results)}], "has_more": False, "next_page": None}


def cost(amount: str = "150", list_amount: str = "200", requests: int | None = None, **group: Any) -> dict[str, Any]:
    money = {"amount": amount, "list_amount": list_amount, "currency": "USD", "requests": requests}
    return {"group": GROUP | group, "cost": money}


@pytest.fixture
def load(con: duckdb.DuckDBPyConnection, mapped: Mapped, tmp_path: Path) -> Load:
    """Save a page, flatten it, check that it is recognised as the format, and map it."""

    def run(format_: Format, document: dict[str, Any]) -> list[dict[str, Any]]:
        path = tmp_path / "page.json"
        path.write_text(json.dumps(document), encoding="utf-8")
        table, _ = flatten(path)
        assert recognised(dict.fromkeys(table.column_names, "VARCHAR")) is format_
        con.register("flat", table)
        return mapped(format_, "flat")

    return run


class TestCost:
    def test_one_row_becomes_one_charge(self, load: Load) -> None:
        (row,) = load(
            COST,
            items(
                cost(
                    "177.13476",
                    "196.8164",
                    token_type="cache_creation.ephemeral_1h_input_tokens",  # noqa: S106
                    workspace_id="wrkspc_a",
                    inference_geo="us",
                    api_key_id="apikey_a",
                    product="claude_code",
                )
            ),
        )
        expected = {
            "BilledCost": Decimal("1.7713476"),
            "EffectiveCost": Decimal("1.7713476"),
            "ContractedCost": Decimal("1.7713476"),
            "ListCost": Decimal("1.968164"),
            "BillingCurrency": "USD",
            "BillingAccountId": "anthropic",
            "BillingPeriodStart": datetime(2026, 10, 1, tzinfo=UTC),
            "BillingPeriodEnd": datetime(2026, 11, 1, tzinfo=UTC),
            "ChargePeriodStart": datetime(2026, 10, 20, tzinfo=UTC),
            "ChargePeriodEnd": datetime(2026, 10, 21, tzinfo=UTC),
            "ChargeCategory": "Usage",
            "ChargeDescription": "claude-opus-5-5, cache_creation.ephemeral_1h_input_tokens",
            "ServiceProviderName": "Anthropic",
            "HostProviderName": "Anthropic",
            "InvoiceIssuerName": "Anthropic",
            "ServiceName": "Anthropic API",
            "SubAccountId": "wrkspc_a",
            "RegionId": "us",
            "x_ApiKeyId": "apikey_a",
            "x_ServiceCode": "claude_code",
            "x_ModelDeveloper": "Anthropic",
            "x_ModelFamily": "Claude",
            "x_ModelId": "claude-opus-5-5",
            "x_TokenDirection": "Input",
            "x_TokenCacheAction": "Write",
            "x_CacheTtl": "1h",
            "x_ServiceTier": "standard",
            "x_ContextWindow": "Short",
            "x_ServingRegion": "Data Zone",
            "x_Unmapped": None,
            "x_BilledIn": Decimal("1.7713476"),
        }
        assert {name: row[name] for name in expected} == expected
        assert row.get("x_Tokens") is None

    @pytest.mark.parametrize(
        ("token_type", "meaning"),
        [
            ("uncached_input_tokens", ("Input", "Uncached", None)),
            ("cache_read_input_tokens", ("Input", "Read", None)),
            ("cache_creation.ephemeral_5m_input_tokens", ("Input", "Write", "5m")),
            ("output_tokens", ("Output", None, None)),
            ("thinking_tokens", (None, None, None)),
        ],
    )
    def test_token_types(self, load: Load, token_type: str, meaning: tuple[str | None, str | None, str | None]) -> None:
        (row,) = load(COST, items(cost(token_type=token_type)))
        assert (row["x_TokenDirection"], row["x_TokenCacheAction"], row["x_CacheTtl"]) == meaning

    @pytest.mark.parametrize(
        ("group", "reason"),
        [
            ({"token_type": "thinking_tokens"}, "token type not known: thinking_tokens"),
            ({"cost_type": "web_search", "model": None}, None),
            ({"cost_type": "code_execution", "model": None}, None),
            ({"cost_type": "session_usage"}, None),
            ({"cost_type": "hologram"}, "cost type not known: hologram"),
            ({"cost_type": None}, "no token type: the costs were not grouped by it"),
            ({}, "no token type: the costs were not grouped by it"),
        ],
    )
    def test_why_there_are_no_tokens(self, load: Load, group: dict[str, Any], reason: str | None) -> None:
        (row,) = load(COST, items(cost(**group)))
        assert (row["x_Unmapped"], row["BilledCost"]) == (reason, Decimal("1.5"))

    @pytest.mark.parametrize(
        ("group", "tier", "context", "region"),
        [
            (
                {"service_tier": "batch", "context_window": "200k-1M", "inference_geo": "global"},
                "batch",
                "Long",
                "Global",
            ),
            ({"service_tier": "flex_discount", "inference_geo": "not_available"}, "flex", "Short", None),
            ({"service_tier": "priority_on_demand", "context_window": None}, "priority", None, None),
            ({"service_tier": "warp", "context_window": "1M-2M", "inference_geo": "moon"}, None, None, None),
            ({"speed": "fast"}, None, "Short", None),
            ({"speed": "standard"}, "standard", "Short", None),
            ({"service_tier": None}, None, "Short", None),
        ],
    )
    def test_dimensions(
        self, load: Load, group: dict[str, Any], tier: str | None, context: str | None, region: str | None
    ) -> None:
        (row,) = load(COST, items(cost(**group)))
        assert (row["x_ServiceTier"], row["x_ContextWindow"], row.get("x_ServingRegion")) == (tier, context, region)

    def test_requests_and_identities(self, load: Load) -> None:
        person, service, key = load(
            COST,
            items(
                cost(requests=12, actor={"type": "user_actor", "user_id": "user_a"}, organization_id="org_a"),
                cost(actor={"type": "service_account_actor", "service_account_id": "svac_a"}),
                cost(actor={"type": "api_actor", "api_key_id": "apikey_a"}),
            ),
        )
        assert (person["ConsumedQuantity"], person["ConsumedUnit"]) == (Decimal(12), "Requests")
        assert (person["x_UserId"], person["BillingAccountId"]) == ("user_a", "org_a")
        assert (service["x_UserId"], service["ConsumedUnit"]) == ("svac_a", None)
        assert (key["x_ApiKeyId"], key["x_UserId"]) == ("apikey_a", None)

    def test_a_hundredth_of_every_digit_or_none(self, load: Load) -> None:
        rows = load(
            COST, items(*(cost(a) for a in ("0.0000000000000001", "0.00000000000000001", "-1", "9999999999999999999")))
        )
        assert [r["BilledCost"] for r in rows] == [
            Decimal("0.000000000000000001"),
            None,
            Decimal("-0.01"),
            Decimal("99999999999999999.99"),
        ]

    def test_synthetic_page_adds_up(self, load: Load, shared: Path) -> None:
        document = json.loads((shared / "anthropic/synthetic_analytics_cost.json").read_text())
        rows = load(COST, document)
        money = [entry["cost"] for entry in document["data"]]
        assert sum(r["BilledCost"] for r in rows) * 100 == sum(Decimal(m["amount"]) for m in money)
        assert sum(r["ListCost"] for r in rows) * 100 == sum(Decimal(m["list_amount"]) for m in money)
        assert {r["x_TokenDirection"] for r in rows} == {"Input", "Output"}


class TestCostReport:
    def test_one_amount_leaves_list_and_contracted_cost_open(self, load: Load) -> None:
        result = {
            "amount": "123.45",
            "currency": "USD",
            "description": "Claude Opus 5.5 Usage - Output Tokens",
            "cost_type": "tokens",
            "token_type": "output_tokens",
            "model": "claude-opus-5-5-20260901",
            "service_tier": "batch",
            "context_window": "0-200k",
            "workspace_id": None,
        }
        (row,) = load(COST_REPORT, bucket(result))
        assert (row["BilledCost"], row["EffectiveCost"]) == (Decimal("1.2345"), Decimal("1.2345"))
        assert (row.get("ListCost"), row.get("ContractedCost"), row["SubAccountId"]) == (None, None, None)
        assert row["ChargeDescription"] == "Claude Opus 5.5 Usage - Output Tokens"
        assert (row["x_ModelId"], row["x_ModelVersion"]) == ("claude-opus-5-5", "20260901")
        assert (row["x_TokenDirection"], row["x_ServiceTier"]) == ("Output", "batch")

    def test_list_amount_is_taken_where_it_is_stated(self, load: Load) -> None:
        result = {"amount": "90", "list_amount": "100", "currency": "USD", "cost_type": None, "token_type": None}
        (row,) = load(COST_REPORT, bucket(result))
        assert (row["BilledCost"], row["ContractedCost"], row["ListCost"]) == (Decimal("0.9"), Decimal("0.9"), 1)


class TestUsage:
    COUNTS = {  # noqa: RUF012
        "uncached_input_tokens": 100,
        "cache_read_input_tokens": 1000,
        "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        "output_tokens": 30,
        "server_tool_use": {"web_search_requests": 2},
    }
    EXPECTED = {  # noqa: RUF012
        "InputUncachedTokens": 100,
        "CacheReadTokens": 1000,
        "CacheWrite5mTokens": 10,
        "CacheWrite1hTokens": 20,
        "OutputTokens": 30,
        "OtherQuantity": Decimal(2),
        "OtherUnit": "searches",
        "UsageKind": "messages",
        "Grain": "day",
        "ServiceProviderName": "Anthropic",
        "ModelName": "claude-opus-5-5",
        "ModelId": "claude-opus-5-5",
        "ServiceTier": "standard",
        "ContextWindow": "Short",
        "UsagePeriodStart": datetime(2026, 10, 20, tzinfo=UTC),
    }

    def test_analytics_input_excludes_the_cached(self, load: Load) -> None:
        usage = self.COUNTS | {"requests": 5, "total_tokens": 1160}
        (row,) = load(USAGE, items({"group": GROUP | {"workspace_id": "wrkspc_a"}, "usage": usage}))
        assert {name: row[name] for name in self.EXPECTED} == self.EXPECTED
        assert (row["Requests"], row["SubAccountId"], row.get("ReasoningTokens")) == (5, "wrkspc_a", None)

    def test_admin_report_states_no_requests(self, load: Load) -> None:
        (row,) = load(USAGE_REPORT, bucket(self.COUNTS | GROUP | {"account_id": "user_a", "api_key_id": "apikey_a"}))
        assert {name: row[name] for name in self.EXPECTED} == self.EXPECTED
        assert (row.get("Requests"), row["UserId"], row["ApiKeyId"]) == (None, "user_a", "apikey_a")

    def test_thinking_tokens_are_part_of_the_output(self, load: Load) -> None:
        more = {"output_tokens_details": {"thinking_tokens": 12}}
        (row,) = load(USAGE_REPORT, bucket(self.COUNTS | GROUP | more))
        assert (row["OutputTokens"], row["ReasoningTokens"]) == (30, 12)

    def test_synthetic_page_adds_up(self, load: Load, shared: Path) -> None:
        document = json.loads((shared / "anthropic/synthetic_analytics_usage.json").read_text())
        rows = load(USAGE, document)
        kinds = ("InputUncachedTokens", "CacheReadTokens", "CacheWrite5mTokens", "CacheWrite1hTokens", "OutputTokens")
        assert [sum(r[k] for k in kinds) for r in rows] == [e["usage"]["total_tokens"] for e in document["data"]]


def test_names_are_the_stable_ones() -> None:
    names = [f.name for f in FORMATS]
    assert names == ["anthropic-cost", "anthropic-cost-report", "anthropic-usage", "anthropic-usage-report"]
