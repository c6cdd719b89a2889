{% if not image_registry %}
# syntax=docker/dockerfile:1

{% endif %}
ARG RUST_VERSION={{ rust_version }}
# Builder and base have one suite: a newer glibc in the builder would ask too much of the base.
ARG DEBIAN_SUITE={{ versions.debian }}

# Compiles on the build machine for the platform that was asked for: nothing is emulated.
FROM --platform=$BUILDPLATFORM {{ builder | pulled_from(image_registry) }} AS builder
ARG BUILDARCH
ARG TARGETARCH
ARG RUST_VERSION
ARG DEBIAN_SUITE
WORKDIR /app

# /.cargo names Cargo's target; Cargo reads it from every folder below /. If your network rewrites TLS,
# pass its CA bundle as the secret ca_bundle; without the secret, the image's own bundle is read.
RUN --mount=type=secret,id=ca_bundle,target={{ ca_bundle }} \
    case "$TARGETARCH" in \
{% if 'linux/amd64' in platforms %}
        amd64) machine=x86_64 gcc=gcc-x86-64-linux-gnu libc=libc6-dev-amd64-cross ;; \
{% endif %}
{% if 'linux/arm64' in platforms %}
        arm64) machine=aarch64 gcc=gcc-aarch64-linux-gnu libc=libc6-dev-arm64-cross ;; \
{% endif %}
        *) echo "unsupported architecture $TARGETARCH: the platforms are {{ platforms | join(', ') }}" >&2; exit 1 ;; \
    esac \
    && target="$machine-unknown-linux-gnu" \
    && rustup target add "$target" \
    && mkdir /.cargo \
    && printf '[build]\ntarget = "%s"\n' "$target" > /.cargo/config.toml \
    && if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
        apt-get update \
        && apt-get install -y --no-install-recommends "$gcc/$DEBIAN_SUITE" "$libc/$DEBIAN_SUITE" \
        && rm -rf /var/lib/apt/lists/* \
        && printf '[target.%s]\nlinker = "%s-linux-gnu-gcc"\n' "$target" "$machine" \
            >> /.cargo/config.toml; \
    fi
