#!/bin/sh
# MariaDB or Redis of compose.control.yaml: $1 is database or redis.
# Inputs: /etc/tidegate/accounts.sql and redis.password, which setup.sh makes; /var/lib/tidegate, a volume of this container alone.
# Must hold: nothing but the processes of the Compose file reaches their ports. The binary log is kept for three days, as docs/operating.md says.
set -eu
secrets=/etc/tidegate data=/var/lib/tidegate
until [ -e "$secrets/ready" ]; do sleep 0.2; done

case $1 in
  database)
    if [ ! -e "$data/db/mysql" ]; then
      rm -rf "$data/new"
      mariadb-install-db --no-defaults --datadir="$data/new" --skip-test-db --auth-root-authentication-method=socket \
        --auth-root-socket-user=tidegate >/dev/null
      mv "$data/new" "$data/db"
    fi
    exec mariadbd --no-defaults --datadir="$data/db" --socket=/tmp/mariadb.sock --pid-file=/tmp/mariadb.pid \
      --init-file="$secrets/accounts.sql" --skip-name-resolve --character-set-server=utf8mb4 --collation-server=utf8mb4_bin \
      --innodb-flush-log-at-trx-commit=1 --log-bin=binlog --binlog-format=ROW --sync-binlog=1 --server-id=1 \
      --binlog-expire-logs-seconds=259200 --binlog-row-image=MINIMAL --binlog-annotate-row-events=OFF
    ;;
  redis)
    # Debian's redis-tools has the server under this name. The password goes in by its standard input, not on a command line.
    printf '%s\n' "requirepass $(cat "$secrets/redis.password")" 'bind * -::*' "dir $data" 'appendonly yes' 'save ""' \
      'maxmemory-policy noeviction' > /tmp/redis.conf
    exec bash -c 'exec -a redis-server redis-check-rdb /tmp/redis.conf'
    ;;
esac
