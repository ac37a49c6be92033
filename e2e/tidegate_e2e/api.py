"""The API server, spoken to directly: kubectl's start would cost more than most answers."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

from .bed import PKI

Object = dict[str, Any]

_GROUPS = {
    "Namespace": "/api/v1", "Pod": "/api/v1", "Service": "/api/v1", "ConfigMap": "/api/v1", "Secret": "/api/v1", "Event": "/api/v1", "ServiceAccount": "/api/v1",
    "Deployment": "/apis/apps/v1", "ReplicaSet": "/apis/apps/v1", "StatefulSet": "/apis/apps/v1",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1", "Role": "/apis/rbac.authorization.k8s.io/v1", "RoleBinding": "/apis/rbac.authorization.k8s.io/v1",
    "CronJob": "/apis/batch/v1", "Job": "/apis/batch/v1",
    "ResourceQuota": "/api/v1", "PodDisruptionBudget": "/apis/policy/v1", "NetworkPolicy": "/apis/networking.k8s.io/v1",
    "HorizontalPodAutoscaler": "/apis/autoscaling/v2",
    "Lease": "/apis/coordination.k8s.io/v1", "EndpointSlice": "/apis/discovery.k8s.io/v1",
    "ValidatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration": "/apis/admissionregistration.k8s.io/v1",
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1", "ScaledObject": "/apis/keda.sh/v1alpha1",
    "HTTPRoute": "/apis/gateway.networking.k8s.io/v1", "Gateway": "/apis/gateway.networking.k8s.io/v1",
    "GatedRelease": "/apis/tidegate.io/v1alpha1", "RiskBudget": "/apis/tidegate.io/v1alpha1",
    "ReleaseRecord": "/apis/tidegate.io/v1alpha1", "Attestation": "/apis/tidegate.io/v1alpha1",
}
_CLUSTER_WIDE = {"Namespace", "ClusterRole", "ValidatingAdmissionPolicyBinding", "MutatingWebhookConfiguration", "CustomResourceDefinition"}
_MEDIA = {"merge": "application/merge-patch+json", "json": "application/json-patch+json", "apply": "application/apply-patch+yaml"}
_HOST, _PORT = "172.30.0.1", 6443
SERVER = f"https://{_HOST}:{_PORT}"


class Refused(Exception):
    """The API server said no; `reason` is its one word, the text its message."""

    def __init__(self, code: int, status: Object) -> None:
        super().__init__(status.get("message", ""))
        self.code, self.reason = code, status.get("reason", "")


def _connect(timeout: float) -> http.client.HTTPSConnection:
    tls = ssl.create_default_context(cafile=str(PKI / "ca.crt"))
    tls.load_cert_chain(PKI / "admin.crt", PKI / "admin.key")
    connection = http.client.HTTPSConnection(_HOST, _PORT, timeout=timeout, context=tls)
    connection.connect()
    connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def path(kind: str, namespace: str | None = None, name: str | None = None, **query: Any) -> str:
    plural = kind.lower().removesuffix("cy") + ("cies" if kind.endswith("cy") else "s")
    scope = f"/namespaces/{namespace}" if namespace and kind not in _CLUSTER_WIDE else ""
    return f"{_GROUPS[kind]}{scope}/{plural}" + (f"/{name}" if name else "") + (f"?{urlencode(query)}" if query else "")


_mine = threading.local()


def call(method: str, where: str, body: object = None, media: str = "application/json", timeout: float = 30) -> Object:
    """One request. Reads share a connection per thread; a write has its own, so that it is never sent twice."""
    reads = method == "GET"
    kept = getattr(_mine, "connection", None) if reads else None
    connection = kept or _connect(timeout)
    try:
        connection.request(method, where, None if body is None else json.dumps(body), {"Content-Type": media, "Accept": "application/json"})
        answer = connection.getresponse()
        text = answer.read()
    except (http.client.HTTPException, OSError) as error:
        _mine.connection = None
        connection.close()
        if kept and isinstance(error, (http.client.RemoteDisconnected, BrokenPipeError)):
            # The server closed it while it lay idle, before it saw the request.
            return call(method, where, body, media, timeout)
        raise
    if reads:
        _mine.connection = connection
    else:
        connection.close()
    found = json.loads(text) if text.startswith(b"{") else {"text": text.decode()}
    if answer.status >= 400:
        raise Refused(answer.status, found)
    return found


def get(kind: str, namespace: str | None, name: str) -> Object:
    return call("GET", path(kind, namespace, name))


def find(kind: str, namespace: str | None, name: str) -> Object | None:
    try:
        return get(kind, namespace, name)
    except Refused as refused:
        if refused.code == 404:
            return None
        raise


def every(kind: str, namespace: str | None = None, **query: Any) -> list[Object]:
    return call("GET", path(kind, namespace, **query))["items"]


def create(obj: Object) -> Object:
    return call("POST", path(obj["kind"], obj["metadata"].get("namespace")), obj)


def apply(obj: Object, manager: str = "e2e", force: bool = True) -> Object:
    """Server-side apply, as GitOps tools do it."""
    meta = obj["metadata"]
    where = path(obj["kind"], meta.get("namespace"), meta["name"], fieldManager=manager, force=str(force).lower())
    return call("PATCH", where, obj, _MEDIA["apply"])


def patch(kind: str, namespace: str | None, name: str, change: object, how: str = "merge", manager: str = "e2e") -> Object:
    return call("PATCH", path(kind, namespace, name, fieldManager=manager), change, _MEDIA[how])


def delete(kind: str, namespace: str | None, name: str, **query: Any) -> None:
    try:
        call("DELETE", path(kind, namespace, name, **query))
    except Refused as refused:
        if refused.code != 404:
            raise


class Watch:
    """The changes of one object, or without a name of all of the kind, from their state at the start. `close` ends the iteration from another thread."""

    def __init__(self, kind: str, namespace: str, name: str) -> None:
        self._kind, self._namespace, self._name = kind, namespace, name
        self._connection: http.client.HTTPSConnection | None = None
        self._closed = False

    def __iter__(self) -> Iterator[Object]:
        version = ""
        while not self._closed:
            query = {"fieldSelector": f"metadata.name={self._name}"} if self._name else {}
            query |= {"watch": "1", "resourceVersion": version}
            try:
                self._connection = _connect(timeout=3600)
                self._connection.request("GET", path(self._kind, self._namespace, **query))
                answer = self._connection.getresponse()
                while line := answer.readline():
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        version = ""
                        break
                    version = event["object"]["metadata"]["resourceVersion"]
                    yield event["object"]
            except (OSError, ValueError, AttributeError, http.client.HTTPException):
                if not self._closed:
                    raise

    def close(self) -> None:
        self._closed = True
        if self._connection and self._connection.sock:
            try:
                self._connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass  # already gone
