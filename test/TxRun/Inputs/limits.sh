#!/bin/bash
# limits.sh KIB... -- COMMAND...: runs the command within each limit of address space. Each run works, or ends with 3
# and one line that says whose limit it was; none hangs, and none is ended by a signal.
limits=()
while [ "$1" != -- ]; do
  limits+=("$1")
  shift
done
shift
failed=0 refused=0 worked=0
for kib in "${limits[@]}"; do
  words=$(timeout --signal=KILL 60 bash -c 'ulimit -v "$0" && exec "$@"' "$kib" "$@" 2>&1 >/dev/null)
  code=$?
  if [ $code = 0 ]; then
    worked=$((worked + 1))
  elif [ $code = 3 ] && [[ $words == *"error: "*"ulimit -v"* ]]; then
    refused=$((refused + 1))
  else
    echo "at $kib KiB: left with $code: $words"
    failed=1
  fi
done
echo "$worked worked, $refused refused"
exit $failed
