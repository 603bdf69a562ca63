"""What people do while everything breaks: cancel, replay, pause and resume."""

from functools import partial

from bootstrap.app import App
from replication.ports import LetterAction, QueueName
from tools.simulation.world import World


class Operators:
    """Several people, each act a task of its own that may be killed."""

    def __init__(self, run: World) -> None:
        self._run = run
        self._replays_under_way = 0

    def cancel(self) -> None:
        """Cancel one export."""
        run = self._run
        if not run.exports:
            return
        key = run.chance.choice(sorted(run.exports))
        remove = run.chance.random() < 0.5
        app = run.chance.choice(run.apps)
        export = run.exports[key]
        export.cancelled = True
        run.counts["cancels"] += 1

        def cancel() -> None:
            cancelled = app.operations.cancel(key, remove=remove, by="operator")
            # A replay under way may come after it, and asks for the replication again.
            stays = cancelled is not None and cancelled.done
            export.stays_cancelled = stays and not self._replays_under_way

        run.spawn("operator", cancel, _ignore)

    def replay(self) -> None:
        """Send every dead letter again, all at once."""
        app = self._run.chance.choice(self._run.apps)
        self.nobody_stays_cancelled()
        for letter_id in sorted(self._run.letters.letters):
            self._run.spawn("operator", partial(self._replay_one, app, letter_id), _ignore)

    def nobody_stays_cancelled(self) -> None:
        """Note that a replay asks for the replication again."""
        for export in self._run.exports.values():
            export.stays_cancelled = False

    def pause(self) -> None:
        """Pause a queue."""
        run = self._run
        app, queue = run.chance.choice(run.apps), run.chance.choice(tuple(QueueName))
        run.counts["pauses"] += 1
        run.spawn(
            "operator", partial(app.operations.pause, queue, by="operator", reason="a"), _ignore
        )

    def resume(self) -> None:
        """Resume every queue."""
        app = self._run.chance.choice(self._run.apps)
        for queue in QueueName:
            self._run.spawn(
                "operator", partial(app.operations.resume, queue, by="operator"), _ignore
            )

    def _replay_one(self, app: App, letter_id: str) -> None:
        self._replays_under_way += 1
        try:
            app.operations.act(letter_id, LetterAction.REPLAY, by="operator")
        finally:
            self._replays_under_way -= 1


def _ignore(_error: BaseException | None) -> None:
    """Whoever asked asks again, or does not."""
