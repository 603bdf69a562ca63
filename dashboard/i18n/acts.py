# ruff: noqa: RUF001 - Japanese has commas, brackets and colons of its own
"""The texts of what operators do: acts, dead letters and the journal, in both languages."""

from collections.abc import Mapping

from dashboard.i18n.text import Text

ACT_TEXTS: Mapping[str, Text] = {
    # Acts on a replication or a queue.
    "replicate_now": Text("Replicate now…", "今すぐレプリケート…"),
    "replicate_ask": Text(
        "Look at {name} now, and add what is missing.",
        "{name} を今すぐ確認し、不足しているリージョンを追加します。",
    ),
    "cancel": Text("Cancel…", "キャンセル…"),
    "cancel_title": Text("Cancel {name}", "{name} のキャンセル"),
    "cancel_ask": Text(
        "It is no longer followed or tried again. Azure's list stays as it is.",
        "追跡と再試行を終了します。Azure 側のリージョン一覧は変更されません。",
    ),
    "cancel_remove": Text(
        "Also remove the regions that this app added and that are not completed",
        "このアプリが追加し、完了していないリージョンも削除する",
    ),
    "release": Text("Release…", "保留を解除…"),
    "release_title": Text("Release {name}", "{name} の保留解除"),
    "release_ask": Text(
        "The plan goes ahead although it costs more than its budget.",
        "予算を超えますが、計画を実行します。",
    ),
    "pause": Text("Pause…", "一時停止…"),
    "pause_title": Text("Pause {name}", "{name} の一時停止"),
    "pause_ask": Text(
        "No image version is written until it is resumed. Copies under way are followed.",
        "再開するまでイメージ バージョンへの書き込みを止めます。進行中のコピーの追跡は続きます。",
    ),
    "resume": Text("Resume…", "再開…"),
    "resume_title": Text("Resume {name}", "{name} の再開"),
    "resume_ask": Text("Writes go on within a minute.", "1 分以内に書き込みを再開します。"),
    # Dead letters.
    "letters_are": Text(
        "What needs a person, with its cause. Replaying does only what is missing and may be"
        " repeated without harm.",
        "対応が必要な項目とその原因です。再送信では不足分だけが処理され、"
        "繰り返しても問題ありません。",
    ),
    "causes": Text("Causes", "原因別"),
    "causes_caption": Text("Open dead letters by cause", "未対応の配信不能メッセージ（原因別）"),
    "letters_list": Text("Letters", "一覧"),
    "letters_caption": Text("Dead letters", "配信不能メッセージの一覧"),
    "letters_empty": Text(
        "No dead letter is open: nothing waits for you.",
        "未対応の配信不能メッセージはありません。",
    ),
    "letters_none_found": Text(
        "No dead letter matches the filter.",
        "条件に一致する配信不能メッセージはありません。",
    ),
    "letters_of_code": Text(
        "Open dead letters of this code", "このコードの未対応の配信不能メッセージ"
    ),
    "show_open": Text("Show all that are open", "未対応をすべて表示"),
    "letter_of_event": Text("An event", "イベント"),
    "letter_of_message": Text("A message", "メッセージ"),
    "regions_not_ready": Text("Regions that are not ready", "未完了のリージョン"),
    "raw": Text("Raw message", "元のメッセージ"),
    "raw_more": Text("{n} more characters, as JSON", "残り {n} 文字（JSON）"),
    "replay": Text("Replay…", "再送信…"),
    "replay_title": Text("Replay {name}", "{name} の再送信"),
    "replay_ask": Text(
        "It is sent again, with fresh budgets, and does only what is missing.",
        "試行回数をリセットして再送信します。不足分だけが処理されます。",
    ),
    "discard": Text("Discard…", "破棄…"),
    "discard_title": Text("Discard {name}", "{name} の破棄"),
    "discard_ask": Text("The letter is deleted for good.", "このメッセージは完全に削除されます。"),
    "filter_none": Text("No filter: every open letter", "フィルターなし: 未対応のすべて"),
    "replay_many": Text("Replay all that match…", "条件に一致するすべてを再送信…"),
    "replay_many_title": Text("Replay dead letters", "配信不能メッセージの一括再送信"),
    "replay_many_ask": Text(
        "These match now, by cause. Exactly these are sent again:",
        "現在条件に一致する件数（原因別）です。これらだけを再送信します:",
    ),
    "discard_many": Text("Discard all that match…", "条件に一致するすべてを破棄…"),
    "discard_many_title": Text("Discard dead letters", "配信不能メッセージの一括破棄"),
    "discard_many_ask": Text(
        "These match now, by cause. Exactly these are deleted for good:",
        "現在条件に一致する件数（原因別）です。これらだけを完全に削除します:",
    ),
    # Actions.
    "acts": Text("What operators did", "オペレーターの操作履歴"),
    "acts_are": Text(
        "Every act on these pages, over the API and on the command line, with who asked for it.",
        "画面、API、コマンド ラインから行われたすべての操作と、その実行者です。",
    ),
    "acts_caption": Text("Acts, the newest first", "操作（新しい順）"),
    "acts_empty": Text("Nobody has done anything yet.", "操作はまだ行われていません。"),
    "when": Text("When", "日時"),
    "act": Text("Act", "操作"),
    "who": Text("Who", "実行者"),
    "outcome": Text("Outcome", "結果"),
    "letters_of_filter": Text("Dead letters that match", "条件に一致する配信不能メッセージ"),
    "act_done": Text("Done", "完了"),
    "act_not_done": Text("Not done", "実行されず"),
    "act_unknown": Text("Not known", "不明"),
    "act_replicate": Text("Replicate now", "今すぐレプリケート"),
    "act_cancel": Text("Cancel", "キャンセル"),
    "act_release": Text("Release", "保留の解除"),
    "act_pause": Text("Pause", "一時停止"),
    "act_resume": Text("Resume", "再開"),
    "act_replay": Text("Replay", "再送信"),
    "act_discard": Text("Discard", "破棄"),
}
