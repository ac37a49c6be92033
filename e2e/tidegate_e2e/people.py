"""Who asks the API server, with what it proves them by, and the command `tidegate` as they type it."""

from __future__ import annotations

import json
import os
import secrets
import subprocess
from pathlib import Path

from . import api, bed
from .claims import RBAC
from .shop import Shop


def person(shop: Shop, name: str) -> Path:
    """A kubeconfig of somebody whom the cluster's authority gave a certificate; what they may do is bound elsewhere."""
    key, request, certificate, use = (folder(shop) / f"{name}.{end}" for end in ("key", "csr", "crt", "ext"))
    # With extensions: without any it would be of version 1, which rustls does not take.
    use.write_text("keyUsage=digitalSignature\nextendedKeyUsage=clientAuth\n")
    openssl("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-subj", f"/CN={name}", "-out", request)
    authority = ("-CA", bed.PKI / "ca.crt", "-CAkey", bed.PKI / "ca.key", "-set_serial", f"0x{secrets.token_hex(8)}")
    openssl("x509", "-req", "-in", request, *authority, "-days", "1", "-extfile", use, "-out", certificate)
    return kubeconfig(shop, name, {"client-certificate": str(certificate), "client-key": str(key)})


def account(shop: Shop, name: str, *roles: str) -> Path:
    """A kubeconfig of a new service account that holds these ClusterRoles in its namespace, by a token of one hour."""
    api.apply({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": shop.meta(name)})
    subject = {"kind": "ServiceAccount", "name": name, "namespace": shop.namespace}
    for role in roles:
        bound = {"apiGroup": RBAC, "kind": "ClusterRole", "name": role}
        api.apply({"apiVersion": f"{RBAC}/v1", "kind": "RoleBinding", "metadata": shop.meta(f"{name}-{role}"), "roleRef": bound, "subjects": [subject]})
    token = bed.kubectl("create", "token", name, "-n", shop.namespace, "--duration", "1h").strip()
    return kubeconfig(shop, name, {"token": token})


def kubeconfig(shop: Shop, name: str, user: dict[str, str]) -> Path:
    cluster = {"server": api.SERVER, "certificate-authority": str(bed.PKI / "ca.crt")}
    context = {"cluster": "testbed", "user": name, "namespace": shop.namespace}
    config = {
        "apiVersion": "v1", "kind": "Config", "current-context": name,
        "clusters": [{"name": "testbed", "cluster": cluster}], "users": [{"name": name, "user": user}], "contexts": [{"name": name, "context": context}],
    }
    path = folder(shop) / f"{name}.kubeconfig"
    path.write_text(json.dumps(config))
    return path


def folder(shop: Shop) -> Path:
    """Beside the cluster's own keys: what a scenario leaves to be looked at holds no key."""
    path = bed.PKI / shop.namespace
    path.mkdir(mode=0o700, exist_ok=True)
    return path


def openssl(*args: object, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *map(str, args)], input=stdin, capture_output=True)
    if done.returncode:
        raise RuntimeError(f"openssl {args[0]}: {done.stderr.decode().strip()}")
    return done.stdout


def tidegate(who: Path | None, *args: object, stdin: str | None = None) -> tuple[int, str]:
    """What the command says to somebody, and its exit code; to the administrator where nobody is named."""
    env = os.environ | ({"KUBECONFIG": str(who)} if who else {})
    done = subprocess.run([os.environ["TIDEGATE_BINARY"], *map(str, args)], input=stdin, env=env, text=True, capture_output=True, timeout=180)
    return done.returncode, (done.stdout + done.stderr).strip()
