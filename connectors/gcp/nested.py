"""What both exports nest inside a row: credits, labels and tags; and how a row says what was mended on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis
import ibis.expr.types as ir

PROVIDER: Final = "Google Cloud"
#: `consumption_model.id` of usage that no commitment covers.
DEFAULT_MODEL: Final = "7754-699E-0EBF"

_FEE_OFFSET: Final = "FEE_UTILIZATION_OFFSET"
_SPEND_BASED: Final = ("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", _FEE_OFFSET)
_USAGE_BASED: Final = "COMMITTED_USAGE_DISCOUNT"


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a row says about committed-use discounts, each part a column expression.

    `credits` is the list of credits; `id_key`, `name_key` and `type_key` are how the export spells its fields.
    """

    credits: ir.ArrayValue
    sku: ir.StringValue
    subscription: ir.StringValue
    model_id: ir.StringValue
    model: ir.StringValue
    id_key: str = "id"
    name_key: str = "full_name"
    type_key: str = "type"

    @property
    def credit(self) -> ir.StructValue:
        """The row's first committed-use credit; NULL where it has none."""
        types = (*_SPEND_BASED, _USAGE_BASED)
        return self.credits.filter(lambda credit: credit[self.type_key].isin(types))[0]

    @property
    def is_fee(self) -> ir.BooleanValue:
        """Whether the row is a commitment's fee: its SKU says so, or a credit offsets the fee."""
        offset = self.credits.map(lambda credit: credit[self.type_key]).contains(_FEE_OFFSET).fill_null(False)
        return offset | self.sku.lower().startswith("commitment").fill_null(False)

    @property
    def by_model(self) -> ir.BooleanValue:
        """Whether a consumption model other than the default one priced the row."""
        other = (self.model_id != DEFAULT_MODEL).fill_null(True) & (self.model.lower() != "default").fill_null(True)
        return self.model_id.coalesce(self.model).notnull() & other

    @property
    def covers(self) -> ir.BooleanValue:
        """Whether a commitment covers or is the row."""
        return self.by_model | self.is_fee | self.credit.notnull()

    def columns(self) -> dict[str, ir.Value]:
        """The CommitmentDiscount columns; all NULL for a row that names no commitment."""
        credit = self.credit
        type_ = credit[self.type_key]
        id_ = self.subscription.coalesce(credit[self.id_key])
        category = ibis.cases(
            (type_.isin(_SPEND_BASED), "Spend"), (type_ == _USAGE_BASED, "Usage"), (self.by_model, "Spend")
        )
        kind = ibis.cases((type_.notnull(), type_), (self.by_model, self.model))
        return {
            "CommitmentDiscountId": id_,
            "CommitmentDiscountName": ibis.cases((id_.notnull(), credit[self.name_key])),
            "CommitmentDiscountCategory": ibis.cases((id_.notnull(), category)),
            "CommitmentDiscountType": ibis.cases((id_.notnull(), kind)),
        }


def charge_frequency(category: ir.StringValue, is_fee: ir.BooleanValue) -> ir.StringValue:
    """Usage-Based for usage, Recurring for a commitment's fee, One-Time for taxes, adjustments and roundings."""
    once = category.isin(["Tax", "Adjustment", "Credit"])
    return ibis.cases((category == "Usage", "Usage-Based"), (is_fee, "Recurring"), (once, "One-Time"))


def tags_object(kinds: Mapping[str, ir.ArrayValue], key: str = "key", value: str = "value") -> ir.JSONValue:
    """One JSON object out of lists of key and value, `{"label/team": "search", "system_label/...": "8"}`.

    Args:
        kinds: prefix of the keys to list of records.
        key: field of a record that holds its key.
        value: field of a record that holds its value.

    Returns:
        The object; NULL where every list is empty.
    """
    lists = [_members(kind, list_, key, value) for kind, list_ in kinds.items()]
    members = lists[0].concat(*lists[1:])
    return ibis.cases((members.length() > 0, ibis.literal("{") + members.join(",") + "}")).cast("json")


def namespaced(tags: ir.ArrayValue, key: str, value: str, namespace: str) -> ir.ArrayValue:
    """Tags whose keys carry their namespace: a key is unique only within one."""

    def named(tag: ir.StructValue) -> ir.StructValue:
        space = (tag[namespace].nullif("") + "/").fill_null("")
        return ibis.struct({key: space + tag[key], value: tag[value]})

    return tags.map(named)


def _members(kind: str, records: ir.ArrayValue, key: str, value: str) -> ir.ArrayValue:
    def member(record: ir.StructValue) -> ir.StringValue:
        return _quoted(ibis.literal(f"{kind}/") + record[key]) + ":" + _quoted(record[value].fill_null(""))

    named = records.filter(lambda record: record[key].notnull()).map(member)
    return named.fill_null(ibis.literal([], type="array<string>"))


def _quoted(text: ir.StringValue) -> ir.StringValue:
    """A JSON string: the only cast that quotes a text instead of reading it as JSON is that of a list."""
    listed = ibis.array([text]).cast("json").cast("string")
    return listed.substr(1, listed.length() - 2)


def repairs(notes: Mapping[str, ir.BooleanValue]) -> ir.StringValue:
    """The notes whose condition holds, comma-separated; NULL where none does."""
    written = [ibis.cases((condition, f"{note}, "), else_="") for note, condition in notes.items()]
    whole = written[0]
    for note in written[1:]:
        whole = whole + note
    return whole.re_replace(r", $", "").nullif("")
