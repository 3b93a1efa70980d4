#!/bin/sh
# Starts MySQL as the official image does. At the first start it makes the root account, one database
# with the account that owns it, and runs /docker-entrypoint-initdb.d/*.sql in that database:
#   MYSQL_ROOT_PASSWORD, MYSQL_DATABASE, MYSQL_USER, MYSQL_PASSWORD, each also as NAME_FILE.
set -eu

data=/var/lib/mysql
initialised=$data/.mysql-initialised
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
  printf '%s\n' \
    "CREATE USER root@'%' IDENTIFIED BY $root;" \
    "GRANT ALL ON *.* TO root@'%' WITH GRANT OPTION;" \
    "ALTER USER root@localhost IDENTIFIED BY $root;"
  if [ "$user" != "''" ]; then
    printf '%s\n' "CREATE USER $user@'%' IDENTIFIED BY $(quoted "$(value MYSQL_PASSWORD)");"
    [ -z "$database" ] || printf '%s\n' "GRANT ALL ON \`$database\`.* TO $user@'%';"
  fi
}

# Starts the server in the place of this shell, smaller than MySQL's own settings make it: this node is one machine.
server() {
  exec mysqld --no-defaults --datadir="$data" --secure-file-priv=NULL --skip-name-resolve --mysqlx=OFF --skip-log-bin \
    --performance-schema=OFF --innodb-buffer-pool-size=32M --innodb-redo-log-capacity=32M "$@"
}

sql() {
  mysql --no-defaults --socket="$socket" --user=root "$@"
}

await_server() {
  for _ in $(seq 300); do
    sql --execute="SELECT 1" >/dev/null 2>&1 && return
    kill -0 "$1" || break
    sleep 0.2
  done
  echo "MySQL did not come up for its initialisation" >&2
  exit 1
}

initialise() {
  [ -n "$(value MYSQL_ROOT_PASSWORD)" ] || { echo "set MYSQL_ROOT_PASSWORD" >&2; exit 1; }
  # What lies here without the mark is the half-made database of a first start that was cut off, or what an earlier
  # version of this image, which was MariaDB, kept here: MySQL cannot read it.
  find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found -exec rm -rf {} +
  mysqld --no-defaults --initialize-insecure --datadir="$data" --secure-file-priv=NULL --innodb-redo-log-capacity=32M
  (server --socket="$socket" --pid-file=/var/run/mysqld/init.pid --skip-networking) &
  pid=$!
  await_server "$pid"
  database=$(value MYSQL_DATABASE)
  [ -z "$database" ] || sql --execute="CREATE DATABASE \`$database\`"
  for script in /docker-entrypoint-initdb.d/*.sql; do
    if [ -f "$script" ]; then
      echo "running $script"
      sql --database="$database" <"$script"
    fi
  done
  accounts | sql
  kill "$pid"
  wait "$pid"
  touch "$initialised"
}

case "${1:-}" in
  -*) set -- mysqld "$@" ;;
esac
if [ "$1" = mysqld ]; then
  [ -f "$initialised" ] || initialise
  shift
  server --socket=/var/run/mysqld/mysqld.sock --pid-file=/var/run/mysqld/mysqld.pid --bind-address="*" "$@"
fi
exec "$@"
