FROM scratch
{% if ca_certificates %}
COPY --from=builder /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
{% endif %}
