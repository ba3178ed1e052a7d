// A replay whose only early reader is the weight's product still joins the backward kernel: the bias's gradient, which
// waits for the product, goes with it.
// RUN: tx-opt %s --pass-pipeline='builtin.module(func.func(tx-fuse-epilogues,tx-fuse-kernels))' | FileCheck %s

// CHECK: tx.linear_input_grad
// CHECK: step.group row
// CHECK-DAG: tx.gelu %
// CHECK-DAG: tx.gelu_grad
// CHECK: tx.linear_weight_grad {{.*}} {step.epilogue = #step<epilogue sums_b>}
// CHECK: step.group column
// CHECK-NEXT: tx.bias_grad
func.func @f(%h: tensor<2x4x8xbf16>, %dy: tensor<2x4x6xbf16>, %weight: tensor<8x6xbf16>, %w: tensor<8x6xf32>, %b: tensor<6xf32>) -> (tensor<2x4x8xbf16>, tensor<8x6xf32>, tensor<6xf32>) {
  %y = tx.gelu %h in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  %db = tx.bias_grad %dy into %b in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xbf16>, tensor<6xf32>
  %dw = tx.linear_weight_grad %y, %dy into %w in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xbf16>, tensor<2x4x6xbf16>, tensor<8x6xf32>
  %dx = tx.linear_input_grad %dy, %weight in <backward, layer 0, "mlp.fc2"> : tensor<2x4x6xbf16>, tensor<8x6xbf16> -> tensor<2x4x8xbf16>
  %dh = tx.gelu_grad %dx, %h in <backward, layer 0, "mlp.mlp_act"> : tensor<2x4x8xbf16>
  return %dh, %dw, %db : tensor<2x4x8xbf16>, tensor<8x6xf32>, tensor<6xf32>
}
