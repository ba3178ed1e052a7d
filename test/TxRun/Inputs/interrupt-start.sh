#!/bin/bash
# interrupt-start.sh RANK COMMAND...: one rank of four, the others of which do not come; it gets SIGINT after a second.
rank=$1
shift
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
# A background process of a script ignores SIGINT otherwise.
RANK=$rank WORLD_SIZE=4 MASTER_ADDR=127.0.0.1 MASTER_PORT=$port \
  timeout --foreground --preserve-status --signal=INT 1 "$@" 2>&1
code=$?
echo "left with $code"
