FROM {{ 'alpine:${ALPINE_VERSION}' | pulled_from(image_registry) }}
