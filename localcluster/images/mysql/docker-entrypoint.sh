#!/bin/sh
# Starts MariaDB as the official MySQL image starts MySQL. At the first start it makes the root account, one database
# with the account that owns it, and runs /docker-entrypoint-initdb.d/*.sql in that database:
#   MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD, each also as NAME_FILE.
set -eu

data=/var/lib/mysql
initialised=$data/.initialised
socket=/var/run/mysqld/init.sock

# Prints a variable's value, or the content of the file that NAME_FILE names.
value() {
  eval "file=\${$1_FILE:-}"
  if [ -n "$file" ]; then cat "$file"; else eval "printf '%s' \"\${$1:-}\""; fi
}

# Prints a text as an SQL string.
quoted() {
  printf "'%s'" "$(printf '%s' "$1" | sed -e 's/\\/\\\\/g' -e "s/'/''/g")"
}

# Prints the statements that make the accounts; printf, since echo would interpret backslashes in a password.
accounts() {
  root=$(quoted "$(value MYSQL_ROOT_PASSWORD)")
  user=$(quoted "$(value MYSQL_USER)")
  database=$(value MYSQL_DATABASE)
  # The installation makes roots without a password for other names of this host.
  printf '%s\n' "DELETE FROM mysql.global_priv WHERE User = 'root' AND Host <> 'localhost';" \
    "FLUSH PRIVILEGES;" \
    "CREATE USER root@'%' IDENTIFIED BY $root;" \
    "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;" \
    "ALTER USER root@localhost IDENTIFIED BY $root;"
  if [ "$user" != "''" ]; then
    printf '%s\n' "CREATE USER $user@'%' IDENTIFIED BY $(quoted "$(value MYSQL_PASSWORD)");"
    [ -z "$database" ] || printf '%s\n' "GRANT ALL ON \`$database\`.* TO $user@'%';"
  fi
}

sql() {
  mariadb --no-defaults --socket="$socket" --user=root "$@"
}

await_server() {
  for _ in $(seq 300); do
    sql --execute="SELECT 1" >/dev/null 2>&1 && return
    kill -0 "$1" || break
    sleep 0.2
  done
  echo "MariaDB did not come up for its initialisation" >&2
  exit 1
}

initialise() {
  [ -n "$(value MYSQL_ROOT_PASSWORD)" ] || { echo "set MYSQL_ROOT_PASSWORD" >&2; exit 1; }
  # What lies here without the mark is the half-made database of a first start that was cut off.
  find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
  mariadb-install-db --no-defaults --datadir="$data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve --force >/tmp/install.log || { cat /tmp/install.log >&2; exit 1; }
  mariadbd --no-defaults --datadir="$data" --socket="$socket" --pid-file=/var/run/mysqld/init.pid --skip-networking &
  server=$!
  await_server "$server"
  database=$(value MYSQL_DATABASE)
  [ -z "$database" ] || sql --execute="CREATE DATABASE \`$database\`"
  for script in /docker-entrypoint-initdb.d/*.sql; do
    if [ -f "$script" ]; then
      echo "running $script"
      sql --database="$database" <"$script"
    fi
  done
  accounts | sql
  kill "$server"
  wait "$server"
  touch "$initialised"
}

case "${1:-}" in
  -*) set -- mysqld "$@" ;;
esac
if [ "$1" = mysqld ] || [ "$1" = mariadbd ]; then
  [ -f "$initialised" ] || initialise
  shift
  set -- mariadbd --no-defaults --datadir="$data" --socket=/var/run/mysqld/mysqld.sock \
    --pid-file=/var/run/mysqld/mysqld.pid --bind-address="*" --skip-name-resolve "$@"
fi
exec "$@"
