# The dependencies, in a layer of their own: built in place of a stub that leaves nothing behind. The
# cache mounts make a change of dependencies cheap; the layer does without them.
ENV CARGO_HOME=/var/cache/cargo
COPY Cargo.toml Cargo.lock ./
RUN --mount=type=cache,id=cargo,target=/var/cache/cargo \
    --mount=type=cache,id={{ service_name }}-$TARGETARCH,target=/var/cache/target,sharing=locked \
    mkdir src \
    && echo 'fn main() {}' > src/main.rs \
    && cargo build --release --locked --target-dir /var/cache/target \
    && rm -r src /var/cache/target/*/release/{{ service_name }} \
        /var/cache/target/*/release/.fingerprint/{{ service_name }}-* \
    && cp -a /var/cache/target target

COPY src src
RUN --mount=type=cache,id=cargo,target=/var/cache/cargo \
    cargo build --release --locked \
    && mv target/*/release/{{ service_name }} /usr/local/bin/
