#!/bin/sh
# Sets up the installation of compose.control.yaml once, as docs/operating.md describes it for hosts: passwords and accounts, key files,
# tables, the first administrator, machines. Then each process finds its settings.
# Inputs: /setup/control, worker, gateway and stores, the volumes of the others. Output: the administrator's password, once.
# Must hold: it may be killed and run again. Settings are written last: a process without them does not start.
set -eu
umask 077
tidegate=/opt/tidegate/bin/tidegate
settings=/opt/tidegate/docker/compose
cd /setup
if [ -e gateway/settings.yaml ]; then exit 0; fi

for name in control worker migrate redis admin; do
  if [ ! -s "stores/$name.password" ]; then openssl rand -hex 24 > stores/new && mv stores/new "stores/$name.password"; fi
done
# MariaDB reads a statement a line.
{
  echo 'CREATE DATABASE IF NOT EXISTS tidegate CHARACTER SET utf8mb4;'
  for name in control worker migrate; do
    echo "CREATE USER IF NOT EXISTS 'tidegate-$name'@'%';"
    echo "ALTER USER 'tidegate-$name'@'%' IDENTIFIED BY '$(cat "stores/$name.password")';"
  done
  # It changes tables, and gives the other two their rights.
  echo "GRANT ALL ON tidegate.* TO 'tidegate-migrate'@'%' WITH GRANT OPTION;"
} > stores/accounts.sql
for name in control worker; do
  cp "stores/$name.password" "$name/database.password"
  cp stores/redis.password "$name/"
done
touch stores/ready

"$tidegate" keys create control/keys
mkdir -p worker/keys gateway/keys
for key in public audit sealing; do cp "control/keys/$key.keys" worker/keys/; done
cp control/keys/gateway.keys gateway/keys/

# The settings, with the files where they are here.
for name in control worker; do sed "s|/etc/tidegate/|/setup/$name/|" "$settings/$name.yaml" > "/tmp/$name.yaml"; done
sql() { mariadb --no-defaults --host=database --user=tidegate-migrate --password="$(cat stores/migrate.password)" "$@"; }
until sql --execute='SELECT 1' >/dev/null 2>&1; do sleep 0.5; done
TIDEGATE_DATABASE_USER=tidegate-migrate TIDEGATE_DATABASE_PASSWORD_FILE=/setup/stores/migrate.password
export TIDEGATE_DATABASE_USER TIDEGATE_DATABASE_PASSWORD_FILE
"$tidegate" migrate --config /tmp/control.yaml
for name in control worker; do "$tidegate" grants "tidegate-$name@%" --config "/tmp/$name.yaml" | sql tidegate; done
unset TIDEGATE_DATABASE_USER TIDEGATE_DATABASE_PASSWORD_FILE

"$tidegate" users create admin --admin --user-password-file stores/admin.password --config /tmp/control.yaml ||
  "$tidegate" users create admin --recover --admin --user-password-file stores/admin.password --config /tmp/control.yaml
issue() { "$tidegate" machines issue "$1" --role "$2" --folder "/setup/$3/machine" --endpoint https://gateway:4100/graphql --config /tmp/control.yaml; }
[ -e gateway/machine/gateway.json ] || issue gateway gateway gateway
[ -e control/machine/system.json ] || issue control system,relay,loadbalancer,gslb,object-storage control
for name in control worker gateway; do cp "$settings/$name.yaml" "$name/settings.new" && mv "$name/settings.new" "$name/settings.yaml"; done
echo "The password of admin: $(cat stores/admin.password)"
