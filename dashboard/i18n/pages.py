# ruff: noqa: RUF001 - Japanese has commas, brackets and colons of its own
"""The texts of the single pages, in both languages."""

from collections.abc import Mapping

from dashboard.i18n.text import Text

PAGE_TEXTS: Mapping[str, Text] = {
    # Overview.
    "overview": Text("Overview", "概要"),
    "all_well": Text(
        "All is well: nothing is stuck, and nothing waits for you.",
        "正常です。停滞しているコピーも、対応が必要な項目もありません。",
    ),
    "needs_look": Text("What needs a look", "確認が必要な項目"),
    "count_stuck": Text("Stuck: {n}", "停滞: {n} 件"),
    "count_letters": Text("Dead letters: {n}", "配信不能メッセージ: {n} 件"),
    "count_poison": Text("Poison messages: {n}", "有害メッセージ: {n} 件"),
    "count_paused": Text("Paused queues: {n}", "一時停止中のキュー: {n} 件"),
    "count_held": Text("Regions held back: {n}", "要求停止中のリージョン: {n} 件"),
    "count_cooldowns": Text("Throttled by Azure: {n}", "Azure による調整: {n} 件"),
    "stuck_title": Text("What is stuck", "停滞しているもの"),
    "stuck_caption": Text(
        "Copies without progress, the longest first", "進行していないコピー（停滞が長い順）"
    ),
    "stuck_empty": Text(
        "Nothing is stuck: every copy moves, or is done.",
        "停滞しているコピーはありません。すべて進行中または完了です。",
    ),
    "stuck_at": Text("stands at {percent} %.", "{percent}% で停止しています。"),
    "stuck_no_speed": Text("No progress was ever seen.", "一度も進行が確認されていません。"),
    "stuck_speed": Text(
        "Before, it made {speed} % a minute.", "停滞前の速度は毎分 {speed}% でした。"
    ),
    "stuck_allowed": Text(
        "More than {time} without progress is too long.",
        "{time}を超えて進行がない場合は停滞とみなします。",
    ),
    "also_failed": Text("Failed as well: {regions}", "失敗したリージョン: {regions}"),
    "all_stuck": Text("All {n} that are stuck", "停滞中の {n} 件をすべて表示"),
    "next_look": Text("Next look", "次回の確認"),
    "gives_up": Text("Deadline", "期限"),
    "failed_title": Text("What failed last", "最近の失敗"),
    "failed_caption": Text(
        "Replications that ended badly, the newest first",
        "失敗または一部のみ完了したレプリケーション（新しい順）",
    ),
    "failed_empty": Text("Nothing has failed.", "失敗したレプリケーションはありません。"),
    "all_failed": Text("All {n} that failed", "失敗した {n} 件をすべて表示"),
    "next_transient": Text(
        "It may pass: the sweep tries again until the deadline. Replaying tries now.",
        "一時的な問題の可能性があります。期限までは定期スイープが再試行します。"
        "すぐに試すには再送信してください。",
    ),
    "next_permanent": Text(
        "It needs you: mend the cause, then replay.",
        "対応が必要です。原因を取り除いてから再送信してください。",
    ),
    "next_unknown": Text("See the reason.", "理由を確認してください。"),
    "next_of_budget_exceeded": Text(
        "It waits until it fits its budget, or until an operator releases it.",
        "予算に収まるか、オペレーターが保留を解除するまで待機します。",
    ),
    "next_of_deadline_exceeded": Text(
        "The sweep goes on looking, and notes it when the copies are done. Replaying follows them"
        " for another period.",
        "定期スイープが確認を続け、コピーが完了すると記録します。再送信すると追跡期間を延長します。",
    ),
    "next_of_removed_by_someone": Text(
        "Nothing: the removal is respected. Replicating now puts the region back.",
        "手動での削除を尊重し、何も行いません。「今すぐレプリケート」でリージョンを元に戻せます。",
    ),
    "next_of_malformed_event": Text(
        "Replaying helps only after a release that can read it. Discard it if nobody needs it.",
        "読み取れるリリースに更新するまで再送信は失敗します。不要なら破棄してください。",
    ),
    "next_of_malformed_message": Text(
        "Replaying helps only after a release that can read it. Discard it if nobody needs it.",
        "読み取れるリリースに更新するまで再送信は失敗します。不要なら破棄してください。",
    ),
    "next_of_region_unavailable": Text(
        "The other regions go on. Get access to the region, then replay.",
        "ほかのリージョンは続行します。リージョンの利用を有効にしてから再送信してください。",
    ),
    "held_title": Text("Regions where copies fail", "コピーが失敗しているリージョン"),
    "held_caption": Text(
        "Nobody asks for a region that is held back, until one version has tried it",
        "要求停止中のリージョンには、1 つのバージョンで再試行するまで要求しません",
    ),
    "held_empty": Text(
        "No region is held back, and none fails.",
        "要求停止中または失敗中のリージョンはありません。",
    ),
    "held_why": Text(
        "Image versions whose copies failed there: {n}",
        "コピーが失敗したイメージ バージョン: {n} 個",
    ),
    "held": Text("Held back", "要求停止中"),
    "failing": Text("Failing", "失敗あり"),
    "failing_next": Text(
        "It is still asked for; if more versions fail, it is held back.",
        "要求は続けています。失敗するバージョンが増えると要求を停止します。",
    ),
    "failing_last": Text("Last failure:", "最後の失敗:"),
    "held_next": Text("One version tries:", "1 つのバージョンで再試行:"),
    "held_probing": Text(
        "One version is trying it now, at the latest until:",
        "現在 1 つのバージョンで再試行中。結果の期限:",
    ),
    "cooldown_title": Text("Throttled by Azure", "Azure による調整（スロットリング）"),
    "cooldown_caption": Text(
        "Calls that wait because Azure asked for a pause",
        "Azure の要求により待機している呼び出し",
    ),
    "cooldown_empty": Text(
        "Azure asks for no pause.", "待機を求められている呼び出しはありません。"
    ),
    "queues_title": Text("Queues", "キュー"),
    "queues_caption": Text("Queues and who paused them", "キューの状態と一時停止の実行者"),
    "depth": Text("Messages", "メッセージ数"),
    "invisible": Text("In work or scheduled", "処理中・予約済み"),
    "poison": Text("Poison", "有害メッセージ"),
    "queue_state": Text("State", "状態"),
    "running": Text("Running", "稼働中"),
    "paused": Text("Paused", "一時停止中"),
    "paused_by": Text("by {by},", "実行者: {by}、"),
    "phases_title": Text("Replications by phase", "フェーズ別のレプリケーション"),
    "waiting_title": Text("Waiting the longest", "待機が長いもの"),
    "waiting_caption": Text(
        "Replications that wait, the longest first", "待機中のレプリケーション（長い順）"
    ),
    "all_waiting": Text("All {n} that wait", "待機中の {n} 件をすべて表示"),
    "day_title": Text("The last 24 hours (UTC)", "過去 24 時間 (UTC)"),
    "day_empty": Text(
        "No copy became usable in the last 24 hours.",
        "過去 24 時間に使用可能になったコピーはありません。",
    ),
    "throughput": Text(
        "Copies that became usable, by hour: {n}", "1 時間ごとの完了コピー数（合計 {n}）"
    ),
    "throughput_chart": Text("Usable copies by hour", "1 時間ごとの完了コピー数"),
    "available": Text(
        "Time from plan to usable copy, the middle one of each hour",
        "計画から使用可能になるまでの時間（1 時間ごとの中央値）",
    ),
    "available_chart": Text("Median time to available", "使用可能になるまでの時間の中央値"),
    "chart_told": Text(
        "The table with the figures has every value.", "すべての値は数値の表にあります。"
    ),
    "bar_copies": Text("{hour}: {n} copies", "{hour}: {n} 件"),
    "bar_median": Text("{hour}: {time}", "{hour}: {time}"),
    "figures": Text("Figures", "数値"),
    "hour": Text("Hour (UTC)", "時刻 (UTC)"),
    "copies": Text("Copies", "コピー数"),
    "median": Text("Median", "中央値"),
    "mean": Text("Mean", "平均"),
    "at_most": Text("at most {time}", "{time}以内"),
    "over_day": Text("more than a day", "1 日超"),
    # Replications.
    "replications": Text("Replications", "レプリケーション"),
    "replications_caption": Text("Replications", "レプリケーションの一覧"),
    "search": Text("Search", "検索"),
    "search_told": Text(
        "A gallery, an image, gallery/image or a resource ID, or how one begins; by name",
        "ギャラリー、イメージ、ギャラリー/イメージの先頭、またはリソース ID（名前順）",
    ),
    "active": Text("Under way", "進行中すべて"),
    "sort": Text("Order", "並べ替え"),
    "sort_newest": Text("Newest first", "新しい順"),
    "sort_oldest": Text("Oldest first", "古い順"),
    "sort_name": Text("By name", "名前順"),
    "only_stuck": Text("Stuck only", "停滞中のみ"),
    "stuck": Text("Stuck", "停滞"),
    "usable": Text("Usable regions", "使用可能なリージョン"),
    "usable_of": Text("{done} of {all} regions", "{all} リージョン中 {done}"),
    "goes_on": Text("It goes on by itself.", "自動的に進行します。"),
    "list_none_here": Text(
        "Nothing on this page matches the filter; the next one may.",
        "このページに該当する項目はありません。次のページを確認してください。",
    ),
    "list_none_found": Text(
        "No replication matches the filter.", "条件に一致するレプリケーションはありません。"
    ),
    "list_empty": Text(
        "There is no replication yet. The next image version that is written to a gallery in the"
        " policy's scope appears here by itself.",
        "レプリケーションはまだありません。ポリシーの対象ギャラリーにイメージ バージョンが"
        "書き込まれると、ここに自動的に表示されます。",
    ),
    "replicate_other": Text("Replicate an image version", "イメージ バージョンを指定して実行"),
    # One replication.
    "ready_at": Text("Usable", "使用可能になる時刻"),
    "ready_soon": Text("any moment", "まもなく"),
    "overdue": Text("overdue for {time}", "{time}遅延"),
    "ready_unknown": Text("not known yet", "まだ不明"),
    "ended": Text("Ended", "終了"),
    "home_region": Text("Home region", "ホーム リージョン"),
    "letters_of_version": Text(
        "All dead letters of this version", "このバージョンのすべての配信不能メッセージ"
    ),
    "regions_of_caption": Text("Regions and their copies", "リージョンごとのコピー"),
    "regions_none": Text(
        "It has no region to copy to; the plan says why.",
        "コピー先のリージョンはありません。理由は計画を参照してください。",
    ),
    "progress_of": Text("{region}: {percent} %", "{region}: {percent}%"),
    "speed": Text("{speed} % a minute", "毎分 {speed}%"),
    "not_ours": Text("not added by this app", "このアプリ以外が追加"),
    "plan": Text("Plan", "計画"),
    "left_out_caption": Text("Regions left out, and why", "除外されたリージョンとその理由"),
    "left_out_none": Text("No region was left out.", "除外されたリージョンはありません。"),
    "trigger": Text("Started by", "開始の契機"),
    "catalog": Text("Regions known from", "リージョン情報の取得元"),
    "size": Text("Size", "サイズ"),
    "cost": Text("Cost", "コスト"),
    "monthly": Text("Storage a month", "ストレージ月額"),
    "egress_once": Text("Transfer, once", "データ転送（初回のみ）"),
    "basis": Text("Basis", "算出根拠"),
    "range": Text("between {low} and {high}", "{low} ～ {high}"),
    "cost_unknown": Text("not known", "不明"),
    "timeline": Text("Timeline, newest first", "タイムライン（新しい順）"),
    "times_first": Text("{n} times, first", "{n} 回、初回"),
    "timeline_none": Text("It has no timeline.", "タイムラインはありません。"),
    "timeline_more": Text("Older entries, as JSON", "以前の記録（JSON）"),
    "attempts_are": Text(
        "attempts: {attempts}, looks: {polls}, writes: {writes}, calls of Azure: {calls}",
        "試行 {attempts} 回、確認 {polls} 回、書き込み {writes} 回、Azure 呼び出し {calls} 回",
    ),
    # Regions.
    "refused_title": Text("Regions that Azure refuses", "Azure に拒否されたリージョン"),
    "refused_caption": Text(
        "Regions that a subscription may not use", "サブスクリプションで使用できないリージョン"
    ),
    "refused_empty": Text("No refusal is on record.", "拒否の記録はありません。"),
    "matrix_title": Text("All regions", "すべてのリージョン"),
    "matrix_caption": Text(
        "Geographies and the health of their regions", "地域とリージョンの正常性"
    ),
    "no_geography": Text("No known geography", "不明な地域"),
    "health_held": Text("Held back: {n} versions failed", "要求停止中: {n} バージョンで失敗"),
    "health_refused": Text("Refused by Azure", "Azure により拒否"),
    "health_failing": Text("Failing: {n} versions", "失敗あり: {n} バージョン"),
    "health_denied": Text("Denied by the policy", "ポリシーで禁止"),
    "health_extra": Text("Extra region of the policy", "ポリシーの追加リージョン"),
    "health_fine": Text("No trouble", "問題なし"),
    # Policy.
    "policy": Text("Policy in force", "適用中のポリシー"),
    "policy_is": Text(
        "Which galleries are replicated, to which regions and how. A change takes effect when the"
        " app restarts.",
        "レプリケーションの対象ギャラリー、リージョン、方法を定めます。変更はアプリの再起動後に"
        "反映されます。",
    ),
    "policy_fingerprint": Text("Policy fingerprint", "ポリシーのフィンガープリント"),
    "policy_attach": Text("Galleries in scope", "対象のギャラリー"),
    "policy_detach": Text("Galleries left out", "対象外のギャラリー"),
    "policy_extra": Text("Extra regions", "追加リージョン"),
    "policy_denied": Text("Denied regions", "禁止リージョン"),
    "policy_replicas": Text("Replicas in a new region", "新しいリージョンのレプリカ数"),
    "policy_storage": Text("Storage type of a new region", "新しいリージョンのストレージの種類"),
    "policy_repair": Text(
        "Remove a failed region and add it back", "失敗したリージョンを削除して再追加する"
    ),
    "policy_restore": Text("Put back what someone removed", "手動で削除されたリージョンを元に戻す"),
    "policy_tags": Text("Tags for lab and cost center", "ラボとコスト センターのタグ"),
    "policy_currency": Text("Currency", "通貨"),
    "budgets": Text("Budgets", "予算"),
    "budgets_caption": Text("Budgets of this month", "今月の予算"),
    "budgets_empty": Text("The policy has no budget.", "予算は設定されていません。"),
    "budget": Text("Budget", "予算"),
    "ceiling": Text("Ceiling a month", "月額上限"),
    "spent": Text("Spent", "使用額"),
    "expected": Text("Expected", "見込み額"),
    "each_gallery": Text("each for itself", "ギャラリーごと"),
    "counted": Text("counted", "集計:"),
    "not_counted": Text("not counted yet", "未集計"),
    "unpriced": Text("{n} without a price", "価格不明 {n} 件"),
    # Costs.
    "costs": Text("Costs", "コスト"),
    "costs_no_address": Text(
        "The books are kept in blobs, and their address is missing. Set",
        "コスト台帳は BLOB に保存されますが、アドレスが設定されていません。設定名:",
    ),
    "costs_none_yet": Text(
        "No day is on the books yet: each is written after it has ended.",
        "台帳にはまだ記録がありません。各日の終了後に書き込まれます。",
    ),
    "costs_running_day": Text(
        "Until then these are the figures of the running day.",
        "それまでは、本日分の集計を表示します。",
    ),
    "with_today": Text("Include today (reads every record)", "今日を含める（全記録を読み取り）"),
    "costs_from_to": Text("From {first} to {last}.", "{first} から {last} まで"),
    "costs_nothing": Text("Nothing is charged.", "費用はありません。"),
    "costs_more": Text(
        "What nobody uses, and what Azure has that is not on the books:",
        "未使用のバージョンや台帳にない Azure 上のレプリカの確認:",
    ),
    "forecast": Text("forecast for {month}", "{month} の見込み"),
    "group": Text("Group", "グループ"),
    "group_by": Text("Group by", "グループ化"),
    "groups_caption": Text("Costs by group", "グループ別のコスト"),
    "groups_left_out": Text("{n} more groups are not shown.", "ほかに {n} グループあります。"),
    "by_gallery": Text("Gallery", "ギャラリー"),
    "by_region": Text("Region", "リージョン"),
    "by_geography": Text("Geography", "地域"),
    "by_lab": Text("Lab", "ラボ"),
    "by_cost_center": Text("Cost center", "コスト センター"),
    "by_definition": Text("Image definition", "イメージ定義"),
    "by_subscription": Text("Subscription", "サブスクリプション"),
    "by_storage_type": Text("Storage type", "ストレージの種類"),
    "by_version": Text("Image version", "イメージ バージョン"),
    "from": Text("From (day or month)", "開始（日または月）"),
    "to": Text("To (day or month)", "終了（日または月）"),
    "storage": Text("Storage", "ストレージ"),
    "transfer": Text("Transfer", "データ転送"),
    "total": Text("Total", "合計"),
    "share": Text("Share", "割合"),
    "months": Text("Months", "月別"),
    "months_chart": Text("Cost of each month in {currency}", "月ごとのコスト ({currency})"),
    "month": Text("Month", "月"),
    "change": Text("Change a day", "1 日あたりの増減"),
    "ledger_days": Text("Days on the books", "台帳の日数"),
    "top": Text("Most expensive versions", "コストの高いバージョン"),
    "notes": Text("Notes", "注記"),
    # Runbook.
    "runbook": Text("Runbook", "対処手順 (Runbook)"),
}
