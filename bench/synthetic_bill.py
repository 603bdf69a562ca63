"""A made-up Cost Management export, as large as a benchmark wants it."""

from pathlib import Path

from costs.ledger.engine import connection

# Of so many rows one is of a gallery; the others are of machines, disks, traffic and such.
USUAL = 20
_REGIONS = (
    *("eastus", "eastus2", "westus", "westus2", "westus3", "centralus"),
    *("northcentralus", "southcentralus"),
)
_DAYS = 31
_FOREIGN = (
    ("Virtual Machines", "D2s v5", "1 Hour", "virtualMachines/vm"),
    ("Storage", "P10 LRS Disk", "1/Month", "disks/disk"),
    ("Storage", "LRS Snapshots", "1 GB/Month", "snapshots/snapshot"),
    ("Bandwidth", "Standard Data Transfer Out", "1 GB", "publicIPAddresses/ip"),
    ("Virtual Network", "Standard IPv4 Static Public IP", "1 Hour", "publicIPAddresses/ip"),
)
_NULLS = (
    *("InvoiceSectionName", "AccountName", "AccountOwnerId", "SubscriptionName", "CostCenter"),
    *("ReservationId", "ReservationName", "ProductOrderId", "ProductOrderName", "Term"),
    *("PlanName", "CostAllocationRuleName", "BillingProfileId", "BillingProfileName"),
)


def write_bill(path: Path, *, rows: int, one_in: int = USUAL, seed: int = 1) -> Path:
    """Write an ActualCost export of October 2026 with about 45 columns; `.parquet` or `.csv`.

    Its galleries, definitions, versions and regions are those of `write_ledger` with as many
    replicas as there are gallery rows a day; the bill shows a third of the provisioned GB.
    """
    kind = "FORMAT parquet" if path.suffix == ".parquet" else "FORMAT csv, HEADER"
    with connection(memory_mb=700) as engine:
        engine.execute("SET enable_progress_bar = false")
        engine.execute("SET preserve_insertion_order = false")
        engine.execute(f"COPY ({_query(rows, one_in, seed)}) TO '{path}' ({kind})")
    return path


def replicas_of(rows: int, one_in: int = USUAL) -> int:
    """Return how many replicas a bill of so many rows is about."""
    return max(8, rows // one_in // _DAYS)


def _query(rows: int, one_in: int, seed: int) -> str:
    replicas = replicas_of(rows, one_in)
    regions = ", ".join(f"'{one}'" for one in _REGIONS)
    foreign = ", ".join(
        f"{{category: '{category}', meter: '{meter}', unit: '{unit}', resource: '{resource}'}}"
        for category, meter, unit, resource in _FOREIGN
    )
    gallery_rows = replicas * _DAYS
    version_id = (
        "'/subscriptions/11111111-2222-3333-4444-' || lpad((v // 10000)::VARCHAR, 12, '0') || "
        "'/resourceGroups/labs/providers/Microsoft.Compute/galleries/gallery' || (v // 100) || "
        "'/images/image' || (v // 10) || '/versions/1.0.' || (v % 10)"
    )
    other_id = (
        "'/subscriptions/11111111-2222-3333-4444-' || lpad((luck % 50)::VARCHAR, 12, '0') || "
        "'/resourceGroups/group' || (luck % 900) || '/providers/Microsoft.Compute/' || "
        "other.resource || (luck % 70000)"
    )
    gb = "((10 + v % 117) / 3.0 / 31)"
    price = "(CASE WHEN v % 50 = 0 THEN 0.145 ELSE 0.05 END)"
    columns = {
        "Date": "strftime(DATE '2026-10-01' + day::INTEGER, '%m/%d/%Y')",
        "BillingPeriodStartDate": "'10/01/2026'",
        "BillingPeriodEndDate": "'10/31/2026'",
        "BillingAccountId": "'12345678'",
        "BillingAccountName": "'Contoso University'",
        "SubscriptionId": "'11111111-2222-3333-4444-' || lpad((luck % 50)::VARCHAR, 12, '0')",
        "ResourceGroup": "CASE WHEN ours THEN 'labs' ELSE 'group' || (luck % 900) END",
        "ResourceLocation": f"([{regions}])[(CASE WHEN ours THEN r ELSE luck END) % 8 + 1]",
        "ProductName": "other.category || ' - ' || other.meter || ' - US'",
        "MeterCategory": "CASE WHEN ours THEN 'Storage' ELSE other.category END",
        "MeterSubCategory": "CASE WHEN ours THEN 'Standard HDD Managed Disks' ELSE 'all' END",
        "MeterId": "md5((luck % 4000)::VARCHAR)",
        "MeterName": "CASE WHEN ours THEN 'LRS Snapshots' ELSE other.meter END",
        "MeterRegion": "'US East'",
        "UnitOfMeasure": "CASE WHEN ours THEN '1 GB/Month' ELSE other.unit END",
        "Quantity": f"CASE WHEN ours THEN {gb} ELSE luck % 2400 / 100.0 END::DOUBLE",
        "EffectivePrice": f"CASE WHEN ours THEN {price} ELSE 0.096 END::DOUBLE",
        "CostInBillingCurrency": (
            f"CASE WHEN ours THEN {gb} * {price} ELSE luck % 2400 / 100.0 * 0.096 END::DOUBLE"
        ),
        "UnitPrice": f"CASE WHEN ours THEN {price} ELSE 0.096 END::DOUBLE",
        "PayGPrice": f"CASE WHEN ours THEN {price} ELSE 0.096 END::DOUBLE",
        "ConsumedService": "'Microsoft.Compute'",
        "ResourceId": f"CASE WHEN ours THEN {version_id} ELSE {other_id} END",
        "Tags": (
            '\'"cost_center": "\' || (luck % 90) || \'","lab": "lab \' || (luck % 300) || \'"\''
        ),
        "AdditionalInfo": '\'{"UsageType":"ComputeHR","VCPUs":2,"Row":\' || n || \'}\'',
        "ServiceInfo1": "''",
        "ServiceInfo2": "''",
        "ResourceName": "'resource' || (luck % 70000)",
        "OfferId": "'MS-AZR-0017P'",
        "PublisherType": "'Azure'",
        "PublisherName": "'Microsoft'",
        "ChargeType": "'Usage'",
        "Frequency": "'UsageBased'",
        "PricingModel": "'OnDemand'",
        "BillingCurrencyCode": "'USD'",
        "IsAzureCreditEligible": "'True'",
        "PartNumber": "'AAD-' || (luck % 4000)",
        "ServiceFamily": "'Storage'",
        **dict.fromkeys(_NULLS, "''"),
    }
    named = ", ".join(f"{value} AS {name}" for name, value in columns.items())
    return f"""
        SELECT {named} FROM (
            SELECT n, n % {one_in} = 0 AND n // {one_in} < {gallery_rows} AS ours,
                (n // {one_in}) % {replicas} AS r, r // 8 AS v,
                CASE WHEN ours THEN (n // {one_in}) // {replicas} ELSE n % {_DAYS} END
                    AS day,
                (hash(n + {seed}) % 1000000)::BIGINT AS luck,
                ([{foreign}])[luck % {len(_FOREIGN)} + 1] AS other
            FROM range({rows}) AS numbers(n))
    """
