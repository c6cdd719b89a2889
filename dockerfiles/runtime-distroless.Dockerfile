FROM {{ versions.distroless | pulled_from(image_registry) }}
