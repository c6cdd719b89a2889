FROM debian:${DEBIAN_SUITE}-slim
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
