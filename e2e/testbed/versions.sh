# The versions of every program of the test bed, and where the cache keeps what is built of them; source it.
# The cache lies outside the checkout and is keyed by these versions, so a changed version builds anew
# and an old checkout still finds its own programs.
K8S=1.36.3 ETCD=3.6.8 ENVOY_GATEWAY=1.9.1 GATEWAY_API=1.6.1 PROMETHEUS=0.315.0 COREDNS=1.14.7 HELM=4.3.1 ENVOY=1.40.0
TIDEGATE_CACHE=${TIDEGATE_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/tidegate}
METRICS_SERVER=0.9.0 # part of its program's name and not of the key: for its sake the others need not be built anew
versions_key=$(echo "$K8S $ETCD $ENVOY_GATEWAY $GATEWAY_API $PROMETHEUS $COREDNS $HELM $ENVOY" | sha256sum | cut -c1-12)
BIN=${TESTBED_BIN:-$TIDEGATE_CACHE/testbed-$versions_key/bin}
WORK=${TESTBED_TOOLS:-$TIDEGATE_CACHE/testbed-$versions_key/modules}
