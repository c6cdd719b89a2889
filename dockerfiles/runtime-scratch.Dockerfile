FROM scratch
{% if ca_certificates %}
COPY --from=builder {{ ca_bundle }} /etc/ssl/certs/
{% endif %}
