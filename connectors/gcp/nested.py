"""What both exports nest inside a row: credits, labels and tags; and how a row says what was mended on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import ibis

from connectors.expressions import Document, Record, Records, Text, Truth, Value, array, cases, literal

PROVIDER: Final = "Google Cloud"
#: `consumption_model.id` of usage that no commitment covers.
DEFAULT_MODEL: Final = "7754-699E-0EBF"

_FEE_OFFSET: Final = "FEE_UTILIZATION_OFFSET"
_SPEND_BASED: Final = ("COMMITTED_USAGE_DISCOUNT_DOLLAR_BASE", _FEE_OFFSET)
_USAGE_BASED: Final = "COMMITTED_USAGE_DISCOUNT"


def each(records: Records, field: str) -> Records:
    """One field of every record of a list."""

    def of(record: Record) -> Value:
        return record[field]

    return records.map(of)


@dataclass(frozen=True, slots=True)
class Commitment:
    """What a row says about committed-use discounts, each part a column expression.

    `credits` is the list of credits; `id_key`, `name_key` and `type_key` are how the export spells its fields.
    """

    credits: Records
    sku: Text
    subscription: Text
    model_id: Text
    model: Text
    id_key: str = "id"
    name_key: str = "full_name"
    type_key: str = "type"

    @property
    def credit(self) -> Record:
        """The row's first committed-use credit; NULL where it has none."""
        types = (*_SPEND_BASED, _USAGE_BASED)

        def is_committed(credit: Record) -> Truth:
            return credit[self.type_key].isin(types)

        return self.credits.filter(is_committed)[0]

    @property
    def is_fee(self) -> Truth:
        """Whether the row is a commitment's fee: its SKU says so, or a credit offsets the fee."""
        offset = each(self.credits, self.type_key).contains(_FEE_OFFSET).fill_null(False)
        return offset | self.sku.lower().startswith("commitment").fill_null(False)

    @property
    def by_model(self) -> Truth:
        """Whether a consumption model other than the default one priced the row."""
        other = (self.model_id != DEFAULT_MODEL).fill_null(True) & (self.model.lower() != "default").fill_null(True)
        return self.model_id.coalesce(self.model).notnull() & other

    @property
    def covers(self) -> Truth:
        """Whether a commitment covers or is the row."""
        return self.by_model | self.is_fee | self.credit.notnull()

    def columns(self) -> dict[str, Value]:
        """The CommitmentDiscount columns; all NULL for a row that names no commitment."""
        credit = self.credit
        type_ = credit[self.type_key]
        id_ = self.subscription.coalesce(credit[self.id_key])
        category = cases(
            (type_.isin(_SPEND_BASED), "Spend"), (type_ == _USAGE_BASED, "Usage"), (self.by_model, "Spend")
        )
        kind = cases((type_.notnull(), type_), (self.by_model, self.model))
        return {
            "CommitmentDiscountId": id_,
            "CommitmentDiscountName": cases((id_.notnull(), credit[self.name_key])),
            "CommitmentDiscountCategory": cases((id_.notnull(), category)),
            "CommitmentDiscountType": cases((id_.notnull(), kind)),
        }


def charge_frequency(category: Text, is_fee: Truth) -> Text:
    """Usage-Based for usage, Recurring for a commitment's fee, One-Time for taxes, adjustments and roundings."""
    once = category.isin(["Tax", "Adjustment", "Credit"])
    return cases((category == "Usage", "Usage-Based"), (is_fee, "Recurring"), (once, "One-Time"))


def tags_object(kinds: Mapping[str, Records], key: str = "key", value: str = "value") -> Document:
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
    return cases((members.length() > 0, literal("{") + members.join(",") + "}")).cast("json")


def namespaced(tags: Records, key: str, value: str, namespace: str) -> Records:
    """Tags whose keys carry their namespace: a key is unique only within one."""

    def named(tag: Record) -> Record:
        space = (tag[namespace].nullif("") + "/").fill_null("")
        return ibis.struct({key: space + tag[key], value: tag[value]})

    return tags.map(named)


def _members(kind: str, records: Records, key: str, value: str) -> Records:
    def member(record: Record) -> Text:
        return _quoted(literal(f"{kind}/") + record[key]) + ":" + _quoted(record[value].fill_null(""))

    def has_key(record: Record) -> Truth:
        return record[key].notnull()

    return records.filter(has_key).map(member).fill_null(literal([], type="array<string>"))


def _quoted(text: Text) -> Text:
    """A JSON string: the only cast that quotes a text instead of reading it as JSON is that of a list."""
    listed = array([text]).cast("json").cast("string")
    return listed.substr(1, listed.length() - 2)


def repairs(notes: Mapping[str, Truth]) -> Text:
    """The notes whose condition holds, comma-separated; NULL where none does."""
    written = [cases((condition, f"{note}, "), else_="") for note, condition in notes.items()]
    whole = written[0]
    for note in written[1:]:
        whole = whole + note
    return whole.re_replace(r", $", "").nullif("")
