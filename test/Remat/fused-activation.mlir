// A product and its GELU in one op: `mlp` recomputes it once, for both results; alone the activation can not be.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective modules=mlp" | FileCheck %s
// RUN: tx-opt %s --tx-rematerialize="save-only=mlp.fc1.gelu" | FileCheck %s --check-prefix=SAVED
// RUN: not tx-opt %s --tx-rematerialize="granularity=selective modules=mlp_act" 2>&1 | FileCheck %s --check-prefix=ALONE

// ALONE: error: recompute module 'mlp_act' can not be recomputed alone: 'layers.0.mlp.fc1' computes it together with a product (--gemm-gelu-fusion), and it would get other bits without; 'mlp' recomputes both, or compile without the fusion; present: mlp

// CHECK-LABEL: func.func @mlp
// CHECK: tx.linear %
// CHECK-NEXT: %[[G:.*]], %[[PRE:.*]] = tx.linear_gelu {{.*}} in <recompute, layer 0, "mlp.fc1">
// CHECK-NEXT: tx.linear_weight_grad %[[G]],
// CHECK-NEXT: tx.linear_gelu_input_grad %{{.*}}, %{{.*}}, %[[PRE]]
// CHECK-NOT: recompute

// The one result is kept, the other is computed again.
// SAVED: %[[G:.*]], %{{.*}} = tx.linear_gelu {{.*}} in <layer 0
// SAVED: tx.linear_weight_grad %[[G]],
// SAVED: %{{.*}}, %[[PRE:.*]] = tx.linear_gelu {{.*}} in <recompute, layer 0
// SAVED: tx.linear_gelu_input_grad %{{.*}}, %{{.*}}, %[[PRE]]
func.func @mlp(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %v: tensor<8x6xf32>, %dy: tensor<2x4x6xf32>, %acc: tensor<8x6xf32>) -> (tensor<2x4x6xf32>, tensor<8x6xf32>, tensor<2x4x8xf32>) {
  %a, %pre = tx.linear_gelu %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
  %y = tx.linear %a, %v in <layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<8x6xf32> -> tensor<2x4x6xf32>
  %dw = tx.linear_weight_grad %a, %dy into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<2x4x6xf32>, tensor<8x6xf32>
  %d = tx.linear_gelu_input_grad %dy, %v, %pre in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xf32>, tensor<8x6xf32> -> tensor<2x4x8xf32>
  return %y, %dw, %d : tensor<2x4x6xf32>, tensor<8x6xf32>, tensor<2x4x8xf32>
}
