FROM {{ 'debian:${DEBIAN_SUITE}-slim' | pulled_from(image_registry) }}
COPY --from=builder {{ ca_bundle }} /etc/ssl/certs/
