"""Which way a change points, and whether that is good."""

from streamlit.proto.Metric_pb2 import Metric
from streamlit.testing.v1 import AppTest


def drawn() -> None:
    from decimal import Decimal  # noqa: PLC0415 - the function is a script of its own

    from reports import numbers  # noqa: PLC0415
    from ui import cards  # noqa: PLC0415

    told = cards.Told("Sum.", "spend")
    for label, moved in (("up", "0.1"), ("down", "-0.1"), ("same", "0")):
        change = Decimal(moved)
        cards.show(label, "$1", told, numbers.percent(change, sign=True), moved=change, beside="from $2")
    cards.show("none", None, told, "unknown")


def test_more_cost_points_up_in_red_and_less_points_down_in_green() -> None:
    app = AppTest.from_function(drawn, default_timeout=60).run()
    assert not app.exception
    shown = {card.label: card.proto for card in app.metric}
    ways = {label: (proto.delta, proto.color, proto.direction) for label, proto in shown.items()}
    up, down, none = Metric.MetricDirection.UP, Metric.MetricDirection.DOWN, Metric.MetricDirection.NONE
    red, green, grey = Metric.MetricColor.RED, Metric.MetricColor.GREEN, Metric.MetricColor.GRAY
    assert ways["up"] == ("+10.0%", red, up)
    assert ways["down"] == ("\u221210.0%", green, down)
    assert ways["same"] == ("0.0%", grey, none)
    assert ways["none"] == ("unknown", grey, none)
    assert shown["none"].body == "—"
