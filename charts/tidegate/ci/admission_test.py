#!/usr/bin/env python3
"""Tries the chart's admission policies and the rules of the CRDs on a real API server.

    KUBECONFIG=… admission_test.py [--controller-user USER] [--override Audit|Enforce]

Needs kubectl (or $KUBECTL), openssl, the chart installed (with either admission.mechanism: the cases are the same), the HTTPRoute CRD, and credentials that may impersonate.
Works in a namespace of its own, with Deployments and StatefulSets of 0 replicas, and removes what it made. One line a case; exit 1 on failure.
"""
import argparse, base64, http.server, json, os, pathlib, random, re, ssl, subprocess, sys, tempfile, threading, time

HERE = pathlib.Path(__file__).parent
KUBECTL = os.environ.get("KUBECTL", "kubectl")
NS = f"tidegate-admission-{random.randrange(16**6):06x}"
PERSON, MACHINE = "dana", "system:serviceaccount:flux-system:kustomize-controller"
STAMPS = ("tidegate.io/changed-by", "tidegate.io/resumed-by", "tidegate.io/paused-because")
MOST = 2**31 - 1
DIGEST = "@sha256:" + "a" * 64
CASES = []


def case(sentence, mode=None):
    return lambda function: CASES.append((sentence, mode, function)) or function


class Refused(Exception):
    pass


def kubectl(*args, user=None, given=None, groups=("system:masters",)):
    who = [] if user is None else [f"--as={user}", *(f"--as-group={g}" for g in groups)]
    done = subprocess.run([KUBECTL, "-n", NS, *who, *args], input=None if given is None else json.dumps(given),
                          text=True, capture_output=True)
    if done.returncode:
        raise Refused(done.stderr.strip())
    return done.stdout


def apply(thing, user=PERSON, **more):
    kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=git", "-f", "-", user=user, given=thing, **more)


def refused(pattern, *args, **more):
    try:
        kubectl(*args, **more)
    except Refused as why:
        assert re.search(pattern, str(why)), f"refused, but not with {pattern!r}: {why}"
        return
    raise AssertionError("was not refused")


def get(kind, name):
    return json.loads(kubectl("get", kind, name, "-o", "json"))


def deployment(name, image="app:1", gated=True, replicas=0, template_annotations=None, **spec):
    return {
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"name": name, "namespace": NS, "labels": {"tidegate.io/gated": ""} if gated else {"plain": ""}},
        "spec": {"replicas": replicas, "selector": {"matchLabels": {"app": name}}, **spec, "template": {
            "metadata": {"labels": {"app": name}, "annotations": template_annotations or {"team": "shop"}},
            "spec": {"containers": [{"name": "app", "image": image}]}}},
    }


def stateful(name, image="app:1", gated=True, partition=None, **spec):
    thing = deployment(name, image, gated, serviceName=name, **spec)
    thing["kind"] = "StatefulSet"
    if partition is not None:
        thing["spec"]["updateStrategy"] = at_partition(partition)["spec"]["updateStrategy"]
    return thing


def at_partition(number):
    return {"spec": {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": number}}}}


def annotated(thing, **annotations):
    thing["metadata"]["annotations"] = {f"tidegate.io/{k.replace('_', '-')}": v for k, v in annotations.items()}
    return thing


def paused(name):
    return get("deployment", name)["spec"].get("paused", False)


def partition(name):
    return get("statefulset", name)["spec"]["updateStrategy"].get("rollingUpdate", {}).get("partition", 0)


def stamps(name, kind="deployment"):
    there = get(kind, name)["metadata"].get("annotations", {})
    return tuple(there.get(key) for key in STAMPS)


def owners(name, field, kind="deployment"):
    managers = json.loads(kubectl("get", kind, name, "-o", "json", "--show-managed-fields"))["metadata"]["managedFields"]
    return [m["manager"] for m in managers if field in json.dumps(m.get("fieldsV1", {}))]


def spent(name, kind):
    return get(kind, name)["metadata"].get("annotations", {}).get("tidegate.io/break-glass-spent")


def sets(name):
    """The ReplicaSets of a Deployment."""
    return json.loads(kubectl("get", "replicasets", "-l", f"app={name}", "-o", "json"))["items"]


def revision(replica_set):
    return int(replica_set["metadata"].get("annotations", {}).get("deployment.kubernetes.io/revision", 0))


def kinds(name):
    """Both kinds of workload: kind, name, manifest, and whether one is held."""
    return (("deployment", name, deployment, paused), ("statefulset", f"{name}-set", stateful, lambda what: partition(what) == MOST))


def held(name, user=MACHINE):
    """A Deployment whose second template is held."""
    apply(deployment(name))
    apply(deployment(name, image="app:2"), user=user)
    assert paused(name), "the changed template was not held"


def held_set(name, user=MACHINE):
    """A StatefulSet whose second template is held."""
    apply(stateful(name))
    apply(stateful(name, image="app:2"), user=user)
    assert partition(name) == MOST, f"the changed template was not held: {partition(name)}"


def patch(name, body, user, kind="deployment", how="strategic"):
    kubectl("patch", kind, name, f"--type={how}", "-p", json.dumps(body), user=user)


# --- hold ---

@case("a created Deployment runs")
def _(n):
    apply(deployment(n))
    assert not paused(n) and stamps(n) == (None, None, None)


@case("an apply that changes nothing holds nothing and stamps nothing")
def _(n):
    apply(deployment(n))
    apply(deployment(n), user=MACHINE)
    apply(deployment(n, replicas=0, revisionHistoryLimit=3), user=MACHINE)
    assert not paused(n) and stamps(n) == (None, None, None), stamps(n)


@case("a template changed by a machine is held, stamped, and explained")
def _(n):
    held(n)
    by, resumed, because = stamps(n)
    assert by == MACHINE and resumed is None and f"deployment/{n} -n {NS}" in because, stamps(n)


@case("a template changed by a person is held and stamped")
def _(n):
    held(n, user=PERSON)
    assert stamps(n)[0] == PERSON


@case("a changed template label, or annotation, or an annotation taken away is held")
def _(n):
    for index, change in enumerate(({"labels": {"more": "x"}}, {"annotations": {"team": "ops"}}, {"annotations": {"team": None}})):
        name = f"{n}-{index}"
        apply(deployment(name))
        patch(name, {"spec": {"template": {"metadata": change}}}, MACHINE)
        assert paused(name), change


@case("spec.paused and the stamps belong to nobody: a forced apply keeps the hold")
def _(n):
    held(n)
    for user in (MACHINE, PERSON):
        apply(deployment(n, image="app:2"), user=user)
    assert paused(n) and owners(n, "f:paused") == [] and owners(n, "f:tidegate.io/changed-by") == []


@case("the same manifest applied client-side by a person keeps the hold")
def _(n):
    kubectl("apply", "-f", "-", user=PERSON, given=deployment(n))
    kubectl("apply", "-f", "-", user=PERSON, given=deployment(n, image="app:2"))
    kubectl("apply", "-f", "-", user=PERSON, given=deployment(n, image="app:2"))
    assert paused(n) and stamps(n)[1] is None


@case("a replace by a machine that leaves spec.paused and the stamps out keeps all of them")
def _(n):
    held(n)
    before = stamps(n)
    kubectl("replace", "-f", "-", user=MACHINE, given=deployment(n, image="app:2"))
    assert paused(n) and stamps(n) == before, stamps(n)


@case("a server-side dry run sees no difference while held")
def _(n):
    held(n)
    seen = kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=git", "--dry-run=server", "-f", "-",
                   "-o", "json", user=MACHINE, given=deployment(n, image="app:2"))
    assert json.loads(seen)["spec"]["paused"] is True


@case("a restart annotation alone is not held")
def _(n):
    apply(deployment(n))
    kubectl("rollout", "restart", f"deployment/{n}", user=PERSON)
    assert not paused(n) and stamps(n)[0] is None


@case("a restart together with a new image is held")
def _(n):
    apply(deployment(n))
    apply(deployment(n, image="app:2", template_annotations={"team": "shop", "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}))
    assert paused(n)


@case("a further template, and the way back to the first, stay held")
def _(n):
    held(n)
    for image in ("app:3", "app:1"):
        apply(deployment(n, image=image), user=PERSON)
        assert paused(n) and stamps(n)[0] == PERSON


@case("a scale goes through, held or not")
def _(n):
    held(n)
    kubectl("scale", f"deployment/{n}", "--replicas=0", user=PERSON)
    apply(deployment(n, image="app:2", replicas=0, minReadySeconds=1), user=MACHINE)
    assert paused(n)


@case("a machine that sends paused: false together with a new template is held")
def _(n):
    apply(deployment(n, paused=False), user=MACHINE)
    apply(deployment(n, image="app:2", paused=False), user=MACHINE)
    assert paused(n)


@case("a machine that sends paused: false while held changes nothing and gets no error")
def _(n):
    held(n)
    apply(deployment(n, image="app:2", paused=False), user=MACHINE)
    patch(n, {"spec": {"paused": None}}, MACHINE)
    patch(n, {"spec": {"paused": False}}, MACHINE, how="merge")
    kubectl("rollout", "resume", f"deployment/{n}", user=MACHINE)
    assert paused(n) and stamps(n)[0] == MACHINE and stamps(n)[1] is None


@case("the cluster's own components cannot resume")
def _(n):
    held(n)
    for user in ("system:serviceaccount:kube-system:deployment-controller", "system:kube-controller-manager", "system:node:a"):
        patch(n, {"spec": {"paused": False}}, user)
        assert paused(n), user


@case("a person who sends paused: false with a new template is held all the same")
def _(n):
    held(n)
    apply(deployment(n, image="app:3", paused=False), user=PERSON)
    assert paused(n) and stamps(n)[1] is None


@case("kubectl rollout resume by a person resumes, and is stamped; the explanation goes")
def _(n):
    held(n)
    kubectl("rollout", "resume", f"deployment/{n}", user=PERSON)
    assert not paused(n) and stamps(n) == (MACHINE, PERSON, None), stamps(n)
    apply(deployment(n, image="app:2"), user=MACHINE)
    assert not paused(n) and stamps(n) == (MACHINE, PERSON, None), "an apply that changes nothing after it"


@case("the next template after a resume is held again and the stamp of the resume goes")
def _(n):
    held(n)
    patch(n, {"spec": {"paused": False}}, PERSON, how="merge")
    assert not paused(n)
    apply(deployment(n, image="app:3"), user=MACHINE)
    assert paused(n) and stamps(n)[:2] == (MACHINE, None)


@case("kubectl rollout pause has no effect: spec.paused belongs to the gate")
def _(n):
    apply(deployment(n))
    kubectl("rollout", "pause", f"deployment/{n}", user=PERSON)
    assert not paused(n)


@case("stamps cannot be forged or removed")
def _(n):
    held(n)
    before = stamps(n)
    patch(n, {"metadata": {"annotations": {STAMPS[0]: "eve", STAMPS[1]: "eve", STAMPS[2]: None}}}, PERSON)
    assert stamps(n) == before, stamps(n)


def forged():
    return {"metadata": {"annotations": {key: "bob" for key in STAMPS}}}


def label(value, **more):
    return {"metadata": {"labels": {"tidegate.io/gated": value}}, **more}


@case("stamps from before the label vouch for nobody; who labels together with a template has changed it", mode="Audit")
def _(n):
    for name, more, expected in ((n, {}, None), (f"{n}-template", {"template": {"spec": {"containers": [{"name": "app", "image": "app:4"}]}}}, PERSON)):
        held(name)
        patch(name, label(None), "eve")
        patch(name, {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:3"}]}}}} | forged(), "eve")
        assert stamps(name) == ("bob",) * 3, "without the label it is nobody's business"
        patch(name, label("", spec=more), PERSON)
        by, resumed, because = stamps(name)
        assert paused(name) and (by, resumed) == (expected, None), stamps(name)
        assert f"that {expected or 'somebody unknown'} changed" in because, because
    apply(deployment(f"{n}-own", gated=False, paused=True))
    patch(f"{n}-own", label(""), PERSON)
    assert paused(f"{n}-own") and stamps(f"{n}-own") == (None, None, None), "a pause of the user's own is not explained"


@case("a Deployment or StatefulSet is created without stamps; one that is restored as held says so in words of our own")
def _(n):
    for kind, thing in (("deployment", deployment(n)), ("statefulset", stateful(n))):
        thing["metadata"]["annotations"] = {STAMPS[0]: "bob", STAMPS[1]: "bob", "team": "shop"}
        kubectl("create", "-f", "-", user=PERSON, given=thing)
        assert stamps(n, kind) == (None, None, None), stamps(n, kind)
        assert get(kind, n)["metadata"]["annotations"]["team"] == "shop"
    name = f"{n}-restored"
    kubectl("create", "-f", "-", user=PERSON, given=deployment(name, paused=True) | {"metadata": deployment(name)["metadata"] | forged()["metadata"]})
    by, resumed, because = stamps(name)
    assert paused(name) and (by, resumed) == (None, None) and "bob" not in because and "kubectl get gatedreleases" in because, stamps(name)


@case("a write of the status forges no stamps and takes none away")
def _(n):
    held(n)
    held_set(n)
    for kind in ("deployment", "statefulset"):
        before = stamps(n, kind)
        for value in ("bob", None):
            body = {"metadata": {"annotations": {key: value for key in STAMPS}}}
            kubectl("patch", kind, n, "--subresource=status", "--type=merge", "-p", json.dumps(body), user=PERSON)
            assert stamps(n, kind) == before, (kind, stamps(n, kind))


@case("the controller resumes, pauses and writes annotations as it likes")
def _(n):
    held(n)
    patch(n, {"spec": {"paused": False}, "metadata": {"annotations": {STAMPS[2]: None}}}, ARGS.controller_user)
    assert not paused(n) and stamps(n) == (MACHINE, None, None), stamps(n)
    patch(n, {"spec": {"paused": True}}, ARGS.controller_user)
    assert paused(n)


@case("break-glass in the same apply runs at once and says who changed it")
def _(n):
    apply(deployment(n))
    apply(annotated(deployment(n, image="app:2"), break_glass="INC-7: checkout is down"), user=MACHINE)
    assert not paused(n) and stamps(n) == (MACHINE, None, None), stamps(n)


@case("break-glass lets a held template run, for a machine too")
def _(n):
    held(n)
    apply(annotated(deployment(n, image="app:2"), break_glass="INC-7: checkout is down"), user=MACHINE)
    assert not paused(n) and stamps(n)[2] is None


@case("break-glass without a reason does not count; without the annotation the gate is back")
def _(n):
    apply(deployment(n))
    apply(annotated(deployment(n, image="app:2"), break_glass=""))
    assert paused(n)
    apply(annotated(deployment(n, image="app:2"), break_glass="INC-7"))
    assert not paused(n)
    apply(deployment(n, image="app:2"))
    assert not paused(n), "nothing changed"
    apply(deployment(n, image="app:3"))
    assert paused(n)


@case("a reason for break-glass counts once: not where it stands, nor taken off and back; another one does", mode="Audit")
def _(n):
    for kind, what, manifest, is_held in kinds(n):
        under = lambda image, reason: annotated(manifest(what, image=image), break_glass=reason)
        apply(manifest(what))
        apply(under("app:2", "INC-7"), user=MACHINE)
        assert not is_held(what), kind
        apply(under("app:3", "INC-7"), user=MACHINE)
        off = f"kubectl annotate {kind} {what} -n {NS} tidegate.io/break-glass-"
        assert is_held(what) and stamps(what, kind)[2].endswith(off), stamps(what, kind)
        assert spent(what, kind) == "INC-7", spent(what, kind)
        kubectl("annotate", kind, what, "tidegate.io/break-glass-", user=PERSON)
        assert is_held(what) and off not in stamps(what, kind)[2] and MACHINE in stamps(what, kind)[2], stamps(what, kind)
        apply(under("app:3", "INC-7"), user=MACHINE)
        assert is_held(what), "Git puts it back"
        apply(under("app:3", "INC-8"), user=MACHINE)
        assert not is_held(what) and stamps(what, kind)[:2] == (MACHINE, MACHINE), stamps(what, kind)
        apply(manifest(what, image="app:3"), user=MACHINE)
        apply(under("app:4", "INC-8"), user=MACHINE)
        assert is_held(what) and spent(what, kind) == "INC-8\nINC-7", spent(what, kind)


@case("kubectl rollout undo brings a reason back that lets nothing go, and nobody is asked for a verb")
def _(n):
    apply(deployment(n))
    apply(annotated(deployment(n, image="app:2"), break_glass="INC-7"))
    eventually(lambda: any(revision(one) == 2 for one in sets(n)))
    apply(deployment(n, image="app:3"))
    patch(n, {"spec": {"paused": False}}, ARGS.controller_user)
    eventually(lambda: any(revision(one) == 3 for one in sets(n)))
    kubectl("create", "rolebinding", f"edit-{n}", "--clusterrole=edit", "--user=ena")
    eventually(lambda: kubectl("auth", "can-i", "patch", "deployments", user="ena", groups=()))
    kubectl("rollout", "undo", f"deployment/{n}", user="ena", groups=())
    there = get("deployment", n)
    assert there["spec"]["template"]["spec"]["containers"][0]["image"] == "app:2", there["spec"]["template"]
    assert there["metadata"]["annotations"].get("tidegate.io/break-glass") == "INC-7", "the undo brought no annotation: nothing was tried"
    assert paused(n) and stamps(n)[0] == "ena", stamps(n)


@case("without the label nothing is held; a label taken away while held leaves the Deployment as it is", mode="Audit")
def _(n):
    apply(deployment(f"{n}-plain", gated=False))
    apply(deployment(f"{n}-plain", gated=False, image="app:2"))
    assert not paused(f"{n}-plain")
    held(n)
    apply(deployment(n, gated=False, image="app:2"), user=MACHINE)
    assert paused(n), "was resumed by the removal"
    patch(n, {"spec": {"paused": False}}, MACHINE)
    assert not paused(n)


@case("a label put on together with a new template holds it; put on alone it does not")
def _(n):
    apply(deployment(n, gated=False))
    apply(deployment(n, gated=True, image="app:2"))
    assert paused(n)
    apply(deployment(f"{n}-alone", gated=False))
    apply(deployment(f"{n}-alone", gated=True))
    assert not paused(f"{n}-alone")


@case("a webhook that pins digests: an apply that changes nothing holds and stamps nothing; a change is held")
def _(n):
    with Pinner(n):
        apply(deployment(n))
        assert get("deployment", n)["spec"]["template"]["spec"]["containers"][0]["image"].endswith(DIGEST), "the webhook did not run"
        for user in (MACHINE, PERSON):
            apply(deployment(n, paused=False), user=user)
            apply(deployment(n), user=user)
            assert not paused(n) and stamps(n) == (None, None, None), stamps(n)
        apply(deployment(n, image="app:2"), user=MACHINE)
        assert paused(n) and stamps(n)[0] == MACHINE
        before = stamps(n)
        apply(deployment(n, image="app:2"), user=PERSON)
        assert paused(n) and stamps(n) == before, stamps(n)
        kubectl("rollout", "resume", f"deployment/{n}", user=PERSON)
        assert not paused(n) and stamps(n)[1] == PERSON
        apply(deployment(n, image="app:2"), user=MACHINE)
        assert not paused(n) and stamps(n)[1] == PERSON, stamps(n)


@case("status and scale writes of the Deployment controller leave a held Deployment held")
def _(n):
    held(n)
    kubectl("patch", "deployment", n, "--subresource=status", "--type=merge", "-p",
            json.dumps({"status": {"observedGeneration": 1}}), user="system:serviceaccount:kube-system:deployment-controller")
    deadline = time.time() + 20
    while get("deployment", n)["status"].get("observedGeneration") != get("deployment", n)["metadata"]["generation"]:
        assert time.time() < deadline, "is a Deployment controller running?"
        time.sleep(0.3)
    assert paused(n)


# --- hold of StatefulSets ---

@case("a created StatefulSet runs, and so does one that is created with a partition")
def _(n):
    apply(stateful(n))
    assert partition(n) == 0 and stamps(n, "statefulset") == (None, None, None)
    apply(stateful(f"{n}-part", partition=2))
    assert partition(f"{n}-part") == 2 and stamps(f"{n}-part", "statefulset") == (None, None, None)


@case("StatefulSet: an apply that changes nothing, a scale, and other fields hold and stamp nothing")
def _(n):
    apply(stateful(n))
    apply(stateful(n), user=MACHINE)
    apply(stateful(n, minReadySeconds=1), user=MACHINE)
    kubectl("scale", f"statefulset/{n}", "--replicas=0", user=PERSON)
    assert partition(n) == 0 and stamps(n, "statefulset") == (None, None, None), stamps(n, "statefulset")


@case("StatefulSet: a template changed by a machine or a person is held, stamped, and explained with its own command")
def _(n):
    for user, name in ((MACHINE, n), (PERSON, f"{n}-person")):
        held_set(name, user)
        by, resumed, because = stamps(name, "statefulset")
        assert by == user and resumed is None, (by, resumed)
        assert f"kubectl patch statefulset {name} -n {NS}" in because and '"partition":0' in because, because


@case("What runs beside a workload is the controller's: nobody else makes it, changes its template or its marks")
def _(n):
    def canary(image="app:1", **annotations):
        made = deployment(n, image=image, gated=False)
        made["metadata"]["labels"] = {"tidegate.io/role": "canary", "tidegate.io/release": "web"}
        made["metadata"]["annotations"] = {"tidegate.io/revision": "1"} | annotations
        return made
    for user in (MACHINE, PERSON):
        refused(r"metadata.labels\[tidegate.io/role\]: deployment .*would be taken for what Tidegate runs", "apply", "--server-side", "-f", "-", user=user, given=canary())
    apply(canary(), user=ARGS.controller_user)
    for user in (MACHINE, PERSON):
        refused("spec.template: deployment .* runs a version as it was judged", "set", "image", f"deployment/{n}", "app=app:2", user=user)
        refused("metadata: by the labels and annotations tidegate.io/", "annotate", "--overwrite", f"deployment/{n}", "tidegate.io/revision=2", user=user)
        refused("metadata: by the labels and annotations tidegate.io/", "label", f"deployment/{n}", "tidegate.io/role-", user=user)
    kubectl("scale", f"deployment/{n}", "--replicas=0", user=PERSON)
    kubectl("rollout", "restart", f"deployment/{n}", user=PERSON)
    apply(canary(image="app:2"), user=ARGS.controller_user)
    kubectl("delete", "deployment", n, user=PERSON)


@case("StatefulSet: the partition belongs to nobody: a forced apply, a replace and a client-side apply keep the hold")
def _(n):
    held_set(n)
    before = stamps(n, "statefulset")
    for user in (MACHINE, PERSON):
        apply(stateful(n, image="app:2"), user=user)
    assert owners(n, "f:partition", "statefulset") == [] and owners(n, "f:tidegate.io/changed-by", "statefulset") == []
    # A replace without the field sends the default 0: from a machine that changes nothing.
    kubectl("replace", "-f", "-", user=MACHINE, given=stateful(n, image="app:2"))
    assert partition(n) == MOST and stamps(n, "statefulset") == before, stamps(n, "statefulset")
    other = f"{n}-client"
    kubectl("apply", "-f", "-", user=PERSON, given=stateful(other))
    kubectl("apply", "-f", "-", user=PERSON, given=stateful(other, image="app:2"))
    kubectl("apply", "-f", "-", user=PERSON, given=stateful(other, image="app:2"))
    assert partition(other) == MOST and stamps(other, "statefulset")[1] is None, stamps(other, "statefulset")


@case("StatefulSet: a server-side dry run sees no difference while held")
def _(n):
    held_set(n)
    seen = kubectl("apply", "--server-side", "--force-conflicts", "--field-manager=git", "--dry-run=server", "-f", "-",
                   "-o", "json", user=MACHINE, given=stateful(n, image="app:2"))
    assert json.loads(seen)["spec"]["updateStrategy"]["rollingUpdate"]["partition"] == MOST


@case("StatefulSet: a restart annotation alone is not held; together with a new image it is")
def _(n):
    apply(stateful(n))
    kubectl("rollout", "restart", f"statefulset/{n}", user=PERSON)
    assert partition(n) == 0 and stamps(n, "statefulset")[0] is None
    apply(stateful(n, image="app:2", template_annotations={"team": "shop", "kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}))
    assert partition(n) == MOST


@case("StatefulSet: a machine, or a component of the cluster, that sends a lower partition gets the one that stands")
def _(n):
    held_set(n)
    apply(stateful(n, image="app:2", partition=0), user=MACHINE)
    assert partition(n) == MOST
    for user in (MACHINE, "system:serviceaccount:kube-system:statefulset-controller", "system:kube-controller-manager", "system:node:a"):
        for lower in (0, 2):
            patch(n, at_partition(lower), user, kind="statefulset")
            assert partition(n) == MOST, (user, lower)
    assert stamps(n, "statefulset")[:2] == (MACHINE, None)


@case("StatefulSet: what the controller lowered stands against machines, and a person who sends another than 0")
def _(n):
    held_set(n)
    patch(n, at_partition(3), ARGS.controller_user, kind="statefulset")
    assert partition(n) == 3 and stamps(n, "statefulset")[2] is not None
    apply(stateful(n, image="app:2"), user=MACHINE)
    apply(stateful(n, image="app:2", partition=0), user=MACHINE)
    assert partition(n) == 3 and stamps(n, "statefulset")[2] is not None, "still explained"
    patch(n, at_partition(1), PERSON, kind="statefulset")
    assert partition(n) == 3 and stamps(n, "statefulset")[1] is None


@case("StatefulSet: a newer template in the middle of a release, and the way back to the first, are held from all pods")
def _(n):
    held_set(n)
    patch(n, at_partition(2), ARGS.controller_user, kind="statefulset")
    for image in ("app:3", "app:1"):
        apply(stateful(n, image=image), user=PERSON)
        assert partition(n) == MOST and stamps(n, "statefulset")[0] == PERSON


@case("StatefulSet: a person who sets the partition to 0 lets it go, and is stamped; the explanation goes")
def _(n):
    held_set(n)
    patch(n, {"spec": {"updateStrategy": {"rollingUpdate": {"partition": 0}}}}, PERSON, kind="statefulset")
    assert partition(n) == 0 and stamps(n, "statefulset") == (MACHINE, PERSON, None), stamps(n, "statefulset")
    apply(stateful(n, image="app:2"), user=MACHINE)
    assert partition(n) == 0 and stamps(n, "statefulset") == (MACHINE, PERSON, None), "an apply that changes nothing after it"
    apply(stateful(n, image="app:3"), user=MACHINE)
    assert partition(n) == MOST and stamps(n, "statefulset")[:2] == (MACHINE, None), "the next template"


@case("StatefulSet: a person who sends partition 0 together with a new template is held all the same")
def _(n):
    held_set(n)
    apply(stateful(n, image="app:3", partition=0), user=PERSON)
    assert partition(n) == MOST and stamps(n, "statefulset")[1] is None


@case("StatefulSet: stamps cannot be forged or removed")
def _(n):
    held_set(n)
    before = stamps(n, "statefulset")
    patch(n, {"metadata": {"annotations": {STAMPS[0]: "eve", STAMPS[1]: "eve", STAMPS[2]: None}}}, PERSON, kind="statefulset")
    assert partition(n) == MOST and stamps(n, "statefulset") == before, stamps(n, "statefulset")


@case("StatefulSet: stamps from before the label vouch for nobody; the hold stays, and can be let go", mode="Audit")
def _(n):
    held_set(n)
    patch(n, label(None), "eve", kind="statefulset")
    patch(n, forged(), "eve", kind="statefulset")
    patch(n, label(""), "eve", kind="statefulset")
    by, resumed, because = stamps(n, "statefulset")
    assert partition(n) == MOST and (by, resumed) == (None, None) and "that somebody unknown changed" in because, stamps(n, "statefulset")
    patch(n, at_partition(0), PERSON, kind="statefulset")
    assert partition(n) == 0 and stamps(n, "statefulset") == (None, PERSON, None), stamps(n, "statefulset")


@case("StatefulSet: with OnDelete there are no stamps; who comes back to rolling is held, and vouches for nobody")
def _(n):
    apply(stateful(n, updateStrategy={"type": "OnDelete"}))
    patch(n, {"spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}} | forged(), "eve", kind="statefulset")
    assert stamps(n, "statefulset") == (None, None, None), stamps(n, "statefulset")
    patch(n, {"spec": {"updateStrategy": {"type": "RollingUpdate"}}}, PERSON, kind="statefulset", how="merge")
    by, resumed, because = stamps(n, "statefulset")
    assert partition(n) == MOST and (by, resumed) == (None, None) and "somebody unknown" in because, stamps(n, "statefulset")


@case("StatefulSet: break-glass in the same apply runs at once, and lets a held template run, for a machine too")
def _(n):
    glass = lambda image: annotated(stateful(n, image=image), break_glass="INC-7: checkout is down")
    apply(stateful(n))
    apply(glass("app:2"), user=MACHINE)
    assert partition(n) == 0 and stamps(n, "statefulset") == (MACHINE, None, None), stamps(n, "statefulset")
    apply(stateful(n, image="app:3"), user=MACHINE)
    assert partition(n) == MOST, "without the annotation the gate is back"
    apply(annotated(stateful(n, image="app:3"), break_glass="INC-8"), user=MACHINE)
    assert partition(n) == 0 and stamps(n, "statefulset")[2] is None
    apply(annotated(stateful(n, image="app:4"), break_glass=""))
    assert partition(n) == MOST, "without a reason it does not count"


@case("StatefulSet: a partition of the user's own is let be, and so is one without the label")
def _(n):
    apply(stateful(n))
    patch(n, at_partition(2), MACHINE, kind="statefulset")
    patch(n, at_partition(1), MACHINE, kind="statefulset")
    assert partition(n) == 1 and stamps(n, "statefulset") == (None, None, None)
    apply(stateful(f"{n}-plain", gated=False))
    apply(stateful(f"{n}-plain", gated=False, image="app:2"))
    assert partition(f"{n}-plain") == 0 and stamps(f"{n}-plain", "statefulset") == (None, None, None)


@case("StatefulSet: a label taken away while held leaves it as it is; then anybody may let it go", mode="Audit")
def _(n):
    held_set(n)
    apply(stateful(n, gated=False, image="app:2"), user=MACHINE)
    assert partition(n) == MOST, "was let go by the removal"
    patch(n, at_partition(0), MACHINE, kind="statefulset")
    assert partition(n) == 0


@case("StatefulSet: a label put on together with a new template holds it; put on alone it does not")
def _(n):
    apply(stateful(n, gated=False))
    apply(stateful(n, image="app:2"))
    assert partition(n) == MOST
    apply(stateful(f"{n}-alone", gated=False))
    apply(stateful(f"{n}-alone"))
    assert partition(f"{n}-alone") == 0


@case("StatefulSet: with OnDelete nothing is held, as there is no partition, and nothing is refused")
def _(n):
    for image in ("app:1", "app:2"):
        apply(stateful(n, image=image, updateStrategy={"type": "OnDelete"}))
    assert partition(n) == 0 and stamps(n, "statefulset") == (None, None, None)


@case("StatefulSet: the controller raises and lowers the partition and writes annotations as it likes")
def _(n):
    held_set(n)
    body = at_partition(0) | {"metadata": {"annotations": {STAMPS[2]: None}}}
    patch(n, body, ARGS.controller_user, kind="statefulset")
    assert partition(n) == 0 and stamps(n, "statefulset") == (MACHINE, None, None), stamps(n, "statefulset")
    patch(n, at_partition(MOST), ARGS.controller_user, kind="statefulset")
    assert partition(n) == MOST


@case("StatefulSet: a webhook that pins digests: an apply that changes nothing holds and stamps nothing; a change is held")
def _(n):
    with Pinner(n):
        apply(stateful(n))
        assert get("statefulset", n)["spec"]["template"]["spec"]["containers"][0]["image"].endswith(DIGEST), "the webhook did not run"
        for user in (MACHINE, PERSON):
            apply(stateful(n), user=user)
            assert partition(n) == 0 and stamps(n, "statefulset") == (None, None, None), stamps(n, "statefulset")
        apply(stateful(n, image="app:2"), user=MACHINE)
        assert partition(n) == MOST and stamps(n, "statefulset")[0] == MACHINE
        before = stamps(n, "statefulset")
        apply(stateful(n, image="app:2"), user=PERSON)
        assert partition(n) == MOST and stamps(n, "statefulset") == before, stamps(n, "statefulset")


@case("StatefulSet: status writes of its controller leave it held")
def _(n):
    held_set(n)
    kubectl("patch", "statefulset", n, "--subresource=status", "--type=merge", "-p",
            json.dumps({"status": {"observedGeneration": 1, "replicas": 0}}), user="system:serviceaccount:kube-system:statefulset-controller")
    assert partition(n) == MOST


# --- override.mode Enforce ---

def sam_may_bypass():
    """Eve, Sam and a machine may edit; Sam holds the verb besides."""
    verbs = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "bypass", "namespace": NS},
             "rules": [{"apiGroups": ["tidegate.io"], "resources": ["gatedreleases"], "verbs": ["bypass"]}]}
    kubectl("apply", "-f", "-", given=verbs)
    rbac = "rbac.authorization.k8s.io"
    for name, kind, role, users in (("bypass", "Role", "bypass", ["sam"]), ("edit", "ClusterRole", "edit", ["eve", "sam", MACHINE])):
        kubectl("apply", "-f", "-", given={
            "apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": {"name": name, "namespace": NS},
            "roleRef": {"apiGroup": rbac, "kind": kind, "name": role},
            "subjects": [{"apiGroup": rbac, "kind": "User", "name": user} for user in users]})
    for user in ("eve", "sam", MACHINE):
        eventually(lambda: kubectl("auth", "can-i", "patch", "deployments", user=user, groups=()))
    eventually(lambda: kubectl("auth", "can-i", "bypass", "gatedreleases.tidegate.io", user="sam", groups=()))


@case("Enforce: only who holds the verb bypass resumes, or takes the label off a held Deployment", mode="Enforce")
def _(n):
    sam_may_bypass()
    held(n)
    resume = ("rollout", "resume", f"deployment/{n}")
    refused("eve may not let the held template of deployment .* needs the verb bypass", *resume, user="eve", groups=())
    refused("eve may not", "label", "deployment", n, "tidegate.io/gated-", user="eve", groups=())
    apply(deployment(n, image="app:2", paused=False), user=MACHINE)
    assert paused(n), "machines are coerced, not refused"
    kubectl(*resume, user="sam", groups=())
    assert not paused(n) and stamps(n)[1] == "sam"
    name = f"{n}-set"
    held_set(name)
    let_go = ("patch", "statefulset", name, "--type=strategic", "-p", json.dumps(at_partition(0)))
    refused("eve may not let the held template of statefulset .* needs the verb bypass", *let_go, user="eve", groups=())
    refused("eve may not", "label", "statefulset", name, "tidegate.io/gated-", user="eve", groups=())
    apply(stateful(name, image="app:2", partition=0), user=MACHINE)
    assert partition(name) == MOST, "machines are coerced, not refused"
    kubectl(*let_go, user="sam", groups=())
    assert partition(name) == 0 and stamps(name, "statefulset")[1] == "sam"


@case("Enforce: break-glass on what is idle asks for the verb too, with a template or before it; what comes under it later is held", mode="Enforce")
def _(n):
    sam_may_bypass()
    name = f"{n}-set"
    apply(deployment(n))
    apply(stateful(name))
    for kind, what, manifest, is_held in kinds(n):
        glass = lambda image, reason: annotated(manifest(what, image=image), break_glass=reason)
        why = f"let a template of {kind} .* run ungated: it needs the verb bypass"
        given = ("apply", "--server-side", "--force-conflicts", "--field-manager=git", "-f", "-")
        for user in ("eve", MACHINE):
            for refuse in (glass("app:2", "INC-7"), glass("app:1", "INC-7")):
                refused(why, *given, given=refuse, user=user, groups=())
        apply(glass("app:2", "INC-7"), user="sam", groups=())
        assert not is_held(what), "who holds the verb breaks the glass"
        refused(why, *given, given=glass("app:3", "INC-8"), user="eve", groups=())
        apply(glass("app:3", "INC-7"), user="eve", groups=())
        assert is_held(what), "what comes under a reason that stands is held, and asks for no verb"


@case("Enforce: the label taken off together with a template asks for the verb; taken off alone while nothing is held it does not", mode="Enforce")
def _(n):
    sam_may_bypass()
    name = f"{n}-set"
    apply(deployment(n))
    apply(stateful(name))
    for kind, what, manifest in (("deployment", n, deployment), ("statefulset", name, stateful)):
        image = lambda image: {"template": {"spec": {"containers": [{"name": "app", "image": image}]}}}
        both = lambda to: ("patch", kind, what, "--type=strategic", "-p",
                           json.dumps({"metadata": {"labels": {"tidegate.io/gated": None}}, "spec": image(to)}))
        why = f"may not take {kind} .* out of the gate together with a new template.* needs the verb bypass"
        for user in ("eve", MACHINE):
            refused(why, *both("app:2"), user=user, groups=())
        kubectl("label", kind, what, "tidegate.io/gated-", user="eve", groups=())
        assert "tidegate.io/gated" not in get(kind, what)["metadata"].get("labels", {}), "leaving is free"
        kubectl("label", kind, what, "tidegate.io/gated=", user="eve", groups=())
        kubectl(*both("app:2"), user="sam", groups=())
        held_now = paused(what) if kind == "deployment" else partition(what) == MOST
        assert not held_now, "who holds the verb takes both"


@case("Enforce: a write of the status takes no label off what is held and breaks no glass", mode="Enforce")
def _(n):
    sam_may_bypass()
    rbac, name = "rbac.authorization.k8s.io", f"{n}-set"
    kubectl("apply", "-f", "-", given={
        "apiVersion": f"{rbac}/v1", "kind": "Role", "metadata": {"name": "statuses", "namespace": NS},
        "rules": [{"apiGroups": ["apps"], "resources": ["deployments/status", "statefulsets/status"], "verbs": ["patch", "update"]}]})
    kubectl("apply", "-f", "-", given={
        "apiVersion": f"{rbac}/v1", "kind": "RoleBinding", "metadata": {"name": "statuses", "namespace": NS},
        "roleRef": {"apiGroup": rbac, "kind": "Role", "name": "statuses"},
        "subjects": [{"apiGroup": rbac, "kind": "User", "name": "eve"}]})
    eventually(lambda: kubectl("auth", "can-i", "patch", "statefulsets", "--subresource=status", user="eve", groups=()))
    held(n)
    held_set(name)
    status = lambda kind, what, meta: ("patch", kind, what, "--subresource=status", "--type=merge", "-p", json.dumps({"metadata": meta}))
    off, glass = {"labels": {"tidegate.io/gated": None}}, {"annotations": {"tidegate.io/break-glass": "INC-7"}}
    refused("eve may not let the held template of statefulset .* needs the verb bypass", *status("statefulset", name, off), user="eve", groups=())
    for kind, what in (("deployment", n), ("statefulset", name)):
        refused(f"let a template of {kind} .* run ungated: it needs the verb bypass", *status(kind, what, glass), user="eve", groups=())
    assert partition(name) == MOST and "tidegate.io/gated" in get("statefulset", name)["metadata"]["labels"]
    # A Deployment keeps its labels at a write of its status, whatever that sends.
    kubectl(*status("deployment", n, off), user="eve", groups=())
    assert paused(n) and "tidegate.io/gated" in get("deployment", n)["metadata"]["labels"]


@case("Audit: the label taken off together with a template asks nobody for a verb", mode="Audit")
def _(n):
    apply(deployment(n))
    kubectl("create", "rolebinding", f"edit-{n}", "--clusterrole=edit", "--user=eda")
    eventually(lambda: kubectl("auth", "can-i", "patch", "deployments", user="eda", groups=()))
    change = {"metadata": {"labels": {"tidegate.io/gated": None}},
              "spec": {"template": {"spec": {"containers": [{"name": "app", "image": "app:2"}]}}}}
    kubectl("patch", "deployment", n, "--type=strategic", "-p", json.dumps(change), user="eda", groups=())
    assert not paused(n)


@case("Audit: break-glass on what is idle asks nobody for a verb", mode="Audit")
def _(n):
    apply(deployment(n))
    kubectl("create", "rolebinding", f"edit-{n}", "--clusterrole=edit", "--user=eva")
    eventually(lambda: kubectl("auth", "can-i", "patch", "deployments", user="eva", groups=()))
    apply(annotated(deployment(n, image="app:2"), break_glass="INC-7"), user="eva", groups=())
    assert not paused(n)


# --- weights ---

def route(name, *rules, **annotations):
    return annotated({"apiVersion": "gateway.networking.k8s.io/v1", "kind": "HTTPRoute", "metadata": {"name": name, "namespace": NS},
                      "spec": {"parentRefs": [{"name": "web"}], "rules": list(rules)}}, **annotations)


def rule(path, *backends, **more):
    return {"matches": [{"path": {"type": "PathPrefix", "value": path}}],
            "backendRefs": [{"name": b, "port": 80, "weight": w} for b, w in backends], **more}


def weights(name):
    return [[(b["name"], b["weight"]) for b in r.get("backendRefs", [])] for r in get("httproute", name)["spec"]["rules"]]


GIT = lambda name, **more: route(name, rule("/", ("shop", 1), **more), rule("/other", ("other", 1)))
SPLIT = [("shop", 75), ("shop-canary", 25)]


def released(name, backends=SPLIT):
    """A route as Git has it, then marked and split by the controller."""
    apply(GIT(name))
    body = {"metadata": {"annotations": {"tidegate.io/weights": "shop", "tidegate.io/weights-before": '{"0":[1]}',
                                         "tidegate.io/withdrawn": "why"}},
            "spec": {"rules": [rule("/", *backends), rule("/other", ("other", 1))]}}
    patch(name, body, ARGS.controller_user, kind="httproute", how="merge")
    assert weights(name)[0] == backends, weights(name)


@case("a re-apply from Git keeps the weights, in server-side and client-side apply and replace")
def _(n):
    released(n)
    apply(GIT(n), user=MACHINE)
    assert weights(n) == [SPLIT, [("other", 1)]], weights(n)
    kubectl("apply", "-f", "-", user=PERSON, given=GIT(n))
    assert weights(n)[0] == SPLIT
    kubectl("replace", "-f", "-", user=MACHINE, given=GIT(n))
    assert weights(n)[0] == SPLIT
    marks = get("httproute", n)["metadata"]["annotations"]
    assert [marks.get(f"tidegate.io/{m}") for m in ("weights", "weights-before", "withdrawn")] == ["shop", '{"0":[1]}', "why"], marks


@case("weights on the previous version, all on it or none, are kept too")
def _(n):
    for index, backends in enumerate(([("shop", 0), ("shop-previous", 100)], [("shop-previous", 100)], [("shop", 100), ("shop-canary", 0)])):
        released(f"{n}-{index}", backends)
        apply(GIT(f"{n}-{index}"), user=MACHINE)
        assert weights(f"{n}-{index}")[0] == backends, backends


@case("other edits of the route go through while the weights stay")
def _(n):
    released(n)
    edited = GIT(n, timeouts={"request": "3s"})
    edited["spec"]["rules"][1] = rule("/other", ("other", 2), ("more", 1))
    edited["spec"]["rules"].append(rule("/new", ("shop", 1)))
    apply(edited, user=MACHINE)
    assert get("httproute", n)["spec"]["rules"][0]["timeouts"] == {"request": "3s"}
    assert weights(n) == [SPLIT, [("other", 2), ("more", 1)], [("shop", 1)]], weights(n)


@case("rules put in another order keep their weights")
def _(n):
    released(n)
    turned = GIT(n)
    turned["spec"]["rules"].reverse()
    apply(turned, user=MACHINE)
    assert weights(n) == [[("other", 1)], SPLIT], weights(n)


@case("backends of others are the owner's beside a divided Service")
def _(n):
    released(n, [("legacy", 100), ("shop", 225), ("shop-canary", 75)])
    for sent, stands in (
        ([("legacy", 100), ("shop", 300)], [("legacy", 100), ("shop", 225), ("shop-canary", 75)]),
        ([("legacy", 50), ("shop", 300)], [("legacy", 50), ("shop", 225), ("shop-canary", 75)]),
        ([("shop", 400), ("new", 1)], [("shop", 300), ("shop-canary", 100), ("new", 1)]),
        ([("shop", 300)], SPLIT),
        ([("new", 100), ("shop", 100)], [("new", 100), *SPLIT]),
        # Not in hundredths: the new version never gets more than its share.
        ([("shop", 150), ("new", 1)], [("shop", 113), ("shop-canary", 37), ("new", 1)]),
        # The Service has no weight any more: so it was meant.
        ([("shop", 0), ("new", 1)], [("shop", 0), ("new", 1)]),
    ):
        apply(route(n, rule("/", *sent), rule("/other", ("other", 1))), user=MACHINE)
        assert weights(n) == [stands, [("other", 1)]], (sent, weights(n))


@case("what does not come out even goes to the oldest version that has a share")
def _(n):
    for index, (stood, given, comes) in enumerate((
        ([("shop", 75), ("shop-previous", 225), ("new", 1)], 1, [("shop", 0), ("shop-previous", 1), ("new", 1)]),
        ([("shop", 0), ("shop-canary", 300), ("new", 1)], 1, [("shop", 0), ("shop-canary", 1), ("new", 1)]),
        ([("shop", 150), ("shop-canary", 150), ("shop-previous", 0), ("new", 1)], 1,
         [("shop", 1), ("shop-canary", 0), ("shop-previous", 0), ("new", 1)]),
    )):
        released(f"{n}-{index}", stood)
        apply(route(f"{n}-{index}", rule("/", ("shop", given), ("new", 1))), user=MACHINE)
        assert weights(f"{n}-{index}") == [comes], weights(f"{n}-{index}")


@case("port and filters of the backend are the owner's, for every version")
def _(n):
    released(n)
    edited, filters = GIT(n), [{"type": "RequestHeaderModifier", "requestHeaderModifier": {"remove": ["x"]}}]
    edited["spec"]["rules"][0]["backendRefs"][0] |= {"port": 8080, "filters": filters}
    apply(edited, user=MACHINE)
    assert weights(n)[0] == SPLIT
    backends = get("httproute", n)["spec"]["rules"][0]["backendRefs"]
    assert [(b["port"], b["filters"], b["group"], b["kind"]) for b in backends] == [(8080, filters, "", "Service")] * 2, backends


@case("a Service of the same name in another namespace is somebody else's")
def _(n):
    released(n)
    edited = GIT(n)
    elsewhere = {"name": "shop", "namespace": "old", "port": 80, "weight": 100}
    edited["spec"]["rules"][0]["backendRefs"] = [elsewhere, {"name": "shop", "port": 80, "weight": 100}]
    apply(edited, user=MACHINE)
    assert weights(n)[0] == [("shop", 100), *SPLIT], weights(n)
    assert get("httproute", n)["spec"]["rules"][0]["backendRefs"][0]["namespace"] == "old"


@case("a rule that is put in above is its owner's, and the others stay divided")
def _(n):
    released(n)
    apply(route(n, rule("/new", ("shop", 1)), rule("/other", ("shop", 2)), rule("/", ("shop", 1))), user=MACHINE)
    assert weights(n) == [[("shop", 1)], [("shop", 2)], SPLIT], weights(n)


@case("rules that match the same are divided each")
def _(n):
    released(n)
    apply(route(n, rule("/", ("shop", 1)), rule("/", ("shop", 1)), rule("/", ("other", 1))), user=MACHINE)
    assert weights(n) == [SPLIT, SPLIT, [("other", 1)]], weights(n)


@case("where the Service has no users, a new rule sends it none")
def _(n):
    away = [("shop", 0), ("shop-previous", 100)]
    released(n, away)
    apply(route(n, rule("/new", ("shop", 1)), rule("/beside", ("shop", 50), ("other", 50)), rule("/", ("shop", 1))), user=MACHINE)
    assert weights(n) == [away, [("shop", 0), ("shop-previous", 50), ("other", 50)], away], weights(n)


CART = [("cart", 95), ("cart-canary", 5)]
BESIDE = [("docs", 1), ("shop", 75), ("shop-canary", 25), ("old", 7), ("cart", 190), ("cart-canary", 10)]
OF_TWO = lambda name: route(name, rule("/cart", ("cart", 3)), rule("/both", ("docs", 1), ("shop", 100), ("old", 7), ("cart", 200)),
                            rule("/", ("shop", 1)))


def two_released(name, marked="cart,shop"):
    """A route of two Services, divided for both, marked for whoever is named."""
    apply(OF_TWO(name))
    body = {"metadata": {"annotations": {"tidegate.io/weights": marked}},
            "spec": {"rules": [rule("/cart", *CART), rule("/both", *BESIDE), rule("/", *SPLIT)]}}
    patch(name, body, ARGS.controller_user, kind="httproute", how="merge")
    assert weights(name) == [CART, BESIDE, SPLIT], weights(name)


@case("each of two Services released behind one route keeps its own shares at every re-apply from Git")
def _(n):
    two_released(n)
    for _again in range(2):
        apply(OF_TWO(n), user=MACHINE)
        assert weights(n) == [CART, BESIDE, SPLIT], weights(n)
    kubectl("apply", "-f", "-", user=PERSON, given=OF_TWO(n))
    kubectl("replace", "-f", "-", user=MACHINE, given=OF_TWO(n))
    assert weights(n) == [CART, BESIDE, SPLIT], weights(n)
    assert get("httproute", n)["metadata"]["annotations"].get("tidegate.io/weights") == "cart,shop"
    two_released(f"{n}-one", marked="cart")
    apply(OF_TWO(f"{n}-one"), user=MACHINE)
    one = [("docs", 1), ("shop", 100), ("old", 7), ("cart", 190), ("cart-canary", 10)]
    assert weights(f"{n}-one") == [CART, one, [("shop", 1)]], weights(f"{n}-one")


@case("edits of a rule of two Services go through, and both keep their shares of it")
def _(n):
    two_released(n)
    for sent, stands in (
        ([("cart", 400), ("new", 5), ("shop", 100)], [("cart", 380), ("cart-canary", 20), ("new", 5), *SPLIT]),
        ([("shop", 300), ("cart", 100)], [("shop", 225), ("shop-canary", 75), *CART]),
        ([("cart", 7)], CART),
        ([("docs", 3)], [("docs", 3)]),
    ):
        apply(route(n, rule("/", ("shop", 1), timeouts={"request": "3s"}), rule("/both", *sent), rule("/cart", ("cart", 1))), user=MACHINE)
        assert weights(n) == [SPLIT, stands, CART], (sent, weights(n))
        assert get("httproute", n)["spec"]["rules"][0]["timeouts"] == {"request": "3s"}


@case("sixteen Services keep their shares in the largest route there is: the expression stays within its cost")
def _(n):
    names = [f"s{i:02}" for i in range(16)]

    def filled(i, own, *canary):
        """A rule of sixteen backends, or of fifteen and what comes."""
        beside = [(names[(i + 1 + other) % 16], 1) for other in range(14)]
        return rule(f"/{i}", *beside[:7], (names[i], own), *beside[7:], *canary)

    git = route(n, *(filled(i, 100) for i in range(16)))
    apply(git)
    divided = [filled(i, 90, (f"{names[i]}-canary", 10)) for i in range(16)]
    body = {"metadata": {"annotations": {"tidegate.io/weights": ",".join(names)}}, "spec": {"rules": divided}}
    patch(n, body, ARGS.controller_user, kind="httproute", how="merge")
    apply(git, user=MACHINE)
    for i, backends in enumerate(weights(n)):
        of = dict(backends)
        assert (of[names[i]], of.get(f"{names[i]}-canary"), len(backends)) == (90, 10, 16), (i, backends)


@case("a person who raises the canary by hand changes nothing")
def _(n):
    released(n)
    patch(n, [{"op": "replace", "path": "/spec/rules/0/backendRefs", "value": rule("/", ("shop-canary", 100))["backendRefs"]}],
          PERSON, kind="httproute", how="json")
    assert weights(n)[0] == SPLIT


@case("a rule moved to another Service on purpose goes through")
def _(n):
    released(n)
    apply(route(n, rule("/", ("maintenance", 1)), rule("/other", ("other", 1))), user=PERSON)
    assert weights(n)[0] == [("maintenance", 1)]


@case("break-glass on the route lets anything through")
def _(n):
    released(n)
    apply(annotated(GIT(n), break_glass="INC-7: Tidegate is down"), user=PERSON)
    assert weights(n)[0] == [("shop", 1)]


@case("the controller raises, lowers and ends; afterwards Git is free again")
def _(n):
    released(n)
    ended = {"metadata": {"annotations": {"tidegate.io/weights": None, "tidegate.io/weights-before": None,
                                          "tidegate.io/withdrawn": None}}, "spec": {"rules": GIT(n)["spec"]["rules"]}}
    patch(n, ended, ARGS.controller_user, kind="httproute", how="merge")
    assert weights(n)[0] == [("shop", 1)]
    apply(route(n, rule("/", ("shop", 7))), user=MACHINE)
    assert weights(n) == [[("shop", 7)]]


# --- records and attestations ---

def record(name, labels=None):
    return {"apiVersion": "tidegate.io/v1alpha1", "kind": "ReleaseRecord", "metadata": {"name": name, "namespace": NS, "labels": labels or {}},
            "spec": {"release": "shop", "attempt": 1, "workloadUid": "u", "revision": "r1", "riskBudget": "shop",
                     "change": {"type": "Feature"}}}


RECORD_STATUS = {"status": {"phase": "Plan", "phaseSince": "2026-01-01T00:00:00Z"}}
ONLY = "written by Tidegate only, not by "


@case("a record is created by the controller and by nobody else, not even the cluster's admin")
def _(n):
    for user in (PERSON, MACHINE):
        refused(ONLY + re.escape(user), "create", "-f", "-", user=user, given=record(n))
    refused(ONLY, "create", "-f", "-", given=record(n))
    kubectl("create", "-f", "-", user=ARGS.controller_user, given=record(n))


@case("the status of a RiskBudget is written by the controller only")
def _(n):
    kubectl("create", "-f", "-", given={"apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget", "metadata": {"name": n, "namespace": NS},
                                        "spec": {"tier": 1, "slos": [{"name": "a", "objective": 99, "availability": {"service": "a"}}]}})
    args = ("patch", "riskbudget", n, "--subresource=status", "--type=merge", "-p", json.dumps({"status": {"observedGeneration": 99}}))
    refused("the status of riskbudgets", *args)
    kubectl(*args, user=ARGS.controller_user)


@case("a record's status and labels are written by the controller only")
def _(n):
    kubectl("create", "-f", "-", user=ARGS.controller_user, given=record(n))
    args = ("patch", "releaserecord", n, "--subresource=status", "--type=merge", "-p", json.dumps(RECORD_STATUS))
    refused(ONLY, *args, user=PERSON)
    kubectl(*args, user=ARGS.controller_user)
    refused(ONLY, "label", "releaserecord", n, "tidegate.io/release=other", user=PERSON)


@case("a sealed record stays sealed, for the controller too")
def _(n):
    kubectl("create", "-f", "-", user=ARGS.controller_user, given=record(n))
    write = lambda **status: kubectl("patch", "releaserecord", n, "--subresource=status", "--type=merge", "-p",
                                     json.dumps({"status": {**RECORD_STATUS["status"], **status}}), user=ARGS.controller_user)
    write(outcome="Succeeded")
    try:
        write(outcome="RolledBack")
    except Refused as why:
        assert "status: the record is sealed" in str(why), why
    else:
        raise AssertionError("the outcome was changed")


@case("a record is deleted by who may purge it, one by one and all at once, in the foreground too", mode="RBAC")
def _(n):
    editor, purger = f"eve-{n}", f"sam-{n}"
    for verb in ("get", "list", "watch", "delete", "deletecollection"):
        holds(editor, verb, "releaserecords")
        holds(purger, verb, "releaserecords")
    holds(purger, "purge", "releaserecords")
    why = f"deleted by who holds the verb purge on releaserecords.tidegate.io, not by {editor}"
    for cascade in ("background", "foreground"):
        kubectl("create", "-f", "-", user=ARGS.controller_user, given=record(n, labels={"case": n}))
        refused(why, "delete", "releaserecord", n, f"--cascade={cascade}", "--timeout=20s", user=editor, groups=())
        refused(why, "delete", "--raw", f"/apis/tidegate.io/v1alpha1/namespaces/{NS}/releaserecords?labelSelector=case%3D{n}", user=editor, groups=())
        kubectl("delete", "releaserecord", n, f"--cascade={cascade}", "--timeout=20s", user=purger, groups=())


@case("a record that goes on is not pruned, a sealed one is")
def _(n):
    kubectl("create", "-f", "-", user=ARGS.controller_user, given=record(n))
    refused("prunes only what is sealed", "delete", "releaserecord", n, user=ARGS.controller_user)
    sealed = {"status": RECORD_STATUS["status"] | {"outcome": "Succeeded"}}
    kubectl("patch", "releaserecord", n, "--subresource=status", "--type=merge", "-p", json.dumps(sealed), user=ARGS.controller_user)
    kubectl("delete", "releaserecord", n, "--timeout=20s", user=ARGS.controller_user)


def attestation(name, kind="approval", labels=None, **spec):
    role = {"role": "sre"} if kind == "approval" else {}
    return {"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"name": name, "namespace": NS, "labels": labels or {}},
            "spec": {"releaseRef": {"name": "shop"}, "revision": "r1", "type": kind, **role, **spec}}


def attest(user, thing, groups=()):
    kubectl("create", "-f", "-", user=user, groups=groups, given=thing)


def holds(user, verb, resource, name=None):
    """Grants it in the namespace, with what it takes to create, delete and change attestations, and waits until it counts."""
    role = f"{user}-{verb}-{resource}-{name or 'all'}".replace(":", "-")
    rules = [{"apiGroups": ["tidegate.io"], "resources": [resource], "verbs": [verb], **({"resourceNames": [name]} if name else {})},
             {"apiGroups": ["tidegate.io"], "resources": ["attestations"], "verbs": ["create", "delete", "patch", "get"]}]
    kubectl("apply", "-f", "-", given={"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
                                       "metadata": {"name": role, "namespace": NS}, "rules": rules})
    kubectl("apply", "-f", "-", given={"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
                                       "metadata": {"name": role, "namespace": NS},
                                       "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": role},
                                       "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": user}]})
    review = {"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview",
              "spec": {"user": user, "resourceAttributes": {"namespace": NS, "group": "tidegate.io", "verb": verb, "resource": resource,
                                                            **({"name": name} if name else {})}}}
    eventually(lambda: json.loads(kubectl("create", "-f", "-", "-o", "json", given=review))["status"]["allowed"])


@case("an attestation is made in one's own name and cannot be edited")
def _(n):
    refused("spec.author: sam is not you; .* write dana", "create", "-f", "-", user=PERSON, given=attestation(n, author="sam"))
    attest(PERSON, attestation(n), groups=("system:masters",))
    refused("an attestation cannot be edited", "patch", "attestation", n, "--type=merge", "-p", '{"spec":{"outcome":"Failed"}}', user=PERSON)


@case("author, groups and the release's label are filled in; what was made up is not kept")
def _(n):
    attest(PERSON, attestation(n, groups=["sre-leads"], labels={"tidegate.io/release": "other", "team": "a"}), groups=("system:masters", "sre"))
    made = get("attestation", n)
    assert made["spec"]["author"] == PERSON, made
    assert {"system:masters", "sre", "system:authenticated"} == set(made["spec"]["groups"]), made
    assert made["metadata"]["labels"] == {"tidegate.io/release": "shop", "team": "a"}, made
    release = "a" * 64
    attest(PERSON, attestation(f"{n}-long", releaseRef={"name": release}), groups=("system:masters",))
    assert "tidegate.io/release" not in get("attestation", f"{n}-long")["metadata"].get("labels", {})


@case("no machine approves or starts, not even the cluster's admin")
def _(n):
    for user in (MACHINE, "system:node:a", "system:kube-scheduler", ARGS.controller_user):
        for kind in ("approval", "start"):
            refused(f"spec.type: {kind} is said by people, whatever roles a machine has, and {re.escape(user)} is none",
                    "create", "-f", "-", user=user, given=attestation(n, kind))
    attest(MACHINE, attestation(n, "unit-tests"), groups=("system:masters",))


@case("who approves, starts or attests holds the verb for just that", mode="RBAC")
def _(n):
    user = f"eve-{n}"
    holds(user, "approve", "releaseroles", "dba")
    refused(f"spec.role: {user} may not speak as sre in {NS}: it needs the verb approve .* kubectl create rolebinding approve-sre",
            "create", "-f", "-", user=user, groups=(), given=attestation(n))
    refused(f"spec.type: {user} may not start release shop in {NS}: it needs the verb start on gatedreleases",
            "create", "-f", "-", user=user, groups=(), given=attestation(n, "start"))
    holds(user, "attest", "evidence", "unit-tests")
    refused(f"spec.type: {user} may not attest sast in {NS}: it needs the verb attest on evidence.tidegate.io named sast",
            "create", "-f", "-", user=user, groups=(), given=attestation(n, "sast"))
    attest(user, attestation(f"{n}-tests", "unit-tests"))
    attest(user, attestation(f"{n}-dba", role="dba"))
    holds(user, "approve", "releaseroles", "sre")
    attest(user, attestation(f"{n}-sre"))
    holds(user, "start", "gatedreleases")
    attest(user, attestation(f"{n}-start", "start"))


@case("what somebody else signed takes no verb, and is never an approval or a start", mode="RBAC")
def _(n):
    user = f"relay-{n}"
    holds(user, "create", "attestations")
    signed = {"statement": {"token": "head.body.signature"}}
    attest(user, attestation(f"{n}-signed", "sast", **signed))
    assert get("attestation", f"{n}-signed")["spec"]["author"] == user
    refused(f"spec.type: {user} may not attest sast in {NS}", "create", "-f", "-", user=user, groups=(), given=attestation(n, "sast"))
    for kind in ("approval", "start"):
        refused("need an author whom the API server authenticates", "create", "-f", "-", user=PERSON, given=attestation(n, kind, **signed))
    refused("exactly one of token and envelope is what was signed", "create", "-f", "-", user=user, groups=(),
            given=attestation(n, "sast", statement={}))


@case("an attestation is deleted by its author or who may purge, one by one and all at once", mode="RBAC")
def _(n):
    author, other, purger = f"eve-{n}", f"mallory-{n}", f"sam-{n}"
    for user in (author, other):
        holds(user, "approve", "releaseroles", "sre")
    holds(other, "deletecollection", "attestations")
    holds(purger, "purge", "attestations")
    for user in (author, purger):
        attest(author, attestation(n, outcome="Failed", labels={"case": n}))
        why = f"deleted by its author, {author}, or by who holds the verb purge on attestations.tidegate.io, not by {other}"
        refused(why, "delete", "attestation", n, user=other, groups=())
        refused(why, "delete", "--raw", f"/apis/tidegate.io/v1alpha1/namespaces/{NS}/attestations?labelSelector=case%3D{n}", user=other, groups=())
        kubectl("delete", "attestation", n, user=user, groups=())
    attest(author, attestation(n))
    kubectl("delete", "attestation", n, user=ARGS.controller_user)


@case("a RiskBudget is deleted by who may purge it, one by one and all at once", mode="RBAC")
def _(n):
    editor, purger = f"eve-{n}", f"sam-{n}"
    budget = {"apiVersion": "tidegate.io/v1alpha1", "kind": "RiskBudget", "metadata": {"name": n, "namespace": NS, "labels": {"case": n}},
              "spec": {"tier": 2, "slos": [{"name": "a", "objective": 99.5, "availability": {"service": "web"}}]}}
    for verb in ("create", "get", "patch", "delete", "deletecollection"):
        holds(editor, verb, "riskbudgets")
        holds(purger, verb, "riskbudgets")
    holds(purger, "purge", "riskbudgets")
    kubectl("create", "-f", "-", user=editor, groups=(), given=budget)
    why = f"deleted by who holds the verb purge on riskbudgets.tidegate.io, not by {editor}"
    refused(why, "delete", "riskbudget", n, user=editor, groups=())
    refused(why, "delete", "--raw", f"/apis/tidegate.io/v1alpha1/namespaces/{NS}/riskbudgets?labelSelector=case%3D{n}", user=editor, groups=())
    owner = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}]}}
    refused("metadata.ownerReferences: an owner would let", "patch", "riskbudget", n, "--type=merge", "-p", json.dumps(owner), user=editor, groups=())
    kubectl("delete", "riskbudget", n, user=purger, groups=())


@case("labels of Tidegate and owners of an attestation stay as they are; other labels are anybody's", mode="RBAC")
def _(n):
    user = f"eve-{n}"
    holds(user, "approve", "releaseroles", "sre")
    attest(user, attestation(n))
    owner = {"metadata": {"ownerReferences": [{"apiVersion": "v1", "kind": "ConfigMap", "name": "gone", "uid": "1"}]}}
    refused("metadata.labels: the labels tidegate.io/", "label", "attestation", n, "tidegate.io/release-", user=user, groups=())
    refused("metadata.labels: the labels tidegate.io/", "label", "attestation", n, "tidegate.io/role=canary", user=user, groups=())
    refused("metadata.ownerReferences: an owner would let", "patch", "attestation", n, "--type=merge", "-p", json.dumps(owner), user=user, groups=())
    kubectl("label", "attestation", n, "team=shop", user=user, groups=())


# --- the rules of the CRDs ---

def manifests():
    for path in sorted((HERE / "valid").glob("*.yaml")):
        yield path, None
    for path in sorted((HERE / "invalid").glob("*.yaml")):
        yield path, [line[len("# expect: "):].strip() for line in path.read_text().splitlines() if line.startswith("# expect: ")]


def check_manifest(path, expected):
    args = (("create", "--dry-run=server", "-f", str(path)))
    if expected is None:
        kubectl(*args, user=PERSON)
        return
    assert expected, "no line `# expect: …`"
    try:
        kubectl(*args, user=PERSON)
    except Refused as why:
        assert all(part in str(why) for part in expected), f"expected {expected}, got: {why}"
        # kubectl prints a list where there are several; the API server adds a line where rules were left out.
        errors = [line for line in str(why).splitlines() if line.startswith("* ") and "some validation rules were not checked" not in line]
        assert len(errors) <= 1, f"several errors: {errors}"
        return
    raise AssertionError("was not refused")


# --- a webhook that rewrites images, as digest pinners do ---

class Pinner:
    def __init__(self, app):
        self.app = app

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        key, cert = (f"{self.folder.name}/{name}" for name in ("key", "cert"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=pinner", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", key, "-out", cert],
                       check=True, capture_output=True)

        class Handler(http.server.BaseHTTPRequestHandler):
            def log_message(self, *_):
                pass

            def do_POST(self):
                request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["request"]
                image = request["object"]["spec"]["template"]["spec"]["containers"][0]["image"]
                answer = {"uid": request["uid"], "allowed": True}
                if "@" not in image:
                    change = [{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": image + DIGEST}]
                    answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(change).encode()).decode()}
                body = json.dumps({"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": answer}).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(cert, key)
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        kubectl("apply", "-f", "-", given={
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration", "metadata": {"name": NS},
            "webhooks": [{"name": "pinner.example.com", "sideEffects": "None", "admissionReviewVersions": ["v1"], "failurePolicy": "Fail",
                          "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": NS}},
                          "clientConfig": {"url": f"https://127.0.0.1:{self.server.server_port}/",
                                           "caBundle": base64.b64encode(open(cert, "rb").read()).decode()},
                          "rules": [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["CREATE", "UPDATE"],
                                     "resources": ["deployments", "statefulsets"]}]}]})
        eventually(lambda: "@" in kubectl("create", "deployment", "probe", "--image=x", "--dry-run=server", "-o", "yaml"))

    def __exit__(self, *_):
        kubectl("delete", "mutatingwebhookconfiguration", NS)
        self.server.shutdown()
        self.server.server_close()
        self.folder.cleanup()
        eventually(lambda: "@" not in kubectl("create", "deployment", "probe", "--image=x", "--dry-run=server", "-o", "yaml"))


def eventually(holds, seconds=30):
    deadline = time.time() + seconds
    while True:
        try:
            if holds():
                return
        except Refused:
            pass
        assert time.time() < deadline, "did not come about"
        time.sleep(0.3)


def policies_work():
    apply(deployment("ready"))
    apply(deployment("ready", image=f"app:{random.randrange(10**9)}"))
    apply(stateful("ready"))
    apply(stateful("ready", image=f"app:{random.randrange(10**9)}"))
    return paused("ready") and partition("ready") == MOST


def rbac_is_served():
    """Not on a sandbox, where everybody may do everything but a few things."""
    return "rbac.authorization.k8s.io/v1" in kubectl("api-versions").split()


def main():
    failed, started = 0, time.time()
    kubectl("create", "namespace", NS)
    try:
        eventually(policies_work)
        modes = (None, ARGS.override, *(["RBAC"] if rbac_is_served() else []))
        tests = [(sentence, lambda f=f, i=i: f(f"c{i}")) for i, (sentence, mode, f) in enumerate(CASES) if mode in modes]
        tests += [(f"{path.parent.name}/{path.name}", lambda p=path, e=expected: check_manifest(p, e)) for path, expected in manifests()]
        for sentence, test in tests:
            try:
                test()
                print(f"ok    {sentence}", flush=True)
            except (AssertionError, Refused, KeyError) as why:
                failed += 1
                print(f"FAIL  {sentence}: {type(why).__name__} {why}", flush=True)
    finally:
        kubectl("delete", "namespace", NS, "--wait=false")
    print(f"{len(tests) - failed} of {len(tests)} cases passed in {time.time() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--controller-user", default="system:serviceaccount:tidegate-system:tidegate")
    parser.add_argument("--override", default="Audit", choices=("Audit", "Enforce"), help="the chart's override.mode")
    ARGS = parser.parse_args()
    sys.exit(main())
