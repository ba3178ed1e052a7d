#!/bin/bash
# fault.sh SIGNAL RANK LOG COMMAND...: starts the command with several ranks, sends the signal to one of them once LOG
# has a step (to the launcher: rank "all"), and prints what is said and the code it leaves with.
signal=$1 rank=$2 log=$3
shift 3
"$@" 2>&1 &
launcher=$!
for _ in $(seq 1200); do
  grep -q '"event": "step"' "$log" 2>/dev/null && break
  sleep 0.05
done
target=$launcher
if [ "$rank" != all ]; then
  for process in $(ps -o pid= --ppid "$launcher"); do
    tr '\0' '\n' <"/proc/$process/environ" | grep -qx "TXRT_LOCAL_RANK=$rank" && target=$process
  done
fi
kill -s "$signal" "$target"
wait "$launcher"
echo "left with $?"
