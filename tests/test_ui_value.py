"""The Value page: a saving with its interval from a stored proof, and the way there before there is one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from accounts.home import Settings, lake_address
from accounts.signin import Protection
from connectors.importing import import_files
from ledger.lake import Lake
from reports.records import ProofRecord, Store, new_id
from tests.e2e.driver import write_bill
from ui import running, value_data, value_figures, value_page

#: Two days of each period: 1 M tokens for $12 before, and for $9 after.
DAYS = [
    ("2026-04-01", "baseline", "12", None),
    ("2026-04-02", "baseline", "12", None),
    ("2026-05-01", "reporting", "9", ("12", "11", "13")),
    ("2026-05-02", "reporting", "9", ("12", "11", "13")),
]


def claim(**changes: Any) -> dict[str, Any]:
    """The page's part of a claim, by hand: $24 without the change, $18 with it, and a fee of $1."""
    days = [
        {
            "date": day,
            "part": part,
            "cost": cost,
            "as_billed": cost,
            "driver": "1000",
            "price_per_token": "0.000012",
            "tokens_per_driver": "1000",
            "expected": expected and expected[0],
            "expected_low": expected and expected[1],
            "expected_high": expected and expected[2],
        }
        for day, part, cost, expected in DAYS
    ]
    return {
        "figures": {"counterfactual": "24", "actual": "18"},
        "method": {"confidence": "0.9"},
        "intervention": {"first_day": "2026-04-20", "note": "Routed to a smaller model", "kind": "routing"},
        "other_changes": [{"first_day": "2026-04-25", "note": "", "kind": "vendor price"}],
        "fee": [{"text": "Fee", "amount": "1"}],
        "shares": [],
        "guard_rails": [
            {"measure": "latency_ms", "state": "not worse", "sentence": "Latency 100 ms before, 101 ms after."},
            {"measure": "pass_rate", "state": "not assessed", "sentence": "No evaluations are loaded."},
        ],
        "days": days,
        "provisional_periods": [],
        "warnings": ["Three days are missing."],
        "refusals": [],
        "synthetic": False,
    } | changes


@pytest.fixture
def settings(tmp_path: Path) -> Iterator[Settings]:
    settings = Settings(home=tmp_path / "home")
    running.configure(running.Running(settings, "default", Protection.NONE))
    st.cache_data.clear()
    st.cache_resource.clear()
    with Lake(lake_address(settings, "default")) as lake:
        import_files(lake, [str(write_bill(tmp_path / "bill.csv"))])
    yield settings
    st.cache_data.clear()
    st.cache_resource.clear()


def keep(settings: Settings, state: str, **changes: Any) -> None:
    record = {
        "id": new_id(),
        "workspace": "default",
        "question": "What did routing avoid?",
        "state": state,
        "reason": "April may still be restated." if state == "provisional" else "",
        "proof_class": "prospective",
        "tier": "T3",
        "currency": "USD",
        "point": "6",
        "low": "5",
        "high": "7",
        "claim": json.dumps(claim()),
        "document": None,
        "cited": [],
        "row_digest": "0" * 64,
        "superseded_by": None,
        "created_at": "2026-06-01T00:00:00Z",
    }
    Store(settings, str((record | changes)["workspace"])).add_proof(ProofRecord(**(record | changes)))


def draw() -> None:
    from ui.value_page import PAGE  # noqa: PLC0415 - the function is a script of its own

    PAGE()


def page() -> Any:
    app = AppTest.from_function(draw, default_timeout=60).run()
    assert not app.exception
    return app


def cards(app: Any) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in app.metric}


def test_a_verified_saving_stands_with_its_interval_fee_and_return(settings: Settings) -> None:
    keep(settings, "verified")
    shown = cards(page())
    assert shown["Verified saving"] == ("$6.00", "90% interval $5.00 to $7.00")
    assert shown["Cost per 1M tokens"] == ("$9.00", "from $12.00, \u221225.0%")
    assert shown["Performance"] == ("1 of 1 not worse", "against stated margins")
    assert shown["Fee"] == ("$1.00", "from the lower bound alone")
    # (6 - 1) / 1, and the same of 5 and 7.
    assert shown["Return on the fee"] == ("500.0%", "400.0% to 600.0%")
    # Models are AI: 60 days of 9.00, and 12.50.
    assert shown["AI spend"][0] == "$552.50"


@pytest.mark.usefixtures("settings")
def test_without_a_proof_there_are_five_steps_and_no_zero() -> None:
    app = page()
    shown = cards(app)
    assert shown["Verified saving"] == ("\u2014", "no proof is verified yet")
    steps = [text.value for text in app.markdown if "**" in text.value]
    assert [n for n in "12345" if any(f"**{n}." in step for step in steps)] == list("12345")
    assert "Done" in next(step for step in steps if "**1." in step)
    assert "Open" in next(step for step in steps if "**5." in step)
    assert "$0.00" not in str(shown)


def test_a_refused_proof_is_listed_with_its_reason_and_shows_no_saving(settings: Settings) -> None:
    keep(settings, "not verified", reason="The interval reaches zero.")
    app = page()
    assert cards(app)["Verified saving"] == ("\u2014", "no proof is verified yet")
    assert "reaches zero" in app.table[0].value.to_string()


def test_a_provisional_proof_says_so_where_its_figure_stands(settings: Settings) -> None:
    keep(settings, "provisional")
    app = page()
    assert "Verified saving" not in cards(app)
    assert cards(app)["Saving, provisional"][0] == "$6.00"
    assert any("April may still be restated" in caption.value for caption in app.caption)


def test_savings_of_two_proofs_are_never_added_up(settings: Settings) -> None:
    keep(settings, "verified")
    keep(settings, "verified", question="What did caching avoid?", point="4", low="3", high="5")
    app = page()
    assert cards(app)["Verified saving"][0] in {"$6.00", "$4.00"}
    assert len(next(box for box in app.selectbox if box.label == "Proof").options) == 2


def test_proofs_of_another_workspace_are_not_seen(settings: Settings) -> None:
    keep(settings, "verified", workspace="other")
    assert value_data.proofs("default") == []
    assert len(value_data.proofs("other")) == 1


def test_the_bridge_adds_up_and_ends_with_the_fee() -> None:
    proof = value_data.read(claim())
    one = value_data.Listed(
        "i", "q", "verified", "", "prospective", "T3", "USD", *map(Decimal, ("6", "5", "7")), "2026"
    )
    lines = value_page.steps(one, proof)
    assert [(line.name, line.amount) for line in lines] == [
        ("Without the change", Decimal(24)),
        ("Saving", Decimal(-6)),
        ("Actual", Decimal(18)),
        ("Fee", Decimal(1)),
        ("With the fee", Decimal(19)),
    ]
    shared = value_data.read(claim(shares=[{"note": "a", "shapley": "4"}, {"note": "b", "shapley": "2"}]))
    assert [line.amount for line in value_page.steps(one, shared)[1:3]] == [Decimal(-4), Decimal(-2)]


def test_a_day_without_tokens_makes_no_price_of_a_token() -> None:
    days = claim()["days"]
    days[3]["tokens_per_driver"] = None
    proof = value_data.read(claim(days=days))
    assert proof.per_million == (Decimal(12), None)


def test_the_trend_marks_what_was_changed_and_what_may_change() -> None:
    proof = value_data.read(claim(provisional_periods=["2026-05-01"]))
    assert proof.marks == ((date(2026, 4, 20), "Routed to a smaller model"), (date(2026, 4, 25), "vendor price"))
    spec = value_figures.trend(proof, "USD", "Sample")
    texts = [row["text"] for layer in spec["layer"] for row in layer.get("data", {}).get("values", []) if "text" in row]
    assert texts == ["Routed to a smaller model", "vendor price", "Routed to a smaller model"]
    assert any(layer["mark"]["type"] == "rect" for layer in spec["layer"])
    assert spec["title"]["text"] == "Sample"
