# ruff: noqa: S608 - the texts put together are this project's own; values are parameters
"""The columns of a FOCUS 1.2 export, and the queries that make them of the ledger.

An export has every column of FOCUS 1.2 by name, then this app's own, which begin with x_. Facts
that this ledger cannot know stay null: the account's name, an invoice, discounts, reservations.
"""

from enum import StrEnum

from costs.pricing.prices import STORAGE_METERS, TRANSFER_METER, StorageKind
from replication.domain.region_snapshot import shipped_catalog

FOCUS_VERSION = "1.2"


class Granularity(StrEnum):
    """How long a charge period is."""

    DAY = "day"
    MONTH = "month"


# A quantity has 15 digits after the point, so that a price times it gives the cost to 12. DuckDB
# divides decimals as floats; whole numbers of 10⁻¹⁵ GB it divides exactly, up to 10¹² GB.
_QUANTITY = "DECIMAL(38,15)"
_COST = "DECIMAL(38,12)"
_MICRO = 1_000_000
_NANO = 1_000_000_000

_TEXT = "NULL::VARCHAR"
_NUMBER = f"NULL::{_COST}"


def _word(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _by_kind(words: dict[StorageKind, str], otherwise: str) -> str:
    """Return the expression that tells the kinds of storage apart."""
    types = {
        StorageKind.STANDARD: "standard_lrs",
        StorageKind.ZONE_REDUNDANT: "standard_zrs",
        StorageKind.PREMIUM: "premium_lrs",
    }
    arms = " ".join(f"WHEN {_word(types[kind])} THEN {_word(to)}" for kind, to in words.items())
    return f"(CASE lower(storage_account_type) {arms} ELSE {otherwise} END)"


def _region_name() -> str:
    """Return the expression for what a region is called in print, its short name if unknown."""
    arms = " ".join(
        f"WHEN {_word(one.region.name)} THEN {_word(one.display_name)}"
        for one in shipped_catalog().details.values()
    )
    return f"(CASE charge_region {arms} ELSE charge_region END)"


_SKUS = {kind: f"{one.product}/{one.sku}" for kind, one in STORAGE_METERS.items()}
_METERS = {kind: one.name for kind, one in STORAGE_METERS.items()}
_DETAILS = {
    StorageKind.STANDARD: '{"DiskType":"HDD","Redundancy":"Local"}',
    StorageKind.ZONE_REDUNDANT: '{"DiskType":"HDD","Redundancy":"Zonal"}',
    StorageKind.PREMIUM: '{"DiskType":"SSD","Redundancy":"Local"}',
}

# What a charge takes from a ledger row; quantity15 is the priced quantity in 10⁻¹⁵ of its unit.
# Azure charges a transfer where it comes from, at that region's price.
_FIGURES = {
    "storage": {
        "cost": "storage_cost",
        "price": "unit_price",
        "quantity15": f"(gb::DECIMAL(38,6) * {_MICRO})::HUGEINT * replicas * {_NANO}",
        "divisor": "days_in_month",
        "consumed": f"gb::{_QUANTITY} * replicas",
        "charge_region": "region",
        "sku_meter_id": "meter_id",
        "price_on": "unit_price_on",
        "price_source": "unit_price_source",
    },
    "transfer": {
        "cost": "egress_cost",
        "price": "egress_unit_price",
        "quantity15": f"(egress_gb::DECIMAL(38,6) * {_MICRO})::HUGEINT * {_NANO}",
        "divisor": "1",
        "consumed": f"egress_gb::{_QUANTITY}",
        "charge_region": "home_region",
        "sku_meter_id": "egress_meter_id",
        "price_on": "egress_price_on",
        "price_source": "egress_price_source",
    },
}
# What a charge is called; made of the columns that _lines leaves.
_NAMES = {
    "storage": {
        "unit": "'GB-Months'",
        "consumed_unit": "'GB-Days'",
        "sku": _by_kind(_SKUS, "storage_account_type"),
        "meter": _by_kind(_METERS, "'Snapshots'"),
        "category": _word("Storage"),
        "details": _by_kind(_DETAILS, _TEXT),
        "words": "'keeping an image version as ' || storage_account_type || ' in ' || region",
        "per": "'GB and month'",
    },
    "transfer": {
        "unit": "'GB'",
        "consumed_unit": "'GB'",
        "sku": _word(f"{TRANSFER_METER.product}/{TRANSFER_METER.name}"),
        "meter": _word(TRANSFER_METER.name),
        "category": _word("Bandwidth"),
        "details": _TEXT,
        "words": "'copying an image version once from ' || home_region || ' to ' || region",
        "per": "'GB'",
    },
}
# Which rows have such a charge with all that it is made of.
STORAGE_KNOWN = "storage_cost IS NOT NULL AND unit_price IS NOT NULL AND gb IS NOT NULL"
TRANSFER_KNOWN = (
    "egress_cost IS NOT NULL AND egress_unit_price IS NOT NULL AND egress_gb IS NOT NULL"
)
_KNOWN = {"storage": STORAGE_KNOWN, "transfer": TRANSFER_KNOWN}

# What tells the charges of a month apart. The rest is told as on the last day, of which there is
# one row: with wide keys a month of 100,000 replicas would not fit into memory.
_KEYS = (
    *("version_key", "region", "home_region", "currency", "storage_account_type", "lab"),
    *("cost_center", "price", "charge_region"),
)
_TOLD = (
    *("image_version_id", "subscription_id", "resource_group", "gallery", "definition", "version"),
    *("geography", "managed", "job_id", "policy_fingerprint", "rule", "trigger", "why"),
    *("gb_basis", "gb_confidence", "state", "sku_meter_id", "price_on", "price_source"),
)

_SUBSCRIPTION = "'/subscriptions/' || subscription_id"
_TAGS = """(CASE
    WHEN lab IS NOT NULL AND cost_center IS NOT NULL
        THEN json_object('cost_center', cost_center, 'lab', lab)::VARCHAR
    WHEN lab IS NOT NULL THEN json_object('lab', lab)::VARCHAR
    WHEN cost_center IS NOT NULL THEN json_object('cost_center', cost_center)::VARCHAR
    END)"""
_PRICE_WORDS = "rtrim(rtrim(price::VARCHAR, '0'), '.')"
_DESCRIPTION = (
    "'Estimate by gallery-replicator, not a bill: ' || words || ', at ' || "
    f"{_PRICE_WORDS} || ' ' || currency || ' a ' || per"
)

# FOCUS column to expression, in the order of the export.
_FOCUS = {
    "AvailabilityZone": _TEXT,
    "BilledCost": "cost",
    "BillingAccountId": _SUBSCRIPTION,
    "BillingAccountName": _TEXT,
    "BillingAccountType": "'Subscription'",
    "BillingCurrency": "currency",
    "BillingPeriodEnd": "(last_day(first_day) + 1)::TIMESTAMP",
    "BillingPeriodStart": "date_trunc('month', first_day)::TIMESTAMP",
    "CapacityReservationId": _TEXT,
    "CapacityReservationStatus": _TEXT,
    "ChargeCategory": "'Usage'",
    "ChargeClass": _TEXT,
    "ChargeDescription": _DESCRIPTION,
    "ChargeFrequency": "'Usage-Based'",
    "ChargePeriodEnd": "period_end::TIMESTAMP",
    "ChargePeriodStart": "period_start::TIMESTAMP",
    "CommitmentDiscountCategory": _TEXT,
    "CommitmentDiscountId": _TEXT,
    "CommitmentDiscountName": _TEXT,
    "CommitmentDiscountQuantity": _NUMBER,
    "CommitmentDiscountStatus": _TEXT,
    "CommitmentDiscountType": _TEXT,
    "CommitmentDiscountUnit": _TEXT,
    "ConsumedQuantity": "consumed",
    "ConsumedUnit": "consumed_unit",
    "ContractedCost": "cost",
    "ContractedUnitPrice": "price",
    "EffectiveCost": "cost",
    "InvoiceId": _TEXT,
    "InvoiceIssuerName": "'Microsoft'",
    "ListCost": "cost",
    "ListUnitPrice": "price",
    "PricingCategory": "'Standard'",
    "PricingCurrency": "currency",
    "PricingCurrencyContractedUnitPrice": "price",
    "PricingCurrencyEffectiveCost": "cost",
    "PricingCurrencyListUnitPrice": "price",
    "PricingQuantity": "quantity",
    "PricingUnit": "unit",
    "ProviderName": "'Microsoft'",
    "PublisherName": "'Microsoft'",
    "RegionId": "charge_region",
    "RegionName": "charge_region",
    "ResourceId": "image_version_id",
    "ResourceName": "gallery || '/' || definition || '/' || version",
    "ResourceType": "'Microsoft.Compute/galleries/images/versions'",
    # Under what the FinOps toolkit's open data puts the resources of a gallery.
    "ServiceCategory": "'Compute'",
    "ServiceName": "'Virtual Machines'",
    "ServiceSubcategory": "'Virtual Machines'",
    "SkuId": "sku",
    "SkuMeter": "meter",
    "SkuPriceDetails": "details",
    "SkuPriceId": "coalesce(nullif(sku_meter_id, ''), sku || '/' || charge_region)",
    "SubAccountId": _SUBSCRIPTION,
    "SubAccountName": "subscription_id",
    "SubAccountType": "'Subscription'",
    "Tags": _TAGS,
}
_OWN = {
    "x_Charge": "charge",
    "x_Confidence": "gb_confidence",
    "x_DaysCharged": "days",
    "x_FirstDay": "first_day",
    "x_GbBasis": "gb_basis",
    "x_GbHigh": "gb_high",
    "x_GbLow": "gb_low",
    "x_Geography": "geography",
    "x_HomeRegion": "home_region",
    "x_JobId": "job_id",
    "x_LastDay": "last_charged_day",
    "x_Managed": "managed",
    "x_PolicyFingerprint": "policy_fingerprint",
    "x_PriceDate": "price_on",
    "x_PriceSource": "price_source",
    "x_Provisional": "provisional",
    "x_ReplicaRegion": "region",
    "x_Replicas": "replicas",
    "x_ResourceGroupName": "resource_group",
    "x_Rule": "rule",
    "x_SkuMeterCategory": "category",
    "x_SkuMeterId": "sku_meter_id",
    "x_State": "state",
    "x_StorageAccountType": "storage_account_type",
    "x_Trigger": "trigger",
    "x_Why": "why",
}
# In the ledger a text may be empty; FOCUS knows null alone.
_OWN_TEXTS = frozenset(
    {"x_Geography", "x_JobId", "x_PolicyFingerprint", "x_PriceSource", "x_Rule", "x_SkuMeterId"}
    | {"x_State", "x_Trigger", "x_Why", "x_ResourceGroupName", "x_GbBasis", "x_Confidence"}
)
COLUMNS: tuple[str, ...] = (*_FOCUS, *_OWN)

_ORDER = (
    "period_start, charge, version_key, region, first_day, currency, price, storage_account_type, "
    "lab, cost_center"
)

# Parameters of every query about the rows of a ReportQuery.
OWN_ROWS = "day BETWEEN $from AND $to AND ($currency IS NULL OR currency = $currency)"


def export_query(granularity: Granularity, *, in_order: bool) -> str:
    """Return the query for the rows of an export; it takes the parameters of OWN_ROWS."""
    parts = []
    for charge, names in _NAMES.items():
        named = ", ".join(f"{made} AS {name}" for name, made in names.items())
        parts.append(f"SELECT *, {named} FROM ({_lines(charge, granularity)})")
    columns = ", ".join(
        f"{_not_empty(made) if name in _OWN_TEXTS else made} AS {name}"
        for name, made in (_FOCUS | {"RegionName": _region_name()} | _OWN).items()
    )
    lines = " UNION ALL ".join(parts)
    if in_order:
        lines = f"SELECT * FROM ({lines}) ORDER BY {_ORDER}"
    return f"SELECT {columns} FROM ({lines})"


def _lines(charge: str, granularity: Granularity) -> str:
    figures = ", ".join(f"{made} AS {name}" for name, made in _FIGURES[charge].items())
    rows = (
        f"SELECT *, '{charge}' AS charge, {figures} "
        f"FROM ledger WHERE {OWN_ROWS} AND {_KNOWN[charge]}"
    )
    shown = ", ".join((*_TOLD, "charge"))
    if granularity is Granularity.DAY:
        return (
            f"SELECT {', '.join(_KEYS)}, {shown}, replicas, gb_low, gb_high, provisional, "
            f"cost::{_COST} AS cost, consumed, {_quantity('quantity15')} AS quantity, 1 AS days, "
            "day AS first_day, day AS last_charged_day, day AS period_start, "
            f"day + 1 AS period_end FROM ({rows})"
        )
    month = "date_trunc('month', day)"
    same = " AND ".join(f"row.{key} IS NOT DISTINCT FROM month.{key}" for key in _KEYS)
    return f"""
        SELECT month.*, {shown} FROM ({rows}) AS row JOIN (
            SELECT {", ".join(_KEYS)}, max(replicas) AS replicas, min(gb_low) AS gb_low,
                max(gb_high) AS gb_high, bool_or(provisional) AS provisional,
                sum(cost)::{_COST} AS cost, sum(consumed)::{_QUANTITY} AS consumed,
                {_quantity("sum(quantity15)")} AS quantity, count(*)::INTEGER AS days,
                min(day) AS first_day, max(day) AS last_charged_day,
                {month}::DATE AS period_start, last_day(min(day)) + 1 AS period_end
            FROM ({rows}) GROUP BY {", ".join(_KEYS)}, divisor, {month}
        ) AS month ON row.day = last_charged_day AND {same}
    """


def _quantity(quantity15: str) -> str:
    """Return the expression for the share of a month, rounded half up, as a decimal."""
    whole = f"(2 * {quantity15} + divisor) // (2 * divisor)"
    return f"(({whole})::DECIMAL(38,0) * 0.000000000000001::DECIMAL(16,15))"


def _not_empty(made: str) -> str:
    return f"nullif({made}, '')"
