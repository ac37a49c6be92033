import json
import time
from dataclasses import dataclass
from pathlib import Path

from .. import bed, waits
from ..people import account, folder, tidegate
from ..scenario import Context, scenario
from ..shop import Shop
from ..signing import Key, envelope, token
from ..waits import check, until
from .gates import names

WORKFLOW = "acme/checkout/.ci/build.yaml@refs/heads/main"
COMMIT, OTHER, IMAGE = "4f2c9e1a" * 5, "0b7d3c55" * 5, "0b7d3c55" * 8
SIGNED = ["unit-tests", "static-analysis", "sast", "sca"]
# What G2 asks for besides, which is shown by other scenarios.
WAIVED = [
    "lint", "build", "peer-review", "staging-deploy", "smoke-tests", "integration-tests", "e2e-tests", "code-owner-review", "feature-flag", "release-plan",
    "on-call-validation", "post-release-checklist",
]


@scenario(core=False, alone=True)
def signed_statement(t: Context) -> None:
    """What a pipeline without a role signs counts by its signature alone, as a token and as an envelope, whoever brings it; of another audience, subject, commit, key, issuer or time, or with other words, it does not, and the hold says which."""
    requirements = {"mode": "Enforce", "waived": [{"name": name, "reason": "shown elsewhere"} for name in WAIVED]}
    shop = t.shop(rate=60, stages=((25, "5s"), (100, "4s")), strategy={"verify": "5s"}, policy={"tier": 1, "requirements": requirements})
    shop.start()
    shop.users()
    signers = Signers.made(shop)
    t.afterwards(lambda: bed.configure({"evidence.issuers": []}))
    bed.configure({"evidence.issuers": signers.issuers()})
    relay = account(shop, "relay", "tidegate-relay")
    shop.deploy("v2", {"change": f"git:{COMMIT}"})
    until("it is held for what it must show", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing") and set(names(shop)) == set(SIGNED), instead=lambda: (shop.state(), names(shop)))

    for told, manifest in signers.bad():
        code, said = tidegate(None, "verify-statement", manifest, "--issuers", signers.file())
        check(code == 1 and told in said, f"verify-statement of {manifest.stem}, exit code {code}: {said}")
        bring(relay, manifest)
        line = until(f"it is told of {manifest.stem}", waits.RELEASE_TAKEN_UP, lambda: not_heard(shop, told), instead=lambda: shop.live_release()["status"].get("risk"))
        check(f"{shop.namespace}:relay brought: " in line, f"who brought it is not told: {line}")
        check("Not counted: the signed statement of " in shop.held("RequirementsMissing")["message"], f"the hold is silent: {shop.held()}")
        check(set(names(shop)) == set(SIGNED), f"{manifest.stem} counted: {names(shop)}")
        t.note(f"{manifest.stem}: {line.split('brought: ')[-1]}")

    # The bearer says nothing in its own name, and no signature stands for a person.
    plain = {"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": shop.meta("plain"), "spec": signers.about("sast")}
    said = refused(relay, plain)
    check("may not attest sast" in said, f"the relay was refused by: {said}")
    signed = {**signers.about("approval"), "role": "sre", "statement": {"token": token(signers.ours, "one", {"iss": "https://ci.test"})}}
    said = refused(relay, {**plain, "spec": signed})
    check("is said by people" in said or "no signature stands for them" in said, f"a signed approval was refused by: {said}")

    for kind, manifest in signers.good():
        code, said = tidegate(None, "verify-statement", manifest, "--issuers", signers.file())
        check(code == 0 and "counts as passed, signed by" in said, f"verify-statement of {manifest.stem}, exit code {code}: {said}")
        bring(relay, manifest)
        if kind != SIGNED[-1]:
            until(f"{kind} is met", waits.RELEASE_TAKEN_UP, lambda: kind not in names(shop), instead=lambda: (names(shop), shop.held()))
            t.note(next(line for line in shop.live_release()["status"]["risk"]["met"] if line.startswith(f"{kind}: ")))
            check(shop.canary_weight() == 0, f"it went: {shop.state()}")
    record = shop.ends("Succeeded")
    shown = {one["by"]: set(one["names"]) for one in record["status"]["assessment"]["shown"]}
    token_by, key_by = f"ci.test/{WORKFLOW}", next((by for by in shown if by.startswith("release-key/")), "nobody")
    check({"unit-tests", "sast", "sca"} <= shown.get(token_by, set()) and "static-analysis" in shown.get(key_by, set()), f"shown by {shown}")
    check(not any("relay" in by for by in shown), f"the bearer is said to have shown it: {shown}")
    t.note(f"on record: {'; '.join(f'{by}: {sorted(what)}' for by, what in shown.items())}")

    # What was signed for one commit says nothing of the next.
    shop.deploy("v3", {"change": f"git:{OTHER}"})
    until("the next commit has shown nothing", waits.RELEASE_TAKEN_UP, lambda: shop.held("RequirementsMissing") and set(names(shop)) == set(SIGNED), instead=lambda: (shop.state(), names(shop)))
    shop.leaves_nothing()
    answers = shop.all_answers()
    check(not answers.failed(), f"requests failed: {answers.failed().examples()}")


@dataclass(frozen=True)
class Signers:
    """An issuer of tokens and a holder of a key, whom the admin trusts, and somebody who is neither."""

    namespace: str
    release: str
    folder: Path
    ours: Key
    holders: Key
    strangers: Key
    other_holders: Key

    @classmethod
    def made(cls, shop: Shop) -> "Signers":
        at = folder(shop)
        keys = (Key.rsa(at / "issuer.pem"), Key.p256(at / "holder.pem"), Key.rsa(at / "stranger.pem"), Key.p256(at / "other-holder.pem"))
        return cls(shop.namespace, shop.name, at, *keys)

    def issuers(self) -> list[dict]:
        """As the chart's value evidence.issuers has them."""
        oidc = {"issuer": "https://ci.test", "audience": "tidegate", "subject": "workflow", "commit": "sha", "jwks": {"keys": [self.ours.jwk("one")]}}
        runs = {"subjects": [WORKFLOW], "claims": {"repository_id": "17"}, "releases": [f"{self.namespace}/{self.release}"], "types": ["unit-tests", "sast", "sca"]}
        holds = {"releases": [f"{self.namespace}/*"], "types": ["static-analysis"]}
        return [{"name": "ci.test", "oidc": oidc, "trust": [runs]}, {"name": "release-key", "publicKeys": [self.holders.pem()], "commits": True, "trust": [holds]}]

    def file(self) -> Path:
        path = self.folder / "issuers.yaml"
        path.write_text(json.dumps({"issuers": self.issuers()}))
        return path

    def about(self, kind: str) -> dict:
        return {"releaseRef": {"name": self.release}, "revision": f"git:{COMMIT}", "type": kind}

    def claims(self, audience: str, **other: object) -> dict[str, object]:
        return {"iss": "https://ci.test", "aud": audience, "workflow": WORKFLOW, "repository_id": "17", "sha": COMMIT, **other}

    def words(self, kind: str, *more: str) -> list[str]:
        return [self.release, "-n", self.namespace, "--type", kind, "--revision", f"git:{COMMIT}", *more]

    def audience(self, kind: str, *more: str) -> str:
        """What a token must be made out to so that it signs these words."""
        code, said = tidegate(None, "attest", *self.words(kind, *more), "--print-audience", "tidegate")
        check(code == 0 and said.startswith("tidegate/"), f"--print-audience, exit code {code}: {said}")
        return said

    def manifest(self, name: str, *args: str, statement: str, **edited: object) -> Path:
        """What `tidegate attest` makes of a statement, as the pipeline hands it on; edited on the way where that is said."""
        (self.folder / f"{name}.statement").write_text(statement)
        code, said = tidegate(None, "attest", *args, "--statement", self.folder / f"{name}.statement", "--output", "yaml")
        check(code == 0, f"the manifest of {name}, exit code {code}: {said}")
        if edited:
            # JSON is YAML: what was printed is read back by kubectl, which knows both.
            object = json.loads(bed.kubectl("create", "--dry-run=client", "-f", "-", "-o", "json", stdin=said))
            object["spec"] |= edited
            said = json.dumps(object)
        path = self.folder / f"{name}.yaml"
        path.write_text(said)
        return path

    def token(self, name: str, *more: str, kind: str = "sast", key: Key | None = None, age: int = 0, edited: dict | None = None, **claims: object) -> Path:
        """A token for these words, with other claims than it should have."""
        claims = self.claims(self.audience(kind, *more), **claims)
        return self.manifest(name, *self.words(kind, *more), statement=token(key or self.ours, "one", claims, age), **(edited or {}))

    def envelope(self, name: str, key: Key | None = None, subject: dict[str, str] | None = None, edited: dict | None = None, **predicate: object) -> Path:
        said = {"type": "static-analysis", "outcome": "Passed", "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), "facts": {"findings": "0"}, **predicate}
        text = envelope(key or self.holders, subject or {"gitCommit": COMMIT}, said)
        return self.manifest(name, self.release, "-n", self.namespace, statement=text, **(edited or {}))

    def bad(self) -> list[tuple[str, Path]]:
        """What does not count, each with words of why."""
        facts = ("--fact", "findings=0")
        about = {"revision": f"git:{COMMIT}"}
        return [
            ("it is made out to \"sigstore\", wanted is \"tidegate/", self.token("another-audience", aud="sigstore")),
            ("it is made out to \"tidegate/", self.token("other-facts", *facts, edited={"facts": {"findings": "3"}})),
            ("whom no rule of ci.test trusts", self.token("another-subject", workflow="acme/checkout/.ci/build.yaml@refs/pull/7/merge")),
            ("its claim repository_id is \"18\", wanted is \"17\"", self.token("another-repository", repository_id="18")),
            (f"it is for commit git:{OTHER}, and the attestation is about git:{COMMIT}", self.token("another-commit", sha=OTHER)),
            ("it expired ", self.token("expired", age=3600)),
            ("its signature is not that of ci.test", self.token("another-key", key=self.strangers)),
            ("it is from issuer \"https://elsewhere.test\", which is not configured", self.token("another-issuer", iss="https://elsewhere.test")),
            (f"ci.test/{WORKFLOW} may not attest static-analysis", self.token("another-type", kind="static-analysis")),
            (f"it is about git:{OTHER}, and the attestation is about git:{COMMIT}", self.envelope("envelope-of-another-commit", subject={"gitCommit": OTHER}, edited=about)),
            (f"it is about sha256:{IMAGE}, and the attestation is about git:{COMMIT}", self.envelope("envelope-of-another-image", subject={"sha256": IMAGE}, edited=about)),
            ("spec.outcome of the attestation is Passed, signed is Failed", self.envelope("envelope-edited", outcome="Failed", edited={"outcome": "Passed"})),
            ("its signature is not that of any configured holder of a key", self.envelope("envelope-of-another-key", key=self.other_holders)),
        ]

    def good(self) -> list[tuple[str, Path]]:
        """What counts: a token that signs every word, one of a fixed audience for its commit, an envelope."""
        (commit := self.folder / "commit.statement").write_text(token(self.ours, "one", self.claims("tidegate")))
        return [
            ("unit-tests", self.manifest("commit", *self.words("unit-tests"), statement=commit.read_text())),
            ("static-analysis", self.envelope("envelope")),
            ("sast", self.token("words", "--fact", "findings=0", "--link", "https://ci.test/runs/1")),
            ("sca", self.token("words-too", kind="sca")),
        ]


def bring(who: Path, manifest: Path) -> None:
    """Brought by somebody, and told as the latest: the API server tells moments in seconds."""
    began = int(time.time())
    until("the next second", 3, lambda: int(time.time()) > began)
    bed.kubectl("--kubeconfig", str(who), "create", "-f", str(manifest))


def refused(who: Path, object: dict) -> str:
    said = bed.kubectl("--kubeconfig", str(who), "create", "-f", "-", stdin=json.dumps(object), check=False)
    check("created" not in said, f"it was not refused: {said}")
    return said


def not_heard(shop: Shop, words: str) -> str | None:
    """What `tidegate requirements` and the GatedRelease's status say of a statement that does not count."""
    terms = shop.live_release()["status"].get("risk", {}).get("terms", [])
    return next((term for term in terms if term.startswith("not heard: ") and words in term), None)
