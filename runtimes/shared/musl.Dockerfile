{% if not image_registry %}
# syntax=docker/dockerfile:1

{% endif %}
ARG RUST_VERSION={{ rust_version }}
ARG ALPINE_VERSION={{ alpine }}

# Compiles on the build machine for the platform that was asked for: nothing is emulated.
FROM --platform=$BUILDPLATFORM {{ builder | pulled_from(image_registry) }} AS builder
ARG BUILDARCH
ARG TARGETARCH
ARG RUST_VERSION
WORKDIR /app

# /.cargo names Cargo's target; Cargo reads it from every folder below /. If your network rewrites TLS,
# pass its CA bundle as the secret ca_bundle; without the secret, the image's own bundle is read.
RUN --mount=type=secret,id=ca_bundle,target={{ ca_bundle }} \
    case "$TARGETARCH" in \
{% if 'linux/amd64' in platforms %}
        amd64) machine=x86_64 ;; \
{% endif %}
{% if 'linux/arm64' in platforms %}
        arm64) machine=aarch64 ;; \
{% endif %}
        *) echo "unsupported architecture $TARGETARCH: the platforms are {{ platforms | join(', ') }}" >&2; exit 1 ;; \
    esac \
    && target="$machine-unknown-linux-musl" \
    && rustup target add "$target" \
    && mkdir /.cargo \
    && printf '[build]\ntarget = "%s"\nrustflags = ["-Ctarget-feature=+crt-static"]\n' "$target" \
        > /.cargo/config.toml \
    && if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
        apk add --no-cache 'zig>0' \
        && tool="/usr/local/bin/$machine-linux-musl" \
        && printf '%s\n' '#!/bin/sh' "for word; do shift; case \$word in --target=*) ;;" \
            "*) set -- \"\$@\" \"\$word\" ;; esac; done" \
            "exec zig cc -target $machine-linux-musl \"\$@\"" > "$tool-gcc" \
        && printf '%s\n' '#!/bin/sh' "exec zig ar \"\$@\"" > "$tool-ar" \
        && chmod +x "$tool-gcc" "$tool-ar" \
        && printf '[target.%s]\nlinker = "rust-lld"\n' "$target" >> /.cargo/config.toml; \
    fi
