from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pytest

from connectors.format import Format
from connectors.openai import COSTS, USAGE
from connectors.pages import HAS_MORE, flatten, is_pages
from connectors.registry import recognised
from tests.conftest import Mapped

DAY = 1_793_059_200  # 2026-10-27T00:00:00Z
Load = Callable[[Format, object], list[dict[str, Any]]]


def page(*results: dict[str, Any], start: int = DAY, seconds: int = 86_400) -> dict[str, Any]:
    bucket = {"object": "bucket", "start_time": start, "end_time": start + seconds, "results": list(results)}
    return {"object": "page", "data": [bucket], "has_more": False, "next_page": None}


def cost(line_item: str | None, value: float = 1.5, **more: Any) -> dict[str, Any]:
    amount = {"value": value, "currency": "usd"}
    return {"object": "organization.costs.result", "amount": amount, "line_item": line_item, **more}


def tokens_of(line_item: str | None, **more: Any) -> dict[str, Any]:
    return cost(line_item, quantity=10, quantity_unit="tokens", **more)


def completions(**more: Any) -> dict[str, Any]:
    return {"object": "organization.usage.completions.result", **more}


@pytest.fixture
def saved(tmp_path: Path) -> Callable[[object], Path]:
    """A document (or a text as it stands) saved as a JSON file."""

    def save(document: object) -> Path:
        path = tmp_path / "page.json"
        path.write_text(document if isinstance(document, str) else json.dumps(document), encoding="utf-8")
        return path

    return save


@pytest.fixture
def load(con: duckdb.DuckDBPyConnection, mapped: Mapped, saved: Callable[[object], Path]) -> Load:
    """Flatten a page (a document, a text or a file) and map it."""

    def run(format_: Format, document: object) -> list[dict[str, Any]]:
        table, _ = flatten(document if isinstance(document, Path) else saved(document))
        con.register("flat", table)
        return mapped(format_, "flat")

    return run


class TestPages:
    def test_numbers_keep_every_digit(self, saved: Callable[[object], Path]) -> None:
        text = (
            '{"data": [{"start_time": 1793059200, "end_time": 1793145600, "results": ['
            '{"amount": {"value": 12.345678901234567891}}, {"amount": {"value": "0.06"}}]}]}'
        )
        table, _ = flatten(saved(text))
        assert table["amount.value"].to_pylist() == ["12.345678901234567891", "0.06"]
        assert set(table.schema.types) == {pa.string()}

    def test_nested_objects_become_dotted_columns_and_flags_words(self, saved: Callable[[object], Path]) -> None:
        table, _ = flatten(saved(page({"a": {"b": {"c": 1}}, "batch": True}, {"batch": False, "tags": [1, "x"]})))
        assert table.to_pydict() == {
            "bucket.start_time": [str(DAY)] * 2,
            "bucket.end_time": [str(DAY + 86_400)] * 2,
            "a.b.c": ["1", None],
            "batch": ["true", "false"],
            "tags": [None, '["1", "x"]'],
        }

    def test_counts_are_whole_numbers_only_where_all_of_them_are(self, saved: Callable[[object], Path]) -> None:
        results = [{"a": 1, "b": 1, "c": "0x10", "d": 10**30, "e": None}, {"a": -2, "b": 1.5}, {"a": None, "b": 3}]
        table, _ = flatten(saved(page(*results)), {"a", "b", "c", "d", "e", "absent"})
        assert table.drop(["bucket.start_time", "bucket.end_time"]).to_pydict() == {
            "a": [1, -2, None],
            "b": ["1", "1.5", "3"],
            "c": ["0x10", None, None],
            "d": [str(10**30), None, None],
            "e": [None, None, None],
        }

    def test_empty_buckets_are_covered_and_give_no_row(self, saved: Callable[[object], Path]) -> None:
        document = page(cost("gpt-5.5, input"))
        document["data"].append({"start_time": DAY + 86_400, "end_time": DAY + 2 * 86_400, "results": []})
        document["data"].append({"start_time": DAY + 4 * 86_400, "end_time": DAY + 5 * 86_400, "results": []})
        table, windows = flatten(saved(document))
        assert table.num_rows == 1
        assert windows == [
            (datetime(2026, 10, 27, tzinfo=UTC), datetime(2026, 10, 29, tzinfo=UTC)),
            (datetime(2026, 10, 31, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)),
        ]

    def test_page_without_buckets_is_empty(self, saved: Callable[[object], Path]) -> None:
        table, windows = flatten(saved({"object": "page", "data": [], "has_more": False}))
        assert (table.num_rows, windows) == (0, [])
        assert table.column_names == ["bucket.start_time", "bucket.end_time"]

    @pytest.mark.parametrize(
        "text",
        [
            json.dumps([page({"x": 1}), page({"x": 2})]),
            json.dumps(page({"x": 1})) + "\n" + json.dumps(page({"x": 2})) + "\n",
            json.dumps(page({"x": 1}), indent=1) + "\n\n" + json.dumps(page({"x": 2}), indent=1),
        ],
    )
    def test_several_pages_in_one_file(self, saved: Callable[[object], Path], text: str) -> None:
        assert is_pages(text.encode())
        assert flatten(saved(text))[0]["x"].to_pylist() == ["1", "2"]

    def test_compressed_page(self, tmp_path: Path) -> None:
        path = tmp_path / "page.json.gz"
        path.write_bytes(gzip.compress(json.dumps(page({"x": 1})).encode()))
        assert flatten(path)[0]["x"].to_pylist() == ["1"]
        path.write_bytes(path.read_bytes()[:-9])
        with pytest.raises(ValueError, match=r"page\.json\.gz is a truncated or damaged gzip file"):
            flatten(path)

    def test_last_page_says_whether_more_follow(self, saved: Callable[[object], Path]) -> None:
        whole = page({"x": 1})
        assert flatten(saved([whole | {"has_more": True}, whole]))[0].schema.metadata == {HAS_MORE: b"false"}
        assert flatten(saved([whole, whole | {"has_more": True}]))[0].schema.metadata == {HAS_MORE: b"true"}

    def test_results_beyond_one_batch_keep_their_period(
        self, saved: Callable[[object], Path], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("connectors.pages._BATCH", 2)
        pages = [page({"x": 1}), page({"x": 2}, {"y": 3}, start=DAY + 3600, seconds=3600), page({"x": 4})]
        table, _ = flatten(saved(pages))
        assert table["x"].to_pylist() == ["1", "2", None, "4"]
        assert table["y"].to_pylist() == [None, None, "3", None]
        assert table["bucket.start_time"].to_pylist() == [str(DAY), str(DAY + 3600), str(DAY + 3600), str(DAY)]

    @pytest.mark.parametrize(
        ("text", "sentence"),
        [
            ('{"data": [{"start_time": 1, ', r"page\.json is not complete JSON: .* at line 1, column 29"),
            ("", r"page\.json holds no API page"),
            ('{"error": {"message": "wrong key"}}', r"page 1, has no list 'data'.*wrong key"),
            ('{"data": [{"id": "alert_1"}]}', r"page 1, entry 1 of 'data', has no period"),
            (
                '{"data": [{"start_time": "soon", "end_time": 2, "results": []}]}',
                "has a period that is none: 'soon' to",
            ),
            ('{"data": [{"start_time": 5, "end_time": 5, "results": []}]}', "bucket_width or time_bucket_width 1d"),
            ('{"data": [{"start_time": 1, "end_time": 86402, "results": []}]}', "a day at most"),
            (
                '{"data": [{"start_time": 1, "end_time": 2, "results": [{"a": "1"}, {"a": {"b": "2"}}]}]}',
                "a field that is",
            ),
            ('{"data": [{"start_time": 1, "end_time": 2, "results": [{"rbac_group_id": "g"}]}]}', "counted in both"),
        ],
    )
    def test_what_is_no_page_is_refused(self, saved: Callable[[object], Path], text: str, sentence: str) -> None:
        with pytest.raises(ValueError, match=sentence):
            flatten(saved(text))

    def test_file_that_is_not_utf8_is_refused(self, tmp_path: Path) -> None:
        path = tmp_path / "page.json"
        path.write_bytes(b'{"data": ["\xff"]}')
        with pytest.raises(ValueError, match=r"not text in UTF-8 \(byte 12\)"):
            flatten(path)

    @pytest.mark.parametrize(
        ("head", "yes"),
        [
            (b'{"object": "page", "data": [', True),
            (b'\xef\xbb\xbf [\n {"has_more": false, "next_page": null, "data" : [', True),
            (b'{"next_page": "a\\"b", "data": []}', True),
            (b'{"manifest": {"data": []}}', False),
            (b'{"data": {"a": 1}}', False),
            (b"BilledCost,EffectiveCost\n", False),
        ],
    )
    def test_recognition_by_the_beginning(self, head: bytes, yes: bool) -> None:
        assert is_pages(head) is yes


class TestCosts:
    def test_one_result_becomes_one_charge(self, load: Load) -> None:
        result = cost(
            "gpt-5.5-2026-04-23, input",
            quantity=2.5,
            quantity_unit="1000_tokens",
            project_id="proj_a",
            api_key_id="key_a",
            user_id="user_a",
            organization_id="org_a",
        )
        (row,) = load(COSTS, page(result))
        expected = {
            "BilledCost": Decimal("1.5"),
            "EffectiveCost": Decimal("1.5"),
            "BillingCurrency": "USD",
            "BillingAccountId": "org_a",
            "BillingPeriodStart": datetime(2026, 10, 1, tzinfo=UTC),
            "BillingPeriodEnd": datetime(2026, 11, 1, tzinfo=UTC),
            "ChargePeriodStart": datetime(2026, 10, 27, tzinfo=UTC),
            "ChargePeriodEnd": datetime(2026, 10, 28, tzinfo=UTC),
            "ChargeCategory": "Usage",
            "ChargeDescription": "gpt-5.5-2026-04-23, input",
            "SkuId": "openai/gpt-5.5-2026-04-23, input",
            "ServiceProviderName": "OpenAI",
            "HostProviderName": "OpenAI",
            "InvoiceIssuerName": "OpenAI",
            "ServiceName": "OpenAI API",
            "SubAccountId": "proj_a",
            "ConsumedQuantity": Decimal("2.5"),
            "ConsumedUnit": "1000_tokens",
            "x_ApiKeyId": "key_a",
            "x_UserId": "user_a",
            "x_ModelDeveloper": "OpenAI",
            "x_ModelFamily": "GPT",
            "x_ModelId": "gpt-5.5",
            "x_ModelVersion": "2026-04-23",
            "x_TokenDirection": "Input",
            "x_TokenCacheAction": "Uncached",
            "x_ServiceTier": None,
            "x_ContextWindow": "Short",
            "x_Tokens": Decimal(2500),
            "x_Unmapped": None,
            "x_State": None,
            "x_BilledIn": Decimal("1.5"),
        }
        assert {name: row[name] for name in expected} == expected
        assert row.get("ListCost") is None
        assert row.get("ContractedCost") is None

    @pytest.mark.parametrize(
        ("line_item", "model", "version", "direction", "cache", "tier", "context", "modality"),
        [
            ("gpt-5.5-2026-04-23, cached input", "gpt-5.5", "2026-04-23", "Input", "Read", None, "Short", None),
            ("gpt-4.1-2025-04-14, output", "gpt-4.1", "2025-04-14", "Output", None, None, "Short", None),
            ("gpt-5.6-sol, cache writes", "gpt-5.6-sol", None, "Input", "Write", None, "Short", None),
            (
                "priority | gpt-5.6-sol, output, long context",
                "gpt-5.6-sol",
                None,
                "Output",
                None,
                "priority",
                "Long",
                None,
            ),
            ("fast | gpt-5.6-sol, input", "gpt-5.6-sol", None, "Input", "Uncached", "priority", "Short", None),
            ("batch | gpt-5.6-sol, input", "gpt-5.6-sol", None, "Input", "Uncached", "batch", "Short", None),
            ("GPT-5.6-sol, Input", "gpt-5.6-sol", None, "Input", "Uncached", None, "Short", None),
            ("gpt-6-astra, input_tokens", "gpt-6-astra", None, "Input", "Uncached", None, "Short", None),
            (
                "gpt-audio-mini-2025-12-15 audio, input",
                "gpt-audio-mini",
                "2025-12-15",
                "Input",
                "Uncached",
                None,
                "Short",
                "Audio",
            ),
            ("gpt-image-2.5-flare image, output", "gpt-image-2.5-flare", None, "Output", None, None, "Short", "Image"),
            (
                "gpt-image-2.5-sunburst text, cached input",
                "gpt-image-2.5-sunburst",
                None,
                "Input",
                "Read",
                None,
                "Short",
                "Text",
            ),
            ("ft-gpt-4o-2024-08-06, input", "ft-gpt-4o", "2024-08-06", "Input", "Uncached", None, "Short", None),
            ("input_tokens", None, None, "Input", "Uncached", None, "Short", None),
        ],
    )
    def test_token_lines(
        self,
        load: Load,
        line_item: str,
        model: str | None,
        version: str | None,
        direction: str,
        cache: str | None,
        tier: str | None,
        context: str,
        modality: str | None,
    ) -> None:
        (row,) = load(COSTS, page(tokens_of(line_item)))
        assert (row["x_ModelId"], row["x_ModelVersion"]) == (model, version)
        assert (row["x_TokenDirection"], row["x_TokenCacheAction"]) == (direction, cache)
        assert (row["x_ServiceTier"], row["x_ContextWindow"], row["x_Modality"]) == (tier, context, modality)
        assert (row["x_Tokens"], row["x_Unmapped"]) == (Decimal(10), None)

    @pytest.mark.parametrize(
        ("line_item", "model"),
        [
            ("whisper-1, audio", "whisper-1"),
            ("gpt-4o-2024-08-06", "gpt-4o"),
            ("gpt-5.6-sol, output, hologram", "gpt-5.6-sol"),
            ("turbo | gpt-5.6-sol, output", None),
            ("Some new thing", None),
        ],
    )
    def test_unknown_line_keeps_its_cost_and_gets_no_token(self, load: Load, line_item: str, model: str | None) -> None:
        (row,) = load(COSTS, page(tokens_of(line_item)))
        assert (row["BilledCost"], row["SkuId"], row["x_ModelId"]) == (Decimal("1.5"), f"openai/{line_item}", model)
        assert (row["x_Tokens"], row["x_TokenDirection"]) == (None, None)
        assert row["x_Unmapped"] == f"line item not known: {line_item}"

    @pytest.mark.parametrize(
        ("result", "reason"),
        [
            (cost("gpt-5.5, input"), None),
            (cost("o3, input", quantity=None, quantity_unit="tokens"), None),
            (cost("o3, output", quantity=3, quantity_unit="images"), "quantity in images, not tokens: o3, output"),
            (cost(None), "no line item: the costs were not grouped by it"),
            (cost("web search tool calls", quantity=7), None),
            (cost("Vector storage"), None),
            (cost("whisper-1, audio", quantity=7, quantity_unit="duration_seconds"), None),
        ],
    )
    def test_why_there_are_no_tokens(self, load: Load, result: dict[str, Any], reason: str | None) -> None:
        (row,) = load(COSTS, page(result))
        assert (row.get("x_Tokens"), row["x_Unmapped"]) == (None, reason)

    def test_credit_and_taken_back_usage(self, load: Load) -> None:
        credit, back = load(COSTS, page(cost(None, -1.25), cost("gpt-5.5, input", -0.5)))
        assert (credit["ChargeCategory"], credit["BilledCost"], credit["SkuId"]) == ("Credit", Decimal("-1.25"), None)
        assert (credit["x_Unmapped"], credit["BillingAccountId"]) == (None, "openai")
        assert (back["ChargeCategory"], back["BilledCost"]) == ("Usage", Decimal("-0.5"))

    def test_digits_are_kept_or_the_row_is_bad(self, load: Load) -> None:
        text = json.dumps(page(cost("a"), cost("b"), cost("c"), cost("d")))
        for written in ("12.345678901234567891", "0.1300000000000000000000", "0.1234567890123456789", "NaN"):
            text = text.replace('"value": 1.5', f'"value": {written}', 1)
        rows = load(COSTS, text)
        assert [r["BilledCost"] for r in rows] == [Decimal("12.345678901234567891"), Decimal("0.13"), None, None]
        assert [r["x_State"] for r in rows] == [None, None, "bad", "bad"]

    def test_official_and_synthetic_pages(self, load: Load, shared: Path) -> None:
        (row,) = load(COSTS, shared / "openai/get__organization__costs.json")
        assert (row["BilledCost"], row["ChargePeriodStart"]) == (Decimal("0.06"), datetime(2024, 11, 1, tzinfo=UTC))
        for name in ("synthetic_costs_page1.json", "synthetic_costs_page2.json"):
            path = shared / "openai" / name
            exact = json.loads(path.read_text(), parse_float=Decimal)
            results = [r for bucket in exact["data"] for r in bucket["results"]]
            rows = load(COSTS, path)
            assert sum(r["BilledCost"] for r in rows) == sum(r["amount"]["value"] for r in results)
            assert sum(r["x_Tokens"] or 0 for r in rows) == sum(
                r["quantity"] for r in results if r["quantity_unit"] == "tokens"
            )
            assert {r["x_Unmapped"] for r in rows} == {None}

    def test_every_line_item_seen_is_read(self, load: Load, shared: Path) -> None:
        seen = json.loads((shared / "openai/line_item_strings_seen.json").read_text())["line_items"]
        rows = load(COSTS, page(*(tokens_of(item) for item in seen)))
        unread = {r["ChargeDescription"] for r in rows if r["x_Unmapped"]}
        assert unread == {"whisper-1, audio", "gpt-4o-2024-08-06"}
        assert [r["ChargeDescription"] for r in rows] == seen


class TestUsage:
    def test_cached_and_written_tokens_are_not_counted_twice(self, load: Load) -> None:
        whole = {"input_tokens": 1000, "input_cached_tokens": 400, "input_cache_write_tokens": 100}
        given, computed, older, broken = load(
            USAGE,
            page(
                completions(input_uncached_tokens=500, **whole),
                completions(input_cache_write_30m_tokens=70, input_cache_write_12h_tokens=20, **whole),
                completions(input_tokens=1000, input_cached_tokens=400),
                completions(input_tokens=100, input_cached_tokens=400),
            ),
        )
        names = (
            "InputUncachedTokens",
            "CacheReadTokens",
            "CacheWriteTokens",
            "CacheWrite30mTokens",
            "CacheWrite12hTokens",
        )
        assert [given[n] for n in names] == [500, 400, 100, None, None]
        assert [computed[n] for n in names] == [500, 400, 10, 70, 20]
        assert [older[n] for n in names] == [600, 400, None, None, None]
        assert [broken[n] for n in names] == [None, 400, None, None, None]

    @pytest.mark.parametrize(
        ("batch", "service_tier", "tier"),
        [
            (True, "default", "batch"),
            (False, "default", "standard"),
            (None, "default", None),
            (False, "priority", "priority"),
            (None, "fast", "priority"),
            (False, "flex", "flex"),
            (None, "scale", "provisioned"),
            (False, "warp", None),
            (False, None, None),
            (None, None, None),
        ],
    )
    def test_service_tier(self, load: Load, batch: bool | None, service_tier: str | None, tier: str | None) -> None:
        rows = load(USAGE, page(completions(input_tokens=1, batch=batch, service_tier=service_tier)))
        assert [row.get("ServiceTier") for row in rows] == [tier]

    @pytest.mark.parametrize(("seconds", "grain"), [(60, "minute"), (3600, "hour"), (86_400, "day"), (7200, "day")])
    def test_grain_is_the_width_of_the_bucket(self, load: Load, seconds: int, grain: str) -> None:
        (row,) = load(USAGE, page(completions(input_tokens=1), seconds=seconds))
        assert row["Grain"] == grain
        assert (row["UsagePeriodEnd"] - row["UsagePeriodStart"]).total_seconds() == seconds

    def test_unknown_object_keeps_its_row_and_gets_no_token(self, load: Load) -> None:
        rows = load(
            USAGE,
            page(
                {"object": "organization.usage.holograms.result", "input_tokens": 7, "num_model_requests": 2},
                {"object": "something.else", "input_tokens": 7},
            ),
        )
        assert [r["UsageKind"] for r in rows] == ["holograms", "something.else"]
        assert [(r["InputUncachedTokens"], r["Requests"], r.get("OtherQuantity")) for r in rows] == [
            (None, 2, None),
            (None, None, None),
        ]

    def test_requests_of_searches_are_counted_with_their_completions(self, load: Load) -> None:
        search = {"object": "organization.usage.web_searches.result", "num_model_requests": 5, "num_requests": 3}
        (row,) = load(USAGE, page(search))
        assert (row["Requests"], row["OtherQuantity"], row["OtherUnit"]) == (None, Decimal(3), "searches")

    def test_fraction_of_a_token_is_refused(self, load: Load) -> None:
        (row,) = load(USAGE, page(completions(input_tokens=1.5)))
        assert row["x_State"] == "bad"

    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("embeddings", {"UsageKind": "embeddings", "InputUncachedTokens": 16, "Requests": 2}),
            ("moderations", {"UsageKind": "moderations", "InputUncachedTokens": 16, "Requests": 2}),
            ("images", {"UsageKind": "images", "OtherQuantity": 2, "OtherUnit": "images"}),
            ("audio_speeches", {"UsageKind": "audio_speeches", "OtherQuantity": 45, "OtherUnit": "characters"}),
            (
                "audio_transcriptions",
                {"UsageKind": "audio_transcriptions", "OtherQuantity": 20, "OtherUnit": "seconds"},
            ),
            ("vector_stores", {"UsageKind": "vector_stores", "OtherQuantity": 1024, "OtherUnit": "bytes"}),
            ("code_interpreter_sessions", {"OtherQuantity": 1, "OtherUnit": "sessions"}),
            ("file_search_calls", {"UsageKind": "file_searches", "OtherQuantity": 2, "OtherUnit": "searches"}),
            ("web_search_calls", {"UsageKind": "web_searches", "OtherQuantity": 2, "OtherUnit": "searches"}),
            (
                "completions",
                {
                    "UsageKind": "completions",
                    "InputUncachedTokens": 500,
                    "CacheReadTokens": 400,
                    "CacheWriteTokens": 100,
                    "OutputTokens": 500,
                    "InputAudioTokens": 50,
                    "CacheReadAudioTokens": 50,
                    "InputImageTokens": 50,
                    "OutputAudioTokens": 50,
                    "OutputImageTokens": 50,
                    "Requests": 5,
                },
            ),
        ],
    )
    def test_official_examples(self, load: Load, shared: Path, name: str, expected: dict[str, Any]) -> None:
        path = shared / f"openai/get__organization__usage__{name}.json"
        assert is_pages(path.read_bytes()[:4096])
        (row,) = load(USAGE, path)
        assert {key: row[key] for key in expected} == expected
        assert (row["Grain"], row["ServiceProviderName"], row["x_State"]) == ("day", "OpenAI", None)

    def test_synthetic_pages_add_up(self, load: Load, shared: Path) -> None:
        for number in (1, 2):
            path = shared / f"openai/synthetic_usage_completions_page{number}.json"
            results = [r for bucket in json.loads(path.read_text())["data"] for r in bucket["results"]]
            rows = load(USAGE, path)
            kinds = (
                "InputUncachedTokens",
                "CacheReadTokens",
                "CacheWriteTokens",
                "CacheWrite30mTokens",
                "CacheWrite12hTokens",
            )
            assert sum(r[k] for r in rows for k in kinds) == sum(r["input_tokens"] for r in results)
            assert {r["ServiceTier"] for r in rows} == {"batch", "standard"}


def test_pages_are_recognised(saved: Callable[[object], Path]) -> None:
    for format_, result in ((COSTS, cost("a")), (USAGE, completions(input_tokens=1, output_tokens=2))):
        layout = dict.fromkeys(flatten(saved(page(result)))[0].column_names, "VARCHAR")
        assert recognised(layout) is format_
