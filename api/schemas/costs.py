"""Cost report: what replicas cost, the forecast, the budgets, and what nobody uses.

`costs.report.view` makes it; money is a text with all its digits, the currency beside it.
"""

from pydantic import Field

from api.schemas.base import Amount, Answer, Moment, Text


class Total(Answer):
    """What all rows of one currency cost, and how many of them have no price."""

    currency: Text
    storage: Amount | None
    egress: Amount | None
    total: Amount | None
    replica_days: int
    unpriced_rows: int
    incomplete_rows: int


class Group(Answer):
    """What the rows of one group cost, and their share."""

    key: dict[Text, Text | None]
    currency: Text
    storage: Amount | None
    egress: Amount | None
    total: Amount | None
    replica_days: int
    unpriced_rows: int
    incomplete_rows: int
    share_percent: Text | None


class GroupList(Answer):
    """The dearest groups, and what those cost that are left out."""

    items: list[Group]
    left_out: int
    left_out_totals: list[Total]


class Month(Answer):
    """A month, and how it grew against the one before."""

    month: Text
    currency: Text
    storage: Amount | None
    egress: Amount | None
    total: Amount | None
    storage_per_day: Amount | None
    change_per_day: Amount | None
    change_percent: Amount | None
    ledger_days: int
    days: int


class Forecast(Answer):
    """What a month will have cost."""

    currency: Text
    month: Text
    so_far: Amount | None
    month_total: Amount | None
    next_month: Amount | None
    next_month_by_trend: Amount | None
    basis: Text


class Budget(Answer):
    """How much of a budget is used."""

    budget: Text
    gallery: Text | None
    month: Text
    currency: Text
    limit: Amount | None
    actual: Amount | None
    expected: Amount | None
    percent: Text | None
    unpriced_rows: int
    state: Text


class BudgetList(Answer):
    """The budgets of the policy."""

    items: list[Budget]
    note: Text | None


class Monthly(Answer):
    """What is spent a month, in one currency."""

    currency: Text
    monthly: Amount | None


class Finding(Answer):
    """What is spent for nothing; of what is not known all is null but the note, which says why."""

    known: bool
    note: Text | None
    count: int | None
    monthly: list[Monthly] | None


class Version(Answer):
    """An image version of the last day."""

    image_version_id: Text
    lab: Text | None
    cost_center: Text | None
    currency: Text
    monthly: Amount | None
    in_period: Amount | None
    replicas: int
    regions: int
    gb: Amount | None
    unpriced_rows: int


class VersionList(Finding):
    """Image versions that nobody uses, or that a newer one took the place of."""

    items: list[Version] | None


class Orphan(Answer):
    """Replicas that stand in Azure and on no record."""

    image_version_id: Text
    regions: list[Text]
    reason: Text
    currency: Text
    monthly: Amount | None
    basis: Text
    confidence: Text


class OrphanList(Finding):
    """All orphans."""

    items: list[Orphan] | None


class Ghost(Answer):
    """Replicas that are charged and are not in Azure."""

    image_version_id: Text
    regions: list[Text]
    reason: Text
    charged: list[Monthly]


class GhostList(Finding):
    """All ghosts."""

    items: list[Ghost] | None


class SetAside(Answer):
    """Rows that are in no sum, and why."""

    reason: Text
    rows: int


class RowCount(Answer):
    """The account of the ledger's rows."""

    read: int
    used: int
    set_aside: list[SetAside]
    notes: list[Text]


class CostReport(Answer):
    """What replicas cost."""

    from_day: Text = Field(alias="from")
    to_day: Text = Field(alias="to")
    made_at: Moment
    last_day: Text | None
    group_by: list[Text]
    currency: Text | None
    totals: list[Total]
    groups: GroupList
    months: list[Month]
    forecast: list[Forecast]
    top_spenders: list[Group]
    labs: GroupList
    budgets: BudgetList
    unused: VersionList
    superseded: VersionList
    orphans: OrphanList
    ghosts: GhostList
    azure_notes: list[Text]
    rows: RowCount
