// A recomputation after the border, an accumulator with two contributions, an optimizer on its sum: all is well.
// RUN: tx-opt %s --tx-verify-joint

tx.global @w parameter : tensor<7x6xf32>
tx.global @w.grad gradient of @w : tensor<7x6xf32>
func.func @microbatch(%tokens: tensor<2x4xi32>, %targets: tensor<2x4xi32>, %key: tensor<4xi32>, %scale: tensor<f32>, %first: tensor<i1>)
    -> (tensor<f32>, tensor<f32>) {
  %w = tx.load @w : tensor<7x6xf32>
  %acc = tx.load @w.grad : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %d = tx.dropout %x, %key p 0.1 in <"embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %losses, %lse = tx.cross_entropy %d, %targets ignore -100 in <"loss"> : tensor<2x4x6xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  %r = tx.embedding %tokens, %w in <recompute, "embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %rd = tx.dropout %r, %key p 0.1 in <recompute, "embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %dl = tx.reduce_loss_grad %scale, %targets ignore -100 in <backward, "loss"> : tensor<f32>, tensor<2x4xi32>
  %dx = tx.cross_entropy_grad %dl, %rd, %targets, %lse ignore -100 in <backward, "loss"> : tensor<2x4xf32>, tensor<2x4x6xf32>, tensor<2x4xi32>
  %e = tx.dropout %dx, %key p 0.1 in <backward, "embedding"> : tensor<2x4x6xf32>, tensor<4xi32>
  %h = tx.embedding_weight_grad %tokens, %e into %acc reset %first in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>, tensor<i1>
  %g = tx.embedding_weight_grad %tokens, %e into %h in <backward, "embedding"> : tensor<2x4xi32>, tensor<2x4x6xf32>, tensor<7x6xf32>
  %n = tx.sum_of_squares %g in <optimizer, "grad_norm"> : tensor<7x6xf32>
  tx.store %g, @w.grad : tensor<7x6xf32>
  return %sum, %count : tensor<f32>, tensor<f32>
}
