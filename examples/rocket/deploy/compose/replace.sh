#!/bin/sh
# Replaces the running replicas by as many of the image that was built last, and no request fails. The
# old ones go when the new ones are healthy and the proxy has found all of them ready. If that takes
# longer than READY_SECONDS (60), the new ones go instead.
set -eu
cd "$(dirname "$0")/../.."
ready_seconds=${READY_SECONDS:-60}
lock=deploy/compose/.replacing

if docker compose version >/dev/null 2>&1; then
    compose() { docker compose "$@"; }
else
    compose() { docker-compose "$@"; }
fi

say() {
    echo "replace: $*"
}

fail() {
    say "$*" >&2
    exit 1
}

# Prints the ids of replicas, a line each; arguments are more filters of `docker ps`.
replicas() {
    docker ps --quiet --no-trunc --filter "label=com.docker.compose.project=$project" \
        --filter label=com.docker.compose.service=service \
        --filter label=com.docker.compose.oneoff=False "$@"
}

# Prints the ids of all replicas that were not there at the start.
new_ones() {
    replicas --all | while read -r id; do
        case $old in
            *"$id"*) ;;
            *) echo "$id" ;;
        esac
    done
}

count_lines() {
    grep -c . || true
}

# Lets replicas finish what they have begun, all at once, and removes them; reads their ids.
retire() {
    ids=$(cat)
    if [ "$ids" ]; then
        # shellcheck disable=SC2086 # one word an id
        docker stop $ids >/dev/null || true
        # shellcheck disable=SC2086
        docker rm --force $ids >/dev/null
    fi
}

healthy_new_ones() {
    healthy=$(replicas --filter health=healthy)
    new_ones | while read -r id; do
        case $healthy in
            *"$id"*) echo "$id" ;;
        esac
    done
}

# Prints how many replicas the proxy has found ready.
ready() {
    docker exec "$proxy" wget -qO- http://127.0.0.1:8404/ 2>/dev/null || echo 0
}

mkdir "$lock" 2>/dev/null || fail "another one is at work; if there is none, remove $lock"
trap 'rmdir "$lock"' EXIT
trap 'exit 130' HUP INT TERM

proxy=$(compose ps --quiet proxy)
[ "$proxy" ] || fail "nothing runs here; docker compose up brings it up"
project=$(docker inspect "$proxy" | sed -n 's/^ *"com.docker.compose.project": "\(.*\)",*$/\1/p')
replicas --all --filter status=exited --filter status=created | retire
old=$(replicas)
wanted=$(echo "$old" | count_lines)
[ "$wanted" -gt 0 ] || fail "no replica runs; docker compose up brings them up"
already_ready=$(ready)

trap 'new_ones | retire; rmdir "$lock"' EXIT
say "starting $wanted new beside $wanted old"
compose up --detach --no-deps --no-build --no-recreate --scale "service=$((2 * wanted))" service

end=$(($(date +%s) + ready_seconds))
shown=
while :; do
    healthy=$(healthy_new_ones | count_lines)
    routed=$(($(ready) - already_ready))
    [ "$shown" = "$healthy $routed" ] || say "$healthy of $wanted healthy, $routed of $wanted in the proxy"
    shown="$healthy $routed"
    if [ "$healthy" -ge "$wanted" ] && [ "$routed" -ge "$wanted" ]; then
        break
    fi
    if [ "$(date +%s)" -ge "$end" ]; then
        last=$(new_ones | tail -n 1)
        said=$(docker logs --tail 1 "$last" 2>&1 || true)
        fail "the new ones were not ready in $ready_seconds s and go, the old ones stay; one says: $said"
    fi
    sleep 1
done

# From here on the new ones stay, and nothing comes between the stop of the old ones and their end.
trap '' HUP INT TERM
trap 'rmdir "$lock"' EXIT
say "stopping $wanted old, which takes some seconds"
echo "$old" | retire
say "done: $wanted new serve"
