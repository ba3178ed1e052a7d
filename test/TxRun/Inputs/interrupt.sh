#!/bin/bash
# interrupt.sh SIGNAL LOG COMMAND...: starts the command, sends the signal once LOG has a step, and prints the code it
# leaves with.
signal=$1 log=$2
shift 2
"$@" &
child=$!
for _ in $(seq 600); do
  grep -q '"event": "step"' "$log" 2>/dev/null && break
  sleep 0.05
done
kill -s "$signal" "$child"
wait "$child"
echo "left with $?"
