from .. import api
from ..scenario import Context, scenario
from ..users import SETTLES, all_answered, counted, has_share, met
from ..waits import check, now_ms, until


@scenario(core=False)
def namespace_deleted(t: Context) -> None:
    """The namespace is deleted in mid-release: nothing of Tidegate keeps it from going, and users are served until it goes."""
    shop = t.shop(rate=60, stages=((25, "60s"), (100, "1s")))
    shop.in_mid_release()
    has_share(counted(shop, now_ms() + SETTLES), "v2", 25)
    went = now_ms()
    api.delete("Namespace", None, shop.namespace)
    until("the namespace is gone", 120, lambda: not api.find("Namespace", None, shop.namespace), instead=lambda: api.get("Namespace", None, shop.namespace)["status"])
    gone = now_ms()
    counted(shop, gone + SETTLES)
    answers = shop.all_answers()
    all_answered(answers, (went, now_ms()))
    met(answers, "v1", "v2")
    late = answers.between(gone + SETTLES, now_ms()).of("v1", "v2")
    check(not late, f"somebody answers for a namespace that is gone: {late.describe()}")
    last = max(a.done for a in answers.of("v1", "v2"))
    t.note(f"gone after {(gone - went) / 1000:.1f} s, and users were answered for {(last - went) / 1000:.1f} s of them: {answers.between(went, gone).describe()}")
    t.note(f"seen by users before: {answers.between(0, went).describe()}")
