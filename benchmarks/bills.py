"""Synthetic bills of any size for the benchmarks: a month of FOCUS charges or of CUR 2.0 lines."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from ledger import engine

#: Kinds of bill: FOCUS with decimals, with doubles, as CSV; CUR 2.0 with its maps and doubles.
KINDS: Final = ("decimal", "double", "csv", "cur2")

_ROWS: Final = """
WITH r AS (SELECT range AS i, hash(range) AS h, hash(range + 77) AS h2 FROM range({first}, {last})),
c AS (
  SELECT i, h, h2, (h % 40)::INTEGER AS s, (h2 % 30)::INTEGER AS a, (h % 4000)::INTEGER AS sku,
    ((h2 % 100000) + 1)::DECIMAL(18,3) AS q, ((h % 900) + 100)::DECIMAL(9,6) / 1000000 AS price_,
    TIMESTAMPTZ '2026-10-01 00:00:00Z' + INTERVAL 1 HOUR * (h2 % 744)::INTEGER AS t
  FROM r),
p AS (SELECT *, (((h % 900) + 100)::DECIMAL(18,6) * 0.000001::DECIMAL(9,6))::DECIMAL(18,9) AS price FROM c),
m AS (SELECT *, (q * price)::DECIMAL(18,9) AS cost FROM p)
"""

_FOCUS: Final = """
SELECT 'us-east-1a' AS AvailabilityZone, cost{money} AS BilledCost, '10000000000' || (a % 3) AS BillingAccountId,
  'Account ' || (a % 3) AS BillingAccountName, 'USD' AS BillingCurrency,
  TIMESTAMPTZ '2026-11-01 00:00:00Z' AS BillingPeriodEnd, TIMESTAMPTZ '2026-10-01 00:00:00Z' AS BillingPeriodStart,
  'Usage' AS ChargeCategory, NULL::VARCHAR AS ChargeClass, 'Charge for SKU ' || sku AS ChargeDescription,
  'Usage-Based' AS ChargeFrequency, t + INTERVAL 1 HOUR AS ChargePeriodEnd, t AS ChargePeriodStart,
  NULL::VARCHAR AS CommitmentDiscountCategory, NULL::VARCHAR AS CommitmentDiscountId,
  NULL::VARCHAR AS CommitmentDiscountName, NULL::VARCHAR AS CommitmentDiscountStatus,
  NULL::VARCHAR AS CommitmentDiscountType, q{money} AS ConsumedQuantity,
  CASE WHEN s = 0 THEN 'Tokens' ELSE 'Hours' END AS ConsumedUnit, cost{money} AS ContractedCost,
  price{money} AS ContractedUnitPrice, cost{money} AS EffectiveCost, 'AWS' AS InvoiceIssuerName,
  cost{money} AS ListCost, price{money} AS ListUnitPrice, 'Standard' AS PricingCategory, q{money} AS PricingQuantity,
  CASE WHEN s = 0 THEN 'Tokens' ELSE 'Hours' END AS PricingUnit, 'AWS' AS ProviderName, 'AWS' AS PublisherName,
  'us-east-' || (a % 4) AS RegionId, 'US East ' || (a % 4) AS RegionName,
  'arn:aws:ec2:us-east-1:1234:instance/i-' || (h % 100000) AS ResourceId, NULL::VARCHAR AS ResourceName,
  'instance' AS ResourceType,
  CASE WHEN s = 0 THEN 'AI and Machine Learning' ELSE ['Compute', 'Storage', 'Networking', 'Databases'][1 + s % 4] END
    AS ServiceCategory,
  'Service ' || s AS ServiceName, 'SKU' || sku AS SkuId, 'PRICE' || sku AS SkuPriceId,
  CASE WHEN s = 0 THEN '{{"ModelDeveloper":"Anthropic","ModelFamily":"Claude","ModelId":"claude-sonnet-4-' || (h2 % 6)
    || '","TokenDirection":"Input","TokenCacheAction":"Uncached"}}' END AS SkuPriceDetails,
  'sub' || a AS SubAccountId, 'Sub account ' || a AS SubAccountName,
  '{{"team":"t' || (h2 % 20) || '","env":"prod"}}' AS Tags
FROM m
"""

_CUR2: Final = """
SELECT 'Anniversary' AS bill_bill_type, 'AWS' AS bill_billing_entity,
  TIMESTAMP '2026-11-01 00:00:00' AS bill_billing_period_end_date,
  TIMESTAMP '2026-10-01 00:00:00' AS bill_billing_period_start_date, 'inv-1' AS bill_invoice_id,
  'Amazon Web Services, Inc.' AS bill_invoicing_entity, '10000000000' || (a % 3) AS bill_payer_account_id,
  'Payer ' || (a % 3) AS bill_payer_account_name, 'us-east-1a' AS line_item_availability_zone,
  'USD' AS line_item_currency_code, 'Amazon Web Services, Inc.' AS line_item_legal_entity,
  'Charge for SKU ' || sku AS line_item_line_item_description,
  CASE WHEN h2 % 500 = 0 THEN 'Credit' WHEN h2 % 500 = 1 THEN 'Tax' ELSE 'Usage' END AS line_item_line_item_type,
  ['RunInstances', 'PutObject', 'GetObject', 'Invoke', 'Hourly'][1 + s % 5] AS line_item_operation,
  CASE WHEN s = 0 THEN 'AmazonBedrock' ELSE ['AmazonEC2', 'AmazonS3', 'AmazonRDS', 'AWSLambda'][1 + s % 4] END
    AS line_item_product_code,
  'arn:aws:ec2:us-east-1:1234:instance/i-' || (h % 100000) AS line_item_resource_id,
  cost::DOUBLE AS line_item_unblended_cost, price::VARCHAR AS line_item_unblended_rate,
  'sub' || a AS line_item_usage_account_id, 'Sub account ' || a AS line_item_usage_account_name,
  q::DOUBLE AS line_item_usage_amount, (t + INTERVAL 1 HOUR)::TIMESTAMP AS line_item_usage_end_date,
  t::TIMESTAMP AS line_item_usage_start_date,
  CASE WHEN s = 0 THEN 'USE1-Claude4.6Sonnet-input-tokens' ELSE 'USE1-BoxUsage:m5.' || (sku % 20) END
    AS line_item_usage_type,
  cost::DOUBLE AS pricing_public_on_demand_cost, price::VARCHAR AS pricing_public_on_demand_rate,
  'RATE' || sku AS pricing_rate_code, 'OnDemand' AS pricing_term,
  CASE WHEN s = 0 THEN '1K tokens' ELSE 'Hrs' END AS pricing_unit,
  MAP {{'product_name': 'Service ' || s, 'region': 'us-east-1'}} AS product,
  'us-east-1' AS product_region_code, 'US East (N. Virginia)' AS product_location, 'SKU' || sku AS product_sku,
  'Amazon Service ' || s AS product_servicename, NULL::VARCHAR AS reservation_reservation_a_r_n,
  NULL::DOUBLE AS reservation_effective_cost, NULL::VARCHAR AS savings_plan_savings_plan_a_r_n,
  NULL::DOUBLE AS savings_plan_savings_plan_effective_cost,
  NULL::DOUBLE AS savings_plan_total_commitment_to_date, NULL::DOUBLE AS savings_plan_used_commitment,
  MAP {{'user_team': 't' || (h2 % 20), 'user_env': 'prod'}} AS resource_tags,
  MAP {{'cost_center': 'c' || (a % 5)}} AS cost_category, '1' AS identity_line_item_id,
  '2026-10-01T00:00:00Z/2026-10-01T01:00:00Z' AS identity_time_interval
FROM m
"""


def write(path: Path, kind: str, rows: int, *, first: int = 0) -> Path:
    """Write a bill of one kind; the same arguments give the same rows."""
    connection = engine.connect(spill=path.parent / "spill", memory_limit="2GB")
    money = "::DOUBLE" if kind == "double" else ""
    select = _ROWS.format(first=first, last=first + rows) + (_CUR2 if kind == "cur2" else _FOCUS).format(money=money)
    options = "FORMAT csv, HEADER" if kind == "csv" else "FORMAT parquet"
    connection.execute(f"COPY ({select}) TO '{path}' ({options})")
    connection.close()
    return path
