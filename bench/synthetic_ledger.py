"""A ledger of made-up replicas, as large as a benchmark wants it."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

from costs.ledger.columns import FORMAT_VERSION, LEDGER_COLUMNS
from costs.ledger.engine import connection

_REGIONS = (
    *("eastus", "eastus2", "westus", "westus2", "westus3", "centralus"),
    *("northcentralus", "southcentralus"),
)
_LAST_DAY = datetime(2026, 10, 31, tzinfo=UTC).date()


def write_ledger(folder: Path, *, replicas: int, days: int, seed: int = 1) -> list[Path]:
    """Write one file a day, `days` of them up to the end of October 2026, and return their paths.

    Eight regions a version, ten versions a definition, ten definitions a gallery; three in four
    versions stand there from the first day, the others come one by one.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = []
    with connection(memory_mb=1000) as engine:
        regions = ", ".join(f"'{name}'" for name in _REGIONS)
        engine.execute(f"""
            CREATE TABLE replica AS
            SELECT n, n // 8 AS v, ([{regions}])[n % 8 + 1] AS region, n % 8 = 0 AS is_home,
                   hash(n // 8 + {seed}) % 100 AS luck
            FROM range({replicas}) AS r(n)
        """)
        for ago in range(days - 1, -1, -1):
            day = _LAST_DAY - timedelta(days=ago)
            path = folder / f"{day:%Y-%m-%d}.parquet"
            engine.execute(
                f"COPY ({_rows(days - 1 - ago, days)}) TO '{path}' "
                "(FORMAT parquet, COMPRESSION zstd)",
                {"day": day},
            )
            paths.append(path)
    return paths


def _rows(index: int, days: int) -> str:
    """Return the query for the rows of one day: `$day`, the `index`th of `days`."""
    first_day = f"(CASE WHEN luck < 75 THEN 0 ELSE hash(v) % {days} END)"
    gb = "(10 + v % 117)::DECIMAL(18,6)"
    price = "(CASE WHEN v % 50 = 0 THEN 0.145 ELSE 0.05 END)::DECIMAL(18,8)"
    in_month = "day(last_day($day::DATE))"
    gallery = "'gallery' || (v // 100)"
    subscription = "'11111111-2222-3333-4444-' || lpad((v // 10000)::VARCHAR, 12, '0')"
    version_id = (
        f"'/subscriptions/' || {subscription} || '/resourceGroups/labs/providers/Microsoft.Compute"
        f"/galleries/' || {gallery} || '/images/image' || (v // 10) || '/versions/1.0.' || (v % 10)"
    )
    new = f"({first_day} = {index} AND NOT is_home)"
    values = {
        "format": str(FORMAT_VERSION),
        "day": "$day",
        "image_version_id": version_id,
        "version_key": "left(sha256(v::VARCHAR), 32)",
        "subscription_id": subscription,
        "resource_group": "'labs'",
        "gallery": gallery,
        "definition": "'image' || (v // 10)",
        "version": "'1.0.' || (v % 10)",
        "geography": "'United States'",
        "region": "region",
        "home_region": "'eastus'",
        "is_home": "is_home",
        "managed": "NOT is_home",
        "state": "'completed'",
        "storage_account_type": "CASE WHEN v % 50 = 0 THEN 'Premium_LRS' ELSE 'Standard_LRS' END",
        "replicas": "1",
        "gb": gb,
        "gb_low": "0",
        "gb_high": gb,
        "gb_basis": "'the provisioned size, an upper bound'",
        "gb_confidence": "'low'",
        "currency": "'USD'",
        "unit_price": price,
        "unit_price_on": "DATE '2026-08-14'",
        "unit_price_source": "'Retail Prices API'",
        "meter_id": "'78dd126f-f855-4670-8038-fd66cf0f43b9'",
        "days_in_month": in_month,
        "storage_cost": f"({gb}::DOUBLE * {price}::DOUBLE / {in_month})",
        "egress_gb": f"CASE WHEN {new} THEN {gb} END",
        "egress_unit_price": f"CASE WHEN {new} THEN 0.02 END",
        "egress_price_on": f"CASE WHEN {new} THEN DATE '2026-08-14' END",
        "egress_price_source": f"CASE WHEN {new} THEN 'Retail Prices API' END",
        "egress_cost": f"CASE WHEN {new} THEN {gb}::DOUBLE * 0.02 END",
        "lab": "CASE WHEN v % 3 > 0 THEN 'lab ' || (v // 30) END",
        "cost_center": "CASE WHEN v % 5 > 0 THEN 'cc' || (v // 1000) END",
        "job_id": "left(sha256('job' || v), 32)",
        "policy_fingerprint": "'0123456789abcdef'",
        "rule": "CASE WHEN is_home THEN 'home' ELSE 'geography' END",
        "trigger": "'event'",
        "why": "CASE WHEN is_home THEN 'home region' ELSE 'in the geography United States' END",
        "listed_on": f"($day::DATE - ({index} - {first_day})::INTEGER)",
        "provisional": "false",
    }
    columns = ", ".join(
        f"({values.get(name, 'NULL')})::{kind} AS {name}" for name, kind in LEDGER_COLUMNS
    )
    where = f"{first_day} <= {index}"
    return f"SELECT {columns} FROM replica WHERE {where} ORDER BY v, region"
