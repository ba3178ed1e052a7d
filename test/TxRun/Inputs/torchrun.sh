#!/bin/bash
# torchrun.sh RANKS[/WORLD] [VARIABLE=VALUE...] COMMAND...: starts RANKS ranks of a world of WORLD as torchrun does, on
# a free port, and prints the code of each. WORLD may be a list, of what each rank believes: 4,4,3,4.
ranks=${1%/*}
IFS=, read -ra worlds <<<"${1#*/}"
shift
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
children=()
for ((rank = ranks - 1; rank >= 0; --rank)); do
  world=${worlds[rank]:-${worlds[0]}}
  env RANK=$rank LOCAL_RANK=$rank WORLD_SIZE="$world" LOCAL_WORLD_SIZE="$world" \
    MASTER_ADDR=127.0.0.1 MASTER_PORT="$port" "$@" 2>&1 &
  children+=($!)
done
codes=
for child in "${children[@]}"; do
  wait "$child"
  codes="$? $codes"
done
echo "left with $codes"
