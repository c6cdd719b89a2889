COPY --from=builder /usr/local/bin/{{ service_name }} /usr/local/bin/
LABEL org.opencontainers.image.title={{ service_name | dockerfile }} \
    org.opencontainers.image.description={{ description | dockerfile }} \
    org.opencontainers.image.authors={{ owner | dockerfile }}
USER 65532:65532
EXPOSE {{ port }}
HEALTHCHECK --interval=10s --timeout=5s CMD ["/usr/local/bin/{{ service_name }}", "healthcheck"]
ENTRYPOINT ["/usr/local/bin/{{ service_name }}"]
