from ..scenario import Context, scenario
from .never_ready import comes_back_unseen


@scenario()
def crash_loop(t: Context) -> None:
    """A version that crashes at its start gets no request and comes back at its deadline."""
    comes_back_unseen(t, "NotReady|Crashed", CRASH="0s")
