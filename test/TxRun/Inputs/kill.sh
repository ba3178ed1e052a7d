#!/bin/bash
# kill.sh FILE COMMAND...: starts the command, whose output FILE is the only one in its folder, and kills it once the
# file is there. Nothing that is no half of a file remains.
file=$1
shift
mkdir -p "$(dirname "$file")"
"$@" > /dev/null &
child=$!
for ((i = 0; i < 600; ++i)); do
  [ -e "$file" ] && break
  sleep 0.1
done
kill -KILL $child
wait $child 2> /dev/null
[ -e "$file" ] || exit 1
# One that was about to take the output's name may be there, with a name of its own.
ls -A "$(dirname "$file")" | grep -v -x -e "$(basename "$file")" -e '\.tx-.*\.tmp'
[ $? -eq 1 ]
