"""The images that a Dockerfile names, and where files are in them."""

DOCKERFILE = "Dockerfile"
# Debian, Alpine, distroless and both builders have the bundle here.
# https://github.com/golang/go/blob/master/src/crypto/x509/root_linux.go lists the paths.
CA_BUNDLE = "/etc/ssl/certs/ca-certificates.crt"


def pulled_from(image: str, registry: str) -> str:
    """Name an image as a mirror has it.

    Args:
        image: The name as `docker pull` takes it.
        registry: `host[:port][/path]` of the mirror, or an empty string.

    Returns:
        The name below the mirror, where a repository keeps its name; one of Docker Hub is called
        `library/...` there. Without a mirror, the name itself.

    Source: https://github.com/distribution/reference for the parts of a name; both
    https://goharbor.io/docs/latest/administration/configure-proxy-cache/ and
    https://docs.aws.amazon.com/AmazonECR/latest/userguide/pull-through-cache-working-pulling.html
    ask for `library`.
    """
    if not registry:
        return image
    host, slash, repository = image.partition("/")
    return f"{registry}/{repository}" if slash and "." in host else f"{registry}/library/{image}"
