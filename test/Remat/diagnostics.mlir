// Messages of the pass; OptionsTest.cpp has all of those about flags, word by word.
// RUN: not tx-opt %s --tx-rematerialize="granularity=selective modules=moe" 2>&1 | FileCheck %s --check-prefix=ERROR
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act,layernorm" -o %t 2>&1 | FileCheck %s --check-prefix=WARNING
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp,mlp_act" -o %t 2>&1 | FileCheck %s --check-prefix=NOTE
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=" -o %t 2>&1 | count 0
// RUN: not tx-opt %s --tx-rematerialize="granularity=full num-layers=" 2>&1 | FileCheck %s --check-prefix=EMPTY

// ERROR: error: recompute module 'moe' names no op in this model, which has no mixture of experts; present: mlp, mlp_act, layernorm
// WARNING: warning: recompute module 'layernorm' frees 0 bytes: 128 are saved with it, 128 without; leave it out
// NOTE: remark: recompute module 'mlp_act' is part of 'mlp' and runs once, with it; it can be left out
// EMPTY: error: --recompute-num-layers '' is not a number of layers; this model allows 1 to 1

func.func @step(%x: tensor<4x8xf32>, %w: tensor<8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y, %mean, %rstd = tx.layer_norm %x, %w, %w eps 1.0e-5 in <layer 0, "layernorm.input"> : tensor<4x8xf32>, tensor<8xf32>
  %a = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %o = tx.gelu %a in <layer 0, "mlp.fc2"> : tensor<4x8xf32>
  %d = tx.gelu_grad %dy, %a in <backward, layer 0, "mlp.fc2"> : tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}
