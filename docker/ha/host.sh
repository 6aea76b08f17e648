#!/bin/sh
# One host of compose.ha.yaml: it begins the cluster or joins it at its first start, and runs the agent and the API from then on.
# Inputs: HOST_NAME, HOST_ADDRESS; HOST_VIP at the first host; HOST_KIND data or witness; /invitations, a folder that all three have, in
# which the first host leaves a token for each of the others; /var/lib/tidegate, a volume of this host alone.
# Outputs: logs of both on standard output. It ends when one of them has ended, so that the container is started anew.
# Must hold: CAP_NET_ADMIN and CAP_NET_RAW, for the address and routes; HOST_ADDRESS is the container's own.
set -eu
data=/var/lib/tidegate/host
tidegate=/opt/tidegate/bin/tidegate
settings=$data/serve/settings.yaml

if [ -n "${HOST_VIP:-}" ]; then
  [ -e "$data/ha/host.json" ] || "$tidegate" ha init --name "$HOST_NAME" --address "$HOST_ADDRESS" --vip "$HOST_VIP" --data "$data" --no-install
  for kind in data witness; do
    if [ ! -s "/invitations/$kind" ]; then
      # As it prints it: bin/tidegate join TOKEN --url URL
      "$tidegate" ha invite --data "$data" | sed 's/.* join //' > /invitations/new && mv /invitations/new "/invitations/$kind"
    fi
  done
elif [ ! -e "$data/ha/host.json" ]; then
  until [ -s "/invitations/$HOST_KIND" ]; do sleep 0.5; done
  witness=
  if [ "$HOST_KIND" = witness ]; then witness=--witness; fi
  # shellcheck disable=SC2046
  until "$tidegate" join $(cat "/invitations/$HOST_KIND") --name "$HOST_NAME" --address "$HOST_ADDRESS" --data "$data" --no-install $witness
  do sleep 1; done
fi

# A host that was killed left the virtual address to the other one; its own network is new.
"$tidegate" ha agent --data "$data" &
agent=$!
serve=
end() { kill -TERM "$agent" $serve 2>/dev/null || true; }
trap end TERM INT

if [ "$HOST_KIND" = data ]; then
  # Until the hosts are there, and the database has a primary, it ends at once.
  (
    served=
    trap 'kill -TERM $served 2>/dev/null; wait $served; exit 0' TERM
    while :; do
      "$tidegate" serve --config "$settings" &
      served=$!
      wait $served && exit 0
      sleep 1
    done
  ) &
  serve=$!
fi

# dash has no `wait -n`.
while kill -0 "$agent" 2>/dev/null && { [ -z "$serve" ] || kill -0 "$serve" 2>/dev/null; }; do sleep 1 & wait $! || true; done
end
wait
