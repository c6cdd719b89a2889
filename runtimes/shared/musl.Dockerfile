{% if not image_registry %}
# syntax=docker/dockerfile:1

{% endif %}
ARG RUST_VERSION={{ rust_version }}
ARG ALPINE_VERSION={{ alpine }}

# Compiles on the build machine for the platform that was asked for: nothing is emulated.
FROM --platform=$BUILDPLATFORM {{ builder | pulled_from(image_registry) }} AS toolchain
ARG BUILDARCH
ARG TARGETARCH
ARG RUST_VERSION

# Packages of Alpine that the build needs besides, such as `g++` or `protobuf-dev`.
ARG BUILD_PACKAGES

# /etc/cargo.toml tells Cargo the target; `runner` makes `cargo run` copy the program instead of running it.
# If your network rewrites TLS, pass its CA bundle as the secret ca_bundle; without the secret, the
# image's own bundle is read.
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
    && { [ -d "$(rustc --print target-libdir --target "$target")" ] || rustup target add "$target"; } \
    && printf '[build]\ntarget = "%s"\nrustflags = ["-Ctarget-feature=+crt-static", "-Clink-arg=/etc/crates.o"]\n\n' \
        "$target" > /etc/cargo.toml \
    && printf '[target.%s]\nrunner = "cp"\n' "$target" >> /etc/cargo.toml \
    && for package in $BUILD_PACKAGES; do apk add --no-cache "$package>0" || exit 1; done \
    && if [ "$TARGETARCH" = "$BUILDARCH" ]; then \
        ln -s "$(command -v cc)" /usr/local/bin/target-cc; \
    else \
        apk add --no-cache 'zig>0' \
        && tool="/usr/local/bin/$machine-linux-musl" \
        && printf '%s\n' '#!/bin/sh' "for word; do shift; case \$word in --target=*) ;;" \
            "*) set -- \"\$@\" \"\$word\" ;; esac; done" \
            "exec zig cc -target $machine-linux-musl -fno-sanitize=undefined \"\$@\"" > "$tool-gcc" \
        && printf '%s\n' '#!/bin/sh' "exec zig ar \"\$@\"" > "$tool-ar" \
        && printf '%s\n' '#!/bin/sh' "echo 'C++ for another machine: take runtime=debian' >&2; exit 1" > "$tool-g++" \
        && chmod +x "$tool"-* \
        && ln -s "$tool-gcc" /usr/local/bin/target-cc \
        && echo 'linker = "rust-lld"' >> /etc/cargo.toml; \
    fi
