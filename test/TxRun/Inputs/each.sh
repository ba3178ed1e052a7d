#!/bin/sh
# each.sh "NAMES" COMMAND: runs the command, a line for a shell, for each name, which stands for every @ in it; stops at
# the first that fails.
for name in $1; do
  sh -c "$(printf '%s' "$2" | sed "s/@/$name/g")" || exit 1
done
