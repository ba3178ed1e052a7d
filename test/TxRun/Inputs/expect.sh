#!/bin/sh
# expect.sh CODE COMMAND...: runs the command, shows what it prints, and succeeds when it leaves with the code.
wanted=$1
shift
"$@" 2>&1
found=$?
[ "$found" -eq "$wanted" ] && exit 0
echo "left with $found, not with $wanted: $*"
exit 1
