"""What each failure code means, in both languages; the English is the core's own."""

from collections.abc import Mapping

from dashboard.i18n.text import Text
from replication.domain.errors import FailureCode
from replication.domain.failures import FAILURES

_JAPANESE: Mapping[FailureCode, str] = {
    FailureCode.BUDGET_EXCEEDED: "計画のコストが予算を超えるため、リージョンは追加されていません。",
    FailureCode.COPY_FAILED: "リージョンへのコピーに失敗しました。再適用しても、リージョンを一度"
    "削除して追加し直しても、コピーできませんでした。",
    FailureCode.DEADLINE_EXCEEDED: "期限までに完了しなかったリージョンがあります。"
    "定期スイープが確認を続けます。",
    FailureCode.ENCRYPTION_SET_MISSING: "バージョンはカスタマー マネージド キーで"
    "暗号化されていますが、リージョンのディスク暗号化セットがありません。",
    FailureCode.INVALID_REQUEST: "要求そのものが正しくないと Azure が応答しました。",
    FailureCode.LOCKED: "ギャラリーのロック、または無効なサブスクリプションのため、"
    "書き込めません。",
    FailureCode.MALFORMED_EVENT: "読み取れないイベントが届きました。",
    FailureCode.MALFORMED_MESSAGE: "読み取れないキュー メッセージが届きました。",
    FailureCode.NEWER_FORMAT: "このアプリより新しいリリースが書いたメッセージのため、"
    "読み取れません。",
    FailureCode.NOT_AUTHORISED: "アプリの ID に権限がないか、Azure Policy が書き込みを"
    "禁止しています。",
    FailureCode.POISON_MESSAGE: "メッセージを受け取ったワーカーがすべて失敗または停止しました。",
    FailureCode.QUOTA_EXCEEDED: "サブスクリプションのクォータを使い切っています。",
    FailureCode.REGION_HELD_BACK: "多数のバージョンでコピーの失敗が続いたため、"
    "リージョンへの要求を期限まで止めていました。",
    FailureCode.REGION_UNAVAILABLE: "サブスクリプションでは利用できないリージョンがあります。"
    "ほかのリージョンは続行します。",
    FailureCode.REMOVED_BY_SOMEONE: "レプリカの完了後に、リージョンが手動で削除されました。"
    "この削除を尊重します。",
    FailureCode.RETRIES_EXHAUSTED: "Azure またはストレージの失敗が続きました。",
    FailureCode.SOURCE_TOO_LARGE: "イメージのサイズが、ギャラリーでレプリケートできる上限を"
    "超えています。",
    FailureCode.UNKNOWN_ANSWER: "このリリースの知らない応答で Azure に拒否されました。"
    "応答はそのまま表示しています。",
    FailureCode.WRITES_EXHAUSTED: "追加したリージョンが一覧から繰り返し消えています。"
    "ほかのツールなどが削除しています。",
    FailureCode.ZONE_REDUNDANCY_UNSUPPORTED: "リージョンがイメージのゾーン冗長ストレージに"
    "対応していません。",
}
FAILURE_TEXTS: Mapping[str, Text] = {
    f"means_{code.value}": Text(kind.sentence, _JAPANESE[code]) for code, kind in FAILURES.items()
}
