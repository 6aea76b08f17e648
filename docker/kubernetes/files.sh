#!/bin/sh
# Before a process of docker/kubernetes starts: gives it its secrets as files that only its user may read, which it insists on.
# Inputs: /secrets/keys and /secrets/passwords; /secrets/machines, with a file POD.ROLE.json for each machine of each pod.
# Outputs: /etc/tidegate, in memory; /var/lib/tidegate/machine, on the pod's own volume.
# Must hold: machines renew their credentials in place, so those of an earlier start stay.
set -eu
umask 077
mkdir -p /etc/tidegate/keys /var/lib/tidegate/machine
for file in /secrets/keys/*; do [ ! -f "$file" ] || cp "$file" /etc/tidegate/keys/; done
for file in /secrets/passwords/*; do [ ! -f "$file" ] || cp "$file" /etc/tidegate/; done
for file in "/secrets/machines/$HOSTNAME."*.json; do
  [ -f "$file" ] || continue
  role=${file#"/secrets/machines/$HOSTNAME."}
  if [ ! -e "/var/lib/tidegate/machine/$role" ]; then cp "$file" "/var/lib/tidegate/machine/$role"; fi
done
