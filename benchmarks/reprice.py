"""Re-pricing speed beside genai-prices and LiteLLM, over the same rows at the same prices, in one run.

    python benchmarks/reprice.py --rows 5000000 --json

The rows are requests of one month (seeded, synthetic), read from a Parquet file with project and tags. Ours is
the whole of `analysis.reprice.reprice_each`: read, price, aggregate by day, model and project. The peers price single
requests in Python, on a sample of the same rows whose size is stated (`--sample`). Parity: the sample is priced by
ours too, request by request, and compared with genai-prices to the last digit; every mismatch is printed with both
figures. The last line is JSON: `ratio_genai_prices` and `ratio_litellm` are our rows per second over theirs; null
where the peer is not installed. Directional: it gates nothing, and says nothing of a machine with other work on it.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
# LiteLLM would fetch its cost map otherwise.
os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"

import duckdb
import ibis

from analysis.plan import AS_USED, Plan, parse_plan
from analysis.reprice import reprice_each
from ledger import engine
from ledger.price_book import book

#: Seller, model as the ledger, genai-prices and LiteLLM call it, and whether its cache writes are counted (5 minutes).
MODELS = (
    ("OpenAI", "gpt-5.5", "openai", "gpt-5.5", False),
    ("OpenAI", "gpt-4.1-mini", "openai", "gpt-4.1-mini", False),
    ("OpenAI", "gpt-4.1", "openai", "gpt-4.1", False),
    ("OpenAI", "gpt-5.6-luna", "openai", "gpt-5.6-luna", False),
    ("Anthropic", "claude-sonnet-4-6", "anthropic", "claude-sonnet-4-6", True),
    ("Anthropic", "claude-haiku-4-5", "anthropic", "claude-haiku-4-5", True),
    ("Google Cloud", "gemini-2.5-pro", "google", "gemini-2.5-pro", False),
    ("Google Cloud", "gemini-2.5-flash", "google", "gemini-2.5-flash", False),
)
PROJECTS, TEAMS, DAYS = 12, 4, 31
BY = ("day", "model", "project")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--sample", type=int, default=2_000, help="rows that each peer prices")
    parser.add_argument("--plans", type=int, default=20, help="what-if plans")
    parser.add_argument("--json", action="store_true", help="print the JSON line alone")
    asked = parser.parse_args()
    say: Callable[[str], None] = (lambda _: None) if asked.json else print
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "usage.parquet"
        make_usage(file, asked.rows)
        result = {"rows": asked.rows, **ours(file, asked.rows, asked.plans, say)}
        result |= peers(file, asked.sample, result["rows_per_second"], say)
    result["peak_memory_mb"] = round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    print(json.dumps(result))


def make_usage(file: Path, rows: int) -> None:
    """Requests of one month, one in fifty with a long context, in the ledger's usage columns."""
    con = duckdb.connect(config={"preserve_insertion_order": False, "memory_limit": "500MB"})
    con.execute("SET TimeZone = 'UTC'")
    sellers = ", ".join(f"'{m[0]}'" for m in MODELS)
    models = ", ".join(f"'{m[1]}'" for m in MODELS)
    writers = ", ".join(str(int(m[4])) for m in MODELS)
    con.execute(f"""
        COPY (
            SELECT i AS Row,
                   TIMESTAMPTZ '2026-10-01' + to_seconds((hash(i) % {DAYS * 86400})::BIGINT) AS UsagePeriodStart,
                   'request' AS Grain, [{sellers}][m] AS ServiceProviderName, [{models}][m] AS ModelId,
                   NULL::VARCHAR AS ModelVersion, 'standard' AS ServiceTier, 'Global' AS ServingRegion,
                   'project-' || (hash(i + 1) % {PROJECTS}) AS SubAccountId,
                   ('{{"team": "team-' || (hash(i + 2) % {TEAMS}) || '"}}')::JSON AS Tags,
                   CASE WHEN hash(i + 3) % 50 = 0 THEN 180000 + hash(i + 4) % 200000 ELSE 100 + hash(i + 4) % 8000 END
                       ::BIGINT AS InputUncachedTokens,
                   (hash(i + 5) % 4000)::BIGINT AS CacheReadTokens,
                   (([{writers}][m]) * (hash(i + 6) % 500))::BIGINT AS CacheWrite5mTokens,
                   (hash(i + 7) % 1500)::BIGINT AS OutputTokens, 1::BIGINT AS Requests
            FROM (SELECT i, 1 + (hash(i + 8) % {len(MODELS)})::INTEGER AS m FROM range({rows}) AS r(i))
        ) TO '{file}' (FORMAT parquet)
    """)
    con.close()


def ours(file: Path, rows: int, plans: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Rows per second of one pricing, best of three, and the seconds of all plans."""
    prices = book.load()

    def run(what: list[Plan], by: tuple[str, ...]) -> float:
        connection = engine.connect()
        usage = ibis.duckdb.from_connection(connection).read_parquet(str(file))
        start, cpu = time.perf_counter(), time.process_time()
        results = reprice_each(usage, prices.table, what, digest=prices.digest, by=by)
        seconds = time.perf_counter() - start
        say(f"{len(what)} plans by {', '.join(by)}: {seconds:.2f} s, {time.process_time() - cpu:.2f} s of processor")
        connection.close()
        if any(r.unpriced for r in results):
            say(f"unpriced: {[f.record() for r in results for f in r.unpriced][:3]}")
        return seconds

    single = min(run([AS_USED], BY) for _ in range(3))
    with_tag = run([AS_USED], (*BY, "tag:team"))
    what_if = run([what_if_plan(n) for n in range(plans)], BY)
    say(f"ours: {rows:,} rows in {single:.2f} s, with a tag {with_tag:.2f} s, {plans} plans {what_if:.2f} s")
    return {
        "rows_per_second": round(rows / single),
        "rows_per_second_with_tag": round(rows / with_tag),
        "plans": plans,
        "seconds_of_plans": round(what_if, 2),
    }


def what_if_plan(number: int) -> Plan:
    """A plan with a share of its own: routing, caching and batch."""
    share = f"{0.05 * (number % 20):.2f}"
    return parse_plan(f"""
        name = "plan {number}"
        [[lever]]
        action = "route"
        where = {{ provider = "OpenAI", model = "gpt-5.5" }}
        share = {share}
        to = {{ provider = "OpenAI", model = "gpt-4.1-mini" }}
        [[lever]]
        action = "cache"
        where = {{ provider = "Anthropic" }}
        reads = {share}
        writes = 0.04
        lifetime = "5m"
    """)


def peers(file: Path, size: int, our_rate: float, say: Callable[[str], None]) -> dict[str, Any]:
    """Both peers on a sample of the same rows, and parity with genai-prices."""
    con = duckdb.connect()
    con.execute("SET TimeZone = 'UTC'")
    found = con.execute(f"SELECT * FROM '{file}' ORDER BY hash(Row) LIMIT {size}").to_arrow_table().to_pylist()
    genai, costs = timed(found, genai_calls, say)
    lite, _ = timed(found, litellm_calls, say)
    mismatches = parity(file, size, found, costs, say) if costs else None
    return {
        "sample": len(found),
        "genai_prices_per_second": genai and round(genai),
        "litellm_per_second": lite and round(lite),
        "ratio_genai_prices": genai and round(our_rate / genai, 1),
        "ratio_litellm": lite and round(our_rate / lite, 1),
        "parity_mismatches": mismatches,
    }


def timed(
    rows: list[dict[str, Any]],
    calls: Callable[[list[dict[str, Any]]], list[Callable[[], Any]]],
    say: Callable[[str], None],
) -> tuple[float | None, list[Any]]:
    """Calls per second, best of three, and what they return; None where the peer is not installed."""
    try:
        prepared = calls(rows)
    except ImportError as error:
        say(f"{error.name} is not installed; its ratio is null")
        return None, []
    results = [call() for call in prepared]
    best = min(_seconds(prepared) for _ in range(3))
    return len(prepared) / best, results


def _seconds(calls: list[Callable[[], Any]]) -> float:
    start = time.perf_counter()
    for call in calls:
        call()
    return time.perf_counter() - start


def genai_calls(rows: list[dict[str, Any]]) -> list[Callable[[], Any]]:
    """`calc_price` of each row; building the usage is a part of the work, as it is of ours."""
    from genai_prices import Usage, calc_price  # noqa: PLC0415

    names = {(m[0], m[1]): (m[2], m[3]) for m in MODELS}

    def call(row: dict[str, Any]) -> Decimal:
        provider, model = names[row["ServiceProviderName"], row["ModelId"]]
        usage = Usage(
            input_tokens=row["InputUncachedTokens"] + row["CacheReadTokens"] + row["CacheWrite5mTokens"],
            cache_read_tokens=row["CacheReadTokens"],
            cache_write_tokens=row["CacheWrite5mTokens"],
            output_tokens=row["OutputTokens"],
        )
        at = row["UsagePeriodStart"]
        return calc_price(usage, model, provider_id=provider, genai_request_timestamp=at).total_price

    return [lambda row=row: call(row) for row in rows]


def litellm_calls(rows: list[dict[str, Any]]) -> list[Callable[[], Any]]:
    """`cost_per_token` of each row with a usage object."""
    import litellm  # noqa: PLC0415  # pyright: ignore[reportMissingImports] - no part of the product
    from litellm.types.utils import PromptTokensDetailsWrapper, Usage  # noqa: PLC0415  # pyright: ignore[reportMissingImports]

    names = {(m[0], m[1]): ("gemini" if m[2] == "google" else m[2], m[3]) for m in MODELS}

    def call(row: dict[str, Any]) -> float:
        provider, model = names[row["ServiceProviderName"], row["ModelId"]]
        whole = row["InputUncachedTokens"] + row["CacheReadTokens"] + row["CacheWrite5mTokens"]
        details = PromptTokensDetailsWrapper(
            cached_tokens=row["CacheReadTokens"], cache_creation_tokens=row["CacheWrite5mTokens"]
        )
        usage = Usage(
            prompt_tokens=whole,
            completion_tokens=row["OutputTokens"],
            total_tokens=whole + row["OutputTokens"],
            prompt_tokens_details=details,
        )
        return sum(litellm.cost_per_token(model=model, custom_llm_provider=provider, usage_object=usage))

    return [lambda row=row: call(row) for row in rows]


def parity(file: Path, size: int, rows: list[dict[str, Any]], theirs: list[Decimal], say: Callable[[str], None]) -> int:
    """Sampled rows whose cost differs from genai-prices' in any digit; each row is a project of its own for it."""
    connection = engine.connect()
    connection.execute(f"""
        CREATE TEMP TABLE sample AS SELECT * REPLACE (Row::VARCHAR AS SubAccountId)
        FROM (SELECT * FROM '{file}' ORDER BY hash(Row) LIMIT {size})
    """)
    prices = book.load()
    usage = ibis.duckdb.from_connection(connection).table("sample")
    (result,) = reprice_each(usage, prices.table, [AS_USED], digest=prices.digest, by=["project"])
    ours_ = {row.dimensions["project"]: row.planned.amount for row in result.rows if row.planned}
    different = 0
    for row, cost in zip(rows, theirs, strict=True):
        own = ours_.get(str(row["Row"]))
        if own is None or own != cost:
            different += 1
            say(f"differs: {row['ServiceProviderName']} {row['ModelId']}: ours {own}, genai-prices {cost}")
    connection.close()
    return different


if __name__ == "__main__":
    main()
