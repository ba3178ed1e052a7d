// A norm's weight and bias share one op where both accumulators begin or both go on; else each has its own.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint | FileCheck %s

tx.global @w parameter : tensor<7x6xf32>
tx.global @n parameter ones : tensor<6xf32>
tx.global @b2 parameter : tensor<6xf32>

// CHECK-LABEL: func.func @microbatch
// CHECK-SAME: %[[FIRST:[^,]*]]: tensor<i1> {tx.name = "first"}
// CHECK-DAG: %[[N:.*]] = tx.load @n.grad
// CHECK-DAG: %[[B2:.*]] = tx.load @b2.grad
// The bias is no parameter.
// CHECK: %[[N1:.*]] = tx.layer_norm_weight_grad {{.*}} into %[[N]] reset %[[FIRST]] in <backward, layer 2, "layernorm">
// Only the weight has been there.
// CHECK: %[[N2:.*]] = tx.layer_norm_weight_grad {{.*}} into %[[N1]] in <backward, layer 1, "layernorm">
// CHECK-NEXT: %[[B:.*]] = tx.bias_grad {{.*}} into %[[B2]] reset %[[FIRST]] in <backward, layer 1, "layernorm">
// Both have been there.
// CHECK: tx.layer_norm_weight_grad {{.*}} into %[[N2]], %[[B]] in <backward, layer 0, "layernorm">
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"}, %bias: tensor<6xf32> {tx.name = "bias"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %n = tx.load @n : tensor<6xf32>
  %b2 = tx.load @b2 : tensor<6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %y0, %m0, %r0 = tx.layer_norm %x, %n, %b2 eps 1.0e-5 in <layer 0, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %y1, %m1, %r1 = tx.layer_norm %y0, %n, %b2 eps 1.0e-5 in <layer 1, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %y2, %m2, %r2 = tx.layer_norm %y1, %n, %bias eps 1.0e-5 in <layer 2, "layernorm"> : tensor<2x4x6xf32>, tensor<6xf32>
  %losses, %stats = tx.cross_entropy %y2, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
