FROM {builder-glibc} AS build
ARG pkg=app
WORKDIR /build
COPY . .

RUN --mount=type=cache,target=/build/target \
    --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/usr/local/cargo/git \
    set -eux; \
    cargo build --release; \
    objcopy --compress-debug-sections target/release/$pkg ./main

FROM {debian}
WORKDIR /app
COPY --from=build /build/main ./
COPY --from=build /build/Rocket.tom[l] ./
COPY --from=build /build/stati[c] ./static/
COPY --from=build /build/template[s] ./templates/

ENV ROCKET_ADDRESS=0.0.0.0
ENV ROCKET_PORT=8080

CMD ./main
