// What was decided leaves as remarks: by line of the policy and layer, and in all. Two results of 4 x 8 x 4 bytes go.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act,layernorm" --remarks-filter=tx-rematerialize --remark-format=emitRemark -o %t 2>&1 | FileCheck %s

func.func @step(%x: tensor<4x8xf32>, %w: tensor<8xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %y, %mean, %rstd = tx.layer_norm %x, %w, %w eps 1.0e-5 in <layer 1, "layernorm.input"> : tensor<4x8xf32>, tensor<8xf32>
  %a = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %d0 = tx.gelu_grad %dy, %a in <backward, layer 0, "mlp.fc2"> : tensor<4x8xf32>
  %d1 = tx.gelu_grad %d0, %y in <backward, layer 1, "self_attention.qkv"> : tensor<4x8xf32>
  return %d1 : tensor<4x8xf32>
}
// CHECK: [Passed] Rematerialized | Category:tx-rematerialize | Function=step | BytesFreed=128, Layer=0, MatrixFlops=0, Ops=1, Policy="selective mlp_act", VectorFlops=
// CHECK: [Passed] Rematerialized | Category:tx-rematerialize | Function=step | BytesFreed=128, Layer=1, MatrixFlops=0, Ops=1, Policy="selective layernorm", VectorFlops=
// CHECK: [Analysis] SavedActivations | Category:tx-rematerialize | Function=step | Bytes=0, BytesWithout=256, MatrixFlops=0, RecomputedOps=2, VectorFlops=
