# The controller's image: one static binary, no shell, not root. Build: just image
FROM rust:1.95-slim AS build
WORKDIR /src
COPY Cargo.toml Cargo.lock README.md ./
COPY src ./src
# Static, so that the final image needs no C library. A target is named so that the flag spares build scripts and macros.
RUN target="$(rustc -vV | sed -n 's/^host: //p')" \
 && RUSTFLAGS='-C target-feature=+crt-static' cargo build --release --locked --no-default-features --bin tidegate --target "$target" \
 && install -D "target/$target/release/tidegate" /out/tidegate

FROM scratch
ARG VERSION=0.1.0
LABEL org.opencontainers.image.title="tidegate" \
      org.opencontainers.image.description="Progressive delivery for Kubernetes: error budget, change risk, gates and traffic weight in one loop" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="$VERSION"
# For metrics sources behind https with a public certificate; the API server's comes with the ServiceAccount.
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /out/tidegate /tidegate
USER 65532:65532
EXPOSE 8080 9443
ENTRYPOINT ["/tidegate"]
