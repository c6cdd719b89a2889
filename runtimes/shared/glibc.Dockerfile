{% if not image_registry %}
# syntax=docker/dockerfile:1

{% endif %}
ARG RUST_VERSION={{ rust_version }}
# Builder and base have one suite: a newer glibc in the builder would ask too much of the base.
ARG DEBIAN_SUITE={{ versions.debian }}

# Compiles on the build machine for the platform that was asked for: nothing is emulated.
FROM --platform=$BUILDPLATFORM {{ builder | pulled_from(image_registry) }} AS toolchain
ARG BUILDARCH
ARG TARGETARCH
ARG RUST_VERSION
ARG DEBIAN_SUITE

# Packages of Debian that the build needs besides, such as `g++` or `protobuf-compiler`.
ARG BUILD_PACKAGES

# /etc/cargo.toml tells Cargo the target; `runner` makes `cargo run` copy the program instead of running it.
# If your network rewrites TLS, pass its CA bundle as the secret ca_bundle; without the secret, the
# image's own bundle is read.
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
    && { [ -d "$(rustc --print target-libdir --target "$target")" ] || rustup target add "$target"; } \
    && printf '[build]\ntarget = "%s"\nrustflags = ["-Clink-arg=/etc/crates.o"]\n\n' "$target" > /etc/cargo.toml \
    && printf '[target.%s]\nrunner = "cp"\n' "$target" >> /etc/cargo.toml \
    && cc=cc \
    && packages="$BUILD_PACKAGES" \
    && if [ "$TARGETARCH" != "$BUILDARCH" ]; then \
        packages="$packages $gcc $libc" \
        && cc="$machine-linux-gnu-gcc" \
        && printf 'linker = "%s"\n' "$cc" >> /etc/cargo.toml; \
    fi \
    && if [ -n "$packages" ]; then \
        apt-get update \
        && for package in $packages; do apt-get install -y --no-install-recommends "$package/$DEBIAN_SUITE" || exit 1; done \
        && rm -rf /var/lib/apt/lists/*; \
    fi \
    && ln -s "$(command -v "$cc")" /usr/local/bin/target-cc
