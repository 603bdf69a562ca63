import asyncio
import json
from datetime import UTC, datetime, timedelta

from localcloud.functions.catalog import ServedFunction, TimerTrigger
from localcloud.functions.cron import Schedule
from localcloud.functions.timers import Timer
from localcloud.functions.worker import IndexedFunction, Payload, Returned
from tests.support.localcloud.fake_queues import EPOCH, FakeClock, settle


def timer_of(clock: FakeClock, fired: list[datetime], schedule: str, *, startup: bool) -> Timer:
    trigger = TimerTrigger(schedule=Schedule.parse(schedule), run_on_startup=startup)
    function = ServedFunction(
        indexed=IndexedFunction(name="f", function_id="1", bindings=()),
        parameter="timer",
        trigger=trigger,
    )

    async def invoke(_function: ServedFunction, payload: Payload) -> Returned:
        status = json.loads(payload.value[1])["ScheduleStatus"]
        fired.append(datetime.fromisoformat(status["Next"]))
        await clock.sleep(90)
        return Returned(ok=True)

    return Timer(
        function=function,
        trigger=trigger,
        invoke=invoke,
        now=lambda: EPOCH + timedelta(seconds=clock.now_s),
        sleep=clock.sleep,
    )


def test_a_run_that_outlasts_its_schedule_skips_to_the_next_moment() -> None:
    async def script() -> None:
        clock, fired = FakeClock(), list[datetime]()
        running = asyncio.create_task(timer_of(clock, fired, "0 * * * * *", startup=False).run())
        await settle()
        await clock.advance(59)
        assert fired == []
        # Fires at minute 1, works until 2:30, fires at 3, works until 4:30, fires at 5.
        await clock.advance(300)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert [moment.minute for moment in fired] == [2, 4, 6]

    asyncio.run(script())


def test_a_run_by_hand_waits_for_the_one_that_is_going_on() -> None:
    async def script() -> None:
        clock, fired = FakeClock(), list[datetime]()
        timer = timer_of(clock, fired, "0 0 0 1 1 *", startup=True)
        running = asyncio.create_task(timer.run())
        await settle()
        by_hand = asyncio.create_task(timer.fire())
        await settle()
        assert len(fired) == 1
        await clock.advance(90)
        assert len(fired) == 2
        await clock.advance(90)
        assert (await by_hand).ok
        assert fired[0] == datetime(2027, 1, 1, tzinfo=UTC)
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)

    asyncio.run(script())
