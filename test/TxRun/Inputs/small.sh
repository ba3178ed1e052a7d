#!/bin/sh
# small.sh FOLDER [POLICY FLAGS]: a small byte-level GPT as FOLDER/step.txa, and without recomputation as
# FOLDER/none.txa.
folder=$1
shift
mkdir -p "$folder"
exec tx-compile --num-layers 2 --hidden-size 32 --num-attention-heads 2 \
  --seq-length 24 --max-position-embeddings 24 --micro-batch-size 3 \
  --vocab-size 256 --attention-dropout 0.1 --hidden-dropout 0.1 \
  --attention-backend unfused -o "$folder/step.txa" \
  --verify-twin "$folder/none.txa" "$@"
