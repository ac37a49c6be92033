import base64
import threading

from .. import api, bed, certificates, controller, waits
from ..scenario import Context, scenario
from ..shop import Shop
from ..waits import check, now_ms, until

NAME, PORT = "tidegate-webhook", 9443
CALLED = f"{NAME}.{bed.TIDEGATE_NAMESPACE}.svc"
REPLICAS = 2
LOOKS = 15  # seconds between two looks of a replica
SETTLES = 60  # seconds for which the API server has known an authority before it signs


class Editor:
    """Asks the webhook ten times a second: whoever pauses what is not held is told otherwise, so that each answer shows that it was asked."""

    def __init__(self, shop: Shop) -> None:
        self.held, self.wrong = 0, list[str]()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._edit, args=(shop,))
        self._thread.start()

    def _edit(self, shop: Shop) -> None:
        while not self._over.wait(0.1):
            try:
                after = api.patch("Deployment", shop.namespace, shop.name, {"spec": {"paused": True}}, manager="editor")
                if after["spec"].get("paused"):
                    self.wrong.append(f"at {now_ms()} nobody was asked: it is paused")
                self.held += 1
            except (api.Refused, OSError) as why:
                self.wrong.append(f"at {now_ms()}: {why}")

    def stop(self) -> None:
        self._over.set()
        self._thread.join()


@scenario(core=False, alone=True)
def webhook_rotation(t: Context) -> None:
    """The webhook's authority grows old: a new one is announced beside it, then signs; meanwhile no edit is refused, and none gets past. With --admission webhook."""
    if bed.ADMISSION != "webhook":
        check(not api.find("MutatingWebhookConfiguration", None, "tidegate"), "the policies hold, and there is a webhook beside them")
        t.note("nothing to rotate: the policies hold. e2e/run --admission webhook webhook-rotation")
        return
    t.afterwards(lambda: controller.scale(1))
    controller.scale(REPLICAS)
    shop = t.shop(rate=60, stages=((25, "6s"), (100, "4s")))
    shop.start()
    shop.users()
    before, trusted = secret(), bundles()
    former = before["tls.crt"]
    check(trusted == {before["ca.crt"] + before.get("ca-former.crt", "")}, "the API server trusts somebody else than the authority of the Secret")
    until("all replicas serve its certificate", 2 * LOOKS, lambda: shown() == {former}, every=1)

    editor = Editor(shop)
    t.afterwards(editor.stop)
    old = certificates.aged(before["ca.crt"], before["ca.key"], days_old=300, days_left=65)
    api.patch("Secret", bed.TIDEGATE_NAMESPACE, NAME, {"data": {"ca.crt": base64.b64encode(old.encode()).decode()}})
    aged = now_ms()
    until("a new authority is made", 2 * LOOKS, lambda: secret()["ca.crt"] != old, instead=secret_keys)
    new = secret()["ca.crt"]
    until("both are announced", LOOKS, lambda: bundles() == {new + old}, instead=lambda: len(bundles()))
    announced = now_ms()
    check(secret()["tls.crt"] == former and secret()["ca-former.crt"] == old, "it was replaced at once, before every API server can know")
    until("the new authority signs", SETTLES + 4 * LOOKS, lambda: secret()["tls.crt"] != former, instead=secret_keys)
    signed = now_ms()
    check(signed - announced >= (SETTLES - LOOKS) * 1000, f"it signed {(signed - announced) / 1000:.0f} s after it was announced")
    check(bundles() == {new + old}, "the former authority was forgotten while replicas may serve what it signed")
    until("all replicas serve the new certificate", 2 * LOOKS, lambda: shown() == {secret()["tls.crt"]}, every=1)
    until("edits went on for a while", 20, lambda n=editor.held: editor.held > n + 20)
    editor.stop()
    check(not editor.wrong, f"{len(editor.wrong)} of {editor.held} edits: {editor.wrong[:3]}")
    t.note(f"announced {(announced - aged) / 1000:.0f} s after it was due, signs after {(signed - aged) / 1000:.0f} s; {editor.held} edits through {REPLICAS} replicas, none refused, none past the webhook")
    answers = shop.ships("v2")
    t.note(f"seen by users: {answers.describe()}")


def secret() -> dict[str, str]:
    found = api.get("Secret", bed.TIDEGATE_NAMESPACE, NAME)
    return {key: certificates.text(found, key) for key in found.get("data", {})}


def secret_keys() -> list[str]:
    return sorted(secret())


def bundles() -> set[str]:
    """Whom the API server trusts, of every webhook of the configuration."""
    hooks = api.get("MutatingWebhookConfiguration", None, "tidegate")["webhooks"]
    return {base64.b64decode(hook["clientConfig"].get("caBundle", "")).decode() for hook in hooks}


def shown() -> set[str]:
    """The certificates that the replicas serve, in the text that the Secret has."""
    known = {normal(text): text for key, text in secret().items() if key == "tls.crt"}
    seen = [certificates.served(pod["status"]["podIP"], PORT, CALLED) for pod in controller.ready()]
    return {known.get(normal(text), text) for text in seen}


def normal(pem: str) -> str:
    return "".join(pem.split())
