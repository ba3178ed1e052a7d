// A parameter used twice (a tied embedding) has one chain; the first contribution alone can reset it.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint | FileCheck %s

tx.global @w parameter : tensor<7x6xf32>

// CHECK-LABEL: func.func @microbatch
// CHECK-SAME: %[[FIRST:[^,]*]]: tensor<i1> {tx.name = "first"}
// CHECK: %[[W:.*]] = tx.load @w :
// CHECK-NOT: tx.load @w :
// CHECK: %[[ACC:.*]] = tx.load @w.grad :
// CHECK: %[[HEAD:.*]] = tx.linear_weight_grad {{.*}} into %[[ACC]] transposed reset %[[FIRST]] in <backward, "output_layer">
// CHECK: %[[DX:.*]] = tx.linear_input_grad
// CHECK: %[[ALL:.*]] = tx.embedding_weight_grad %{{.*}}, %[[DX]] into %[[HEAD]] in <backward, "embedding">
// CHECK: tx.store %[[ALL]], @w.grad
func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"})
    -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %table = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %table in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %head = tx.load @w : tensor<7x6xf32>
  %l = tx.linear %x, %head transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
  %losses, %lse = tx.cross_entropy %l, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
