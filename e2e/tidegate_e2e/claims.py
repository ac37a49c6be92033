"""What people and pipelines say of a revision, as themselves, with kubectl."""

from __future__ import annotations

import json
import subprocess
from datetime import datetime, timedelta, timezone

from . import api, bed
from .shop import Shop
from .waits import Failed

RBAC = "rbac.authorization.k8s.io"


def attest(shop: Shop, user: str, kind: str, role: str | None = None, facts: dict[str, str] | None = None, author: str | None = None, expires: float | None = None, outcome: str = "Passed") -> None:
    """As that user; the author is left to admission where none is given. It lapses after so many seconds, where it does."""
    revision = shop.live_release()["status"]["revision"]
    spec = {"releaseRef": {"name": shop.name}, "revision": revision, "type": kind, "outcome": outcome, "facts": facts or {}}
    spec |= ({"role": role} if role else {}) | ({"author": author} if author else {})
    if expires is not None:
        spec["expiresAt"] = f"{datetime.now(timezone.utc) + timedelta(seconds=expires):%Y-%m-%dT%H:%M:%SZ}"
    claim = {"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"generateName": f"{kind}-", "namespace": shop.namespace}, "spec": spec}
    bed.kubectl("create", "-f", "-", "--as", user, stdin=json.dumps(claim))


def meet(shop: Shop, user: str, owed: dict, facts: dict[str, str]) -> None:
    """As that user: what is owed was done."""
    budget = shop.budget_name or shop.name
    spec = {"releaseRef": {"kind": "RiskBudget", "name": budget}, "revision": owed["name"], "type": owed["type"], "facts": facts}
    claim = {"apiVersion": "tidegate.io/v1alpha1", "kind": "Attestation", "metadata": {"generateName": f"{owed['type']}-", "namespace": shop.namespace}, "spec": spec}
    bed.kubectl("create", "-f", "-", "--as", user, stdin=json.dumps(claim))


def refused(shop: Shop, user: str, kind: str, **more: str) -> str:
    """What the API server answers to somebody who may not say that."""
    try:
        attest(shop, user, kind, **more)
    except (subprocess.CalledProcessError, Failed, RuntimeError) as why:
        return str(getattr(why, "stderr", "") or why)
    raise Failed(f"{user} was not refused as {more or kind}")


def may_attest(shop: Shop, users: list[str], kinds: list[str]) -> None:
    """These users may make attestations, and attest these types."""
    makes = {"apiGroups": ["tidegate.io"], "resources": ["attestations"], "verbs": ["create"]}
    attests = {"apiGroups": ["tidegate.io"], "resources": ["evidence"], "resourceNames": kinds, "verbs": ["attest"]}
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "Role", "metadata": shop.meta("people"), "rules": [makes, attests]})
    bind(shop, "people", "Role", "people", *users)


def may_approve(shop: Shop, **users: str) -> None:
    """Each user holds the role that it is named by here, with _ for -."""
    for role, user in users.items():
        role = role.replace("_", "-")
        bind(shop, role, "ClusterRole", f"tidegate-approve-{role}", user)


def bind(shop: Shop, name: str, kind: str, role: str, *users: str) -> None:
    subjects = [{"apiGroup": RBAC, "kind": "User", "name": user} for user in users]
    api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta(name), "roleRef": {"apiGroup": RBAC, "kind": kind, "name": role}, "subjects": subjects})
