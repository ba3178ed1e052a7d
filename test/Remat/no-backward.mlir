// A function without backward (a model, an evaluation) stays as it is, whatever the policy.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=moe" | FileCheck %s

// CHECK-LABEL: func.func @evaluate
func.func @evaluate(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK-NEXT: tx.gelu
  // CHECK-NEXT: return
  %y = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}
