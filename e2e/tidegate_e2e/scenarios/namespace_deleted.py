from .. import api
from ..scenario import Context, scenario
from ..waits import until


@scenario(core=False)
def namespace_deleted(t: Context) -> None:
    """The namespace is deleted in mid-release: nothing of Tidegate keeps it from going."""
    shop = t.shop(rate=20, stages=((25, "60s"), (100, "1s")))
    shop.start()
    shop.users()
    shop.deploy("v2")
    shop.at_weight(25)
    shop.all_answers()
    api.delete("Namespace", None, shop.namespace)
    until("the namespace is gone", 120, lambda: not api.find("Namespace", None, shop.namespace), instead=lambda: api.get("Namespace", None, shop.namespace)["status"])
