# `--build-arg CARGO_PROFILE_RELEASE_LTO=off` is for the edit loop: a larger binary in fewer seconds.
ARG CARGO_PROFILE_RELEASE_LTO

# The dependencies, in a layer of their own: built in place of a stub that needs no LTO and leaves nothing
# behind. The cache mounts make a change of dependencies cheap; the layer does without them.
ENV CARGO_HOME=/var/cache/cargo
{% if cargo_registry %}
COPY .cargo/config.toml .cargo/
{% endif %}
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=secret,id=ca_bundle,target={{ ca_bundle }} \
{% if cargo_registry %}
    --mount=type=secret,id={{ token }},required=true \
{% endif %}
    --mount=type=cache,id=cargo,target=/var/cache/cargo \
    --mount=type=cache,id={{ service_name }}-{{ libc }}-$TARGETARCH-$RUST_VERSION-$CARGO_PROFILE_RELEASE_LTO,target=/var/cache/target,sharing=locked \
{% if cargo_registry %}
    {{ token }}="$(cat /run/secrets/{{ token }})" \
    && export {{ token }} \
    && mkdir src \
{% else %}
    mkdir src \
{% endif %}
    && touch src/lib.rs \
    && echo 'fn main() {}' > src/main.rs \
    && cargo rustc --release --locked --bin {{ service_name }} --target-dir /var/cache/target -- -Clto=off \
    && rm -r src /var/cache/target/*/release/{{ service_name }} \
        /var/cache/target/*/release/.fingerprint/{{ service_name }}-???????????????? \
    && cp -a /var/cache/target target

COPY src src
RUN --mount=type=secret,id=ca_bundle,target={{ ca_bundle }} \
{% if cargo_registry %}
    --mount=type=secret,id={{ token }},required=true \
{% endif %}
    --mount=type=cache,id=cargo,target=/var/cache/cargo \
{% if cargo_registry %}
    {{ token }}="$(cat /run/secrets/{{ token }})" \
    && export {{ token }} \
    && cargo build --release --locked \
{% else %}
    cargo build --release --locked \
{% endif %}
    && mv target/*/release/{{ service_name }} /usr/local/bin/
