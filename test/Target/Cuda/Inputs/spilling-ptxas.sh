#!/bin/sh
# A ptxas that spills at its usual level of register usage and at 4, but not at 3.
level=5
while [ $# -gt 0 ]; do
  case $1 in
  -o) out=$2 ;;
  --register-usage-level=*) level=${1#*=} ;;
  esac
  shift
done
echo "level $level" >> "${0%/*}/levels"
echo "level $level" > "$out"
spilled=$([ "$level" = 3 ] && echo 0 || echo 4)
echo "ptxas info    : Compiling entry function 'k' for 'sm_90'"
echo "    8 bytes stack frame, $spilled bytes spill stores, $spilled bytes spill loads"
echo "ptxas info    : Used 24 registers, used 1 barriers"
