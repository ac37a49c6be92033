"""What users may meet: who may answer them at a time, and when nobody had to."""

from __future__ import annotations

from . import waits
from .load import Answers
from .shop import Shop
from .waits import check, now_ms, until

SETTLES = 2_000  # milliseconds in which endpoints and weights reach the gateway
COUNTED = 500
TOLERANCE = 6.0  # points, of some hundred requests


def met(answers: Answers, *versions: str) -> None:
    """Whoever was answered was answered by one of these versions."""
    wrong = answers.others(*versions)
    check(not wrong, f"only {', '.join(versions)} may have had users, and they met {wrong.describe()}: {wrong.examples()}")


def all_answered(answers: Answers, *away: tuple[int, int]) -> None:
    """No request failed, but for those of the windows, in Unix milliseconds, in which there were no pods."""
    failed = answers.outside(*away).failed()
    check(not failed, f"requests failed{' while there were pods' if away else ''}: {failed.examples()}")


def counted(shop: Shop, since: int, most: float = waits.ROUTE_ANSWERS) -> Answers:
    """What users saw since a moment, once enough of them have asked for their shares to tell something."""
    until("users are counted", most, lambda: len(shop.so_far().between(since, now_ms())) >= COUNTED, every=1)
    return shop.so_far().between(since, now_ms())


def has_share(answers: Answers, version: str, percent: float) -> None:
    got = answers.share(version)
    check(abs(got - percent) <= TOLERANCE, f"{version} had {got:.1f} % of {len(answers)} requests, and {percent:g} % are its share")


def missed(answers: Answers, *away: tuple[int, int]) -> str:
    """How long nobody was there in each window, and what users saw meanwhile, for notes."""
    seen = ((end - start, Answers(a for a in answers if a.done >= start and a.sent < end)) for start, end in away)
    return "; ".join(f"within {lasted / 1000:.0f} s without pods, or around them: {window.describe()}" for lasted, window in seen)
