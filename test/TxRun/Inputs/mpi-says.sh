#!/bin/sh
# mpi-says.sh TEXT COMMAND...: runs an mpirun that has to leave with 1, and shows what it prints. mpirun ends all ranks
# when the first one leaves, and what a rank said just before is then lost now and then: without TEXT it is run again,
# four times at most.
text=$1
shift
for attempt in 1 2 3 4 5; do
  said=$("$@" 2>&1)
  found=$?
  if [ "$found" -ne 1 ]; then
    echo "$said"
    echo "left with $found, not with 1: $*"
    exit 1
  fi
  case $said in *"$text"*) break ;; esac
done
echo "$said"
