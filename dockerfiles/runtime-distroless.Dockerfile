FROM {{ versions.distroless }}
