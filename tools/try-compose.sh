#!/bin/sh
# Builds docker/compose.ha.yaml and tries it: the hosts come up, a write goes through the virtual address, the primary's container is
# killed, the other host takes over with the write, and the killed one comes back as a copy. Prints what was measured; ends with 0 only if
# all of it happened.
# usage: tools/try-compose.sh [FOLDER]     FOLDER: for a docker daemon of its own, and kept, so that a second run builds less
# It uses the docker daemon that runs. If there is none, root starts one, with all that it has in FOLDER, and stops it in the end. Where no
# image can be pulled, the base image is made by debootstrap. Exit code 75: docker can't run here.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
given=${1:-}
work=${given:-$(mktemp -d /var/tmp/tidegate-compose.XXXXXX)}
own=
project=tidegate-try-$$
file=$root/docker/compose.ha.yaml

say() { printf '%s  %s\n' "$(date +%T)" "$*"; }
cannot() { say "skipped: $*"; exit 75; }
compose() {
  if command -v docker-compose >/dev/null; then docker-compose --project-name "$project" --file "$file" "$@"
  else docker compose --project-name "$project" --file "$file" "$@"; fi
}
ended() {
  code=$?
  trap - EXIT INT TERM
  if [ $code -ne 0 ] && [ $code -ne 75 ]; then compose logs --tail 60 2>/dev/null || true; fi
  [ $code -eq 75 ] || compose down --volumes --timeout 5 >/dev/null 2>&1 || true
  if [ -n "$own" ]; then
    kill "$own" && while kill -0 "$own" 2>/dev/null; do sleep 0.2; done
    grep " $work/" /proc/mounts | cut -d' ' -f2 | sort -r | while read -r each; do umount "$each" || true; done
  fi
  [ -n "$given" ] || rm -rf "$work"
  exit $code
}
trap ended EXIT
trap 'exit 130' INT TERM

command -v docker-compose >/dev/null || docker compose version >/dev/null 2>&1 || cannot 'there is no docker-compose'
if ! docker info >/dev/null 2>&1; then
  [ "$(id -u)" = 0 ] || cannot 'no docker daemon answers, and only root starts one'
  command -v dockerd >/dev/null || cannot 'no docker daemon answers, and dockerd is not installed'
  mkdir -p "$work"
  # It changes no firewall of this machine: hosts reach each other over their bridge alone.
  dockerd --data-root "$work/data" --exec-root "$work/exec" --host "unix://$work/docker.sock" --pidfile "$work/docker.pid" \
    --iptables=false --ip6tables=false --bridge=none > "$work/dockerd.log" 2>&1 &
  own=$!
  DOCKER_HOST=unix://$work/docker.sock
  export DOCKER_HOST
  for _ in $(seq 100); do docker info >/dev/null 2>&1 && break; kill -0 "$own" 2>/dev/null || break; sleep 0.3; done
  docker info >/dev/null 2>&1 || { tail -5 "$work/dockerd.log"; own=; cannot 'dockerd does not run here'; }
fi
# What docker 20 and 28 both do.
DOCKER_BUILDKIT=0 COMPOSE_DOCKER_CLI_BUILD=0
export DOCKER_BUILDKIT COMPOSE_DOCKER_CLI_BUILD

base=debian:bookworm-slim
if ! docker image inspect "$base" >/dev/null 2>&1 && ! docker pull "$base" >/dev/null 2>&1; then
  command -v debootstrap >/dev/null || cannot "$base can't be pulled, and debootstrap is not installed"
  say "$base is made by debootstrap"
  mirror=$(awk '/^URIs:/ { print $2; exit }' /etc/apt/sources.list.d/*.sources 2>/dev/null || true)
  [ -e "$work/base/etc/debian_version" ] || debootstrap --variant=minbase bookworm "$work/base" "${mirror:-http://deb.debian.org/debian}" > "$work/debootstrap.log" 2>&1
  mkdir -p "$work/base/usr/local/share/ca-certificates"
  cp /usr/local/share/ca-certificates/*.crt "$work/base/usr/local/share/ca-certificates/" 2>/dev/null || true
  cp /etc/apt/apt.conf.d/99* "$work/base/etc/apt/apt.conf.d/" 2>/dev/null || true
  tar -C "$work/base" -c . | docker import - "$base" >/dev/null
fi

say 'the image is being built'
from=$(date +%s)
docker build --network host --quiet --build-arg "NODE_EXTRA_CA_CERTS=${NODE_EXTRA_CA_CERTS:-}" --tag tidegate-host \
  --file "$root/docker/Dockerfile" "$root" >/dev/null
say "built in $(($(date +%s) - from)) s"

in_host() { host=$1; shift; compose exec -T "$host" "$@"; }
status() { in_host w bin/tidegate ha status --data /var/lib/tidegate/host --json "$@"; }
field() { sed -n "s/.*\"$1\": *\"\{0,1\}\([^,\"}]*\).*/\1/p" "$work/status" | head -1; }
# An answer of the API at the virtual address: text without double quotes that are not escaped.
ask() { curl --silent --max-time 10 --header 'content-type: application/json' ${token:+--header} ${token:+"authorization: Bearer $token"} \
  --data "{\"query\":\"$1\"}" http://172.30.77.10:4000/graphql; }
login() {
  password=$(in_host a cat /var/lib/tidegate/host/admin.password)
  token=$(ask "mutation { login(input: { name: \\\"admin\\\", password: \\\"$password\\\" }) { accessToken } }" | sed -n 's/.*"accessToken":"\([^"]*\)".*/\1/p')
}
make() { ask "mutation { projectCreate(input: { name: \\\"$1\\\", idempotencyKey: \\\"$1\\\" }) { project { id } } }" | grep -q '"project":{"id"'; }
token=
now_ms() { date +%s%3N; }

compose config --quiet
from=$(now_ms)
compose up --detach --no-build >/dev/null 2>&1
until status --wait 300 > "$work/status" 2>/dev/null; do sleep 1; done
say "two copies after $(($(now_ms) - from)) ms: primary $(field primary), epoch $(field epoch)"
primary=$(field primary)
other=$([ "$primary" = a ] && echo b || echo a)
ready() { curl --silent --max-time 2 --output /dev/null --write-out '%{http_code}' "http://$1:4000/health/ready"; }
until [ "$(ready 172.30.77.10)" = 200 ]; do sleep 0.5; done
say "the API answers at the virtual address after $(($(now_ms) - from)) ms"
login
make tried-before
say 'a write went through the virtual address'

from=$(now_ms)
container=$(compose ps --quiet "$primary")
docker kill "$container" >/dev/null
say "the container of $primary is killed"
until make tried-after; do sleep 0.1; done
say "a write went through the virtual address, now of $other, $(($(now_ms) - from)) ms after the kill"
rows=$(ask '{ projects(first: 100) { nodes { name } } }' | grep -o '"tried-[a-z]*"' | sort -u | wc -l)
[ "$rows" = 2 ] || { say "lost: $rows of 2 projects"; exit 1; }

from=$(now_ms)
docker start "$container" >/dev/null
until status --wait 300 > "$work/status" 2>/dev/null; do sleep 1; done
say "$primary is a copy again $(($(now_ms) - from)) ms after its start; primary $(field primary), epoch $(field epoch)"
[ "$(field primary)" = "$other" ] || { say "$other is not the primary"; exit 1; }
say 'all of it happened'
