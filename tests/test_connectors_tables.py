from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from connectors.format import Format
from connectors.reference import FORMATS as REFERENCE
from connectors.registry import recognised
from connectors.tables.drivers import DRIVERS
from connectors.tables.usage import COLUMNS, USAGE
from ledger.tables import TABLES
from tests.conftest import Mapped

COMMITMENT, PERIOD, INVOICE = REFERENCE
DOCS = Path(__file__).parents[1] / "docs"
NOON = "2026-10-01T12:00:00Z"


def table(**columns: str | None) -> str:
    """A relation of one row of text, as a CSV gives it."""
    return "SELECT " + ", ".join(f'{"NULL::VARCHAR" if v is None else repr(v)} AS "{k}"' for k, v in columns.items())


def usage(**columns: str | None) -> str:
    given = {"time": NOON, "provider": "openai", "model": "gpt-5.5", "input_tokens": "100", "output_tokens": "10"}
    return table(**(given | columns))


class TestUsageFile:
    def test_every_column(self, mapped: Mapped) -> None:
        (row,) = mapped(
            USAGE,
            usage(
                end_time="2026-10-01T13:00:00Z",
                grain="Hour",
                kind="chat",
                model="gpt-5.5-2026-04-23",
                cache_read_tokens="20",
                cache_write_tokens="1",
                cache_write_5m_tokens="2",
                cache_write_1h_tokens="3",
                reasoning_tokens="4",
                tier="Batch",
                context="LONG",
                region="data zone",
                requests="5",
                errors="1",
                project="shop",
                api_key="key_a",
                user="user_a",
                tags='{"team": "search"}',
                latency_ms="1234.5678",
                time_to_first_token_ms="99",  # noqa: S106
            ),
        )
        expected = {
            "UsagePeriodStart": datetime(2026, 10, 1, 12, tzinfo=UTC),
            "UsagePeriodEnd": datetime(2026, 10, 1, 13, tzinfo=UTC),
            "Grain": "hour",
            "UsageKind": "chat",
            "ServiceProviderName": "OpenAI",
            "SubAccountId": "shop",
            "ApiKeyId": "key_a",
            "UserId": "user_a",
            "ModelName": "gpt-5.5-2026-04-23",
            "ModelDeveloper": "OpenAI",
            "ModelFamily": "GPT",
            "ModelId": "gpt-5.5",
            "ModelVersion": "2026-04-23",
            "ServiceTier": "batch",
            "ContextWindow": "Long",
            "ServingRegion": "Data Zone",
            "InputUncachedTokens": 100,
            "CacheReadTokens": 20,
            "CacheWriteTokens": 1,
            "CacheWrite5mTokens": 2,
            "CacheWrite1hTokens": 3,
            "OutputTokens": 10,
            "ReasoningTokens": 4,
            "Requests": 5,
            "Errors": 1,
            "LatencyMs": Decimal("1234.568"),
            "TimeToFirstTokenMs": Decimal(99),
            "Tags": '{"team": "search"}',
            "x_State": None,
        }
        assert {name: row[name] for name in expected} == expected

    @pytest.mark.parametrize(
        ("grain", "seconds", "requests"),
        [(None, 0, 1), ("request", 0, 1), ("minute", 60, None), ("hour", 3600, None), ("day", 86_400, None)],
    )
    def test_grain_gives_end_and_a_request_is_one(
        self, mapped: Mapped, grain: str | None, seconds: int, requests: int | None
    ) -> None:
        (row,) = mapped(USAGE, usage(grain=grain))
        assert row["Grain"] == (grain or "request")
        assert (row["UsagePeriodEnd"] - row["UsagePeriodStart"]).total_seconds() == seconds
        assert row["Requests"] == requests

    @pytest.mark.parametrize(
        ("tier", "expected"), [("default", "standard"), ("scale", "provisioned"), ("warp", None), (None, None)]
    )
    def test_tier(self, mapped: Mapped, tier: str | None, expected: str | None) -> None:
        (row,) = mapped(USAGE, usage(tier=tier))
        assert row["ServiceTier"] == expected

    def test_unknown_names_stay_as_they_are(self, mapped: Mapped) -> None:
        (row,) = mapped(USAGE, usage(provider="Acme Gateway", model="House-Model 7", region="mars"))
        assert (row["ServiceProviderName"], row["ServingRegion"]) == ("Acme Gateway", "mars")
        assert (row["ModelName"], row["ModelId"], row["ModelDeveloper"]) == ("House-Model 7", "house-model-7", None)

    @pytest.mark.parametrize(
        "wrong",
        [
            {"time": "soon"},
            {"model": None},
            {"provider": ""},
            {"input_tokens": "1.5"},
            {"tags": "{"},
            {"latency_ms": "fast"},
        ],
    )
    def test_wrong_values_are_bad_rows(self, mapped: Mapped, wrong: dict[str, str | None]) -> None:
        (row,) = mapped(USAGE, usage(**wrong))
        assert row["x_State"] == "bad"

    def test_zone_of_the_time_is_respected(self, mapped: Mapped) -> None:
        (row,) = mapped(USAGE, usage(time="2026-10-01 01:00:00+02:00"))
        assert row["UsagePeriodStart"] == datetime(2026, 9, 30, 23, tzinfo=UTC)

    def test_typed_columns_of_parquet(self, mapped: Mapped) -> None:
        (row,) = mapped(
            USAGE,
            "SELECT TIMESTAMP '2026-10-01 12:00:00' AS time, 'Anthropic' AS provider, 'claude-opus-5-5' AS model, "
            "7::UINTEGER AS input_tokens, 8::HUGEINT AS output_tokens, {'team': 'a'} AS tags, "
            "1.5::DOUBLE AS latency_ms",
        )
        assert (row["UsagePeriodStart"], row["InputUncachedTokens"]) == (datetime(2026, 10, 1, 12, tzinfo=UTC), 7)
        assert (row["OutputTokens"], row["Tags"], row["LatencyMs"]) == (8, '{"team":"a"}', Decimal("1.5"))

    def test_page_in_the_docs_lists_every_column_and_its_example_loads(self, mapped: Mapped, tmp_path: Path) -> None:
        text = (DOCS / "usage-file.md").read_text()
        assert sorted(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) == sorted(c.name for c in COLUMNS)
        rows = _example(text, tmp_path, mapped, USAGE)
        assert [r["x_State"] for r in rows] == [None, None]
        assert [r["InputUncachedTokens"] for r in rows] == [1200, 350000]


def _example(text: str, folder: Path, mapped: Mapped, format_: Format) -> list[dict[str, Any]]:
    block = re.search(r"```csv\n(.*?)```", text, re.DOTALL)
    assert block
    path = folder / "example.csv"
    path.write_text(block[1])
    return mapped(format_, f"read_csv('{path}', all_varchar = true)")


class TestDriverFile:
    def test_one_row(self, mapped: Mapped) -> None:
        (row,) = mapped(
            DRIVERS, table(date="2026-10-01", name=" orders ", value="12.345678901234567891", unit="orders")
        )
        assert (row["DriverDate"], row["DriverName"]) == (date(2026, 10, 1), "orders")
        assert (row["DriverValue"], row["DriverUnit"]) == (Decimal("12.345678901234567891"), "orders")

    def test_unit_may_be_absent_and_typed_columns_are_taken(self, mapped: Mapped) -> None:
        (row,) = mapped(DRIVERS, "SELECT DATE '2026-10-01' AS date, 'users' AS name, 7::BIGINT AS value")
        assert (row["DriverDate"], row["DriverValue"], row.get("DriverUnit")) == (date(2026, 10, 1), 7, None)

    @pytest.mark.parametrize("wrong", [{"date": "1 Oct"}, {"name": ""}, {"value": "many"}, {"value": None}])
    def test_wrong_values_are_bad_rows(self, mapped: Mapped, wrong: dict[str, str | None]) -> None:
        given: dict[str, str | None] = {"date": "2026-10-01", "name": "orders", "value": "1"}
        (row,) = mapped(DRIVERS, table(**(given | wrong)))
        assert row["x_State"] == "bad"

    def test_page_in_the_docs_lists_every_column_and_its_example_loads(self, mapped: Mapped, tmp_path: Path) -> None:
        text = (DOCS / "driver-file.md").read_text()
        assert re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE) == [c.name for c in DRIVERS.columns]
        rows = _example(text, tmp_path, mapped, DRIVERS)
        assert [(r["x_State"], r["DriverValue"]) for r in rows] == [
            (None, Decimal(18250)),
            (None, Decimal("41250.75")),
            (None, Decimal(17980)),
        ]


class TestReference:
    @pytest.mark.parametrize("vendor", ["aws", "azure", "gcp"])
    def test_contract_commitments_of_1_3(
        self, con: duckdb.DuckDBPyConnection, mapped: Mapped, shared: Path, vendor: str
    ) -> None:
        path = shared / f"focus/synthetic_focus_data_toolkit/focus_1_3_contract_commitment_{vendor}.csv"
        relation = f"read_csv('{path}', all_varchar = true)"
        layout = {row[0]: row[1] for row in con.execute(f"DESCRIBE FROM {relation}").fetchall()}
        assert recognised(layout) is COMMITMENT
        rows = mapped(COMMITMENT, relation)
        assert {r["x_State"] for r in rows} == {None}
        total = con.execute(f"SELECT count(*), sum(ContractCommitmentCost::DECIMAL(38,6)) FROM {relation}").fetchone()
        assert total == (len(rows), sum(r["ContractCommitmentCost"] for r in rows if r["ContractCommitmentCost"]))

    def test_contract_commitment_is_carried_as_it_stands(self, mapped: Mapped) -> None:
        (row,) = mapped(
            COMMITMENT,
            table(
                ContractCommitmentId="c-1",
                ContractId="k-1",
                ContractCommitmentCategory="Spend",
                ContractCommitmentCost="280460.160000",
                ContractCommitmentPeriodStart="2026-05-01T01:00:00Z",
                ContractCommitmentPeriodEnd="2027-05-01T01:00:00Z",
                ContractCommitmentApplicability='{"Elements": []}',
            ),
        )
        assert row["ContractCommitmentCost"] == Decimal("280460.16")
        assert row["ContractCommitmentPeriodStart"] == datetime(2026, 5, 1, 1, tzinfo=UTC)
        assert row["ContractCommitmentApplicability"] == '{"Elements": []}'
        assert row.get("ContractCommitmentModel") is None

    def test_billing_period_and_invoice_detail(self, mapped: Mapped) -> None:
        month = {"BillingPeriodStart": "2026-10-01T00:00:00Z", "BillingPeriodEnd": "2026-11-01T00:00:00Z"}
        (period,) = mapped(PERIOD, table(**month, BillingPeriodStatus="Closed", InvoiceIssuerName="AWS"))
        assert (period["BillingPeriodStatus"], period["x_State"]) == ("Closed", None)
        (invoice,) = mapped(
            INVOICE,
            table(
                **month,
                InvoiceDetailId="d-1",
                InvoiceId="i-1",
                BilledCost="0.1",
                BillingCurrency="EUR",
                PaymentDueDate="tomorrow",
            ),
        )
        assert (invoice["BilledCost"], invoice["x_State"]) == (Decimal("0.1"), "bad")

    @pytest.mark.parametrize("format_", REFERENCE, ids=lambda f: f.name)
    def test_all_columns_of_the_dataset_are_recognised_and_mapped(self, mapped: Mapped, format_: Format) -> None:
        names = [c.name for c in TABLES[format_.table] if not c.name.startswith("x_")]
        assert recognised(dict.fromkeys(names, "VARCHAR")) is format_
        (row,) = mapped(format_, "SELECT " + ", ".join(f"'1' AS {n}" for n in names))
        assert {n for n in row if not n.startswith("x_")} == set(names)
