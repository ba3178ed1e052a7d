// RUN: tx-opt %s --tx-run-checks

// Cross entropy with its statistics (the largest logit, the sum of exponentials), its gradient, and sums of losses.

func.func @cross_entropy() {
  %logits = arith.constant dense<[[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 4.0, 0.5]]]> : tensor<1x3x3xf32>
  %targets = arith.constant dense<[[2, 0, -100]]> : tensor<1x3xi32>
  %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<1x3x3xf32>, tensor<1x3xi32>
  check.near %losses, dense<[[0.40760596, 1.0986123, 0.0]]> : tensor<1x3xf32> within absolute 5.0e-7
  check.near %stats, dense<[[[3.0, 1.5032147], [0.0, 3.0], [4.0, 1.0369353]]]> : tensor<1x3x2xf32> within absolute 5.0e-7
  return
}

// softmax - 1 at the target, times the loss's gradient; nothing where the target is ignored.
func.func @gradient() {
  %dlosses = arith.constant dense<[[1.0, 0.5, 7.0]]> : tensor<1x3xf32>
  %logits = arith.constant dense<[[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 4.0, 0.5]]]> : tensor<1x3x3xf32>
  %targets = arith.constant dense<[[2, 0, -100]]> : tensor<1x3xi32>
  %stats = arith.constant dense<[[[3.0, 1.5032147], [0.0, 3.0], [4.0, 1.0369353]]]> : tensor<1x3x2xf32>
  %dlogits = tx.cross_entropy_grad %dlosses, %logits, %targets, %stats ignore -100 in <backward, "loss"> : tensor<1x3xf32>, tensor<1x3x3xf32>, tensor<1x3xi32>
  check.near %dlogits, dense<[[[0.090030573, 0.24472847, -0.33475904], [-0.33333333, 0.16666667, 0.16666667], [0.0, 0.0, 0.0]]]> : tensor<1x3x3xf32> within absolute 1.0e-6
  return
}

func.func @reduce_loss() {
  %losses = arith.constant dense<[[1.0, 2.0, 0x7FC00000, 4.0]]> : tensor<1x4xf32>
  %targets = arith.constant dense<[[3, 0, -100, 1]]> : tensor<1x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<1x4xf32>, tensor<1x4xi32>
  check.equal %sum, dense<7.0> : tensor<f32>
  check.equal %count, dense<3.0> : tensor<f32>
  return
}

// Without any target there is no loss, and no NaN.
func.func @no_targets() {
  %losses = arith.constant dense<[[1.0, 2.0]]> : tensor<1x2xf32>
  %targets = arith.constant dense<-100> : tensor<1x2xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<1x2xf32>, tensor<1x2xi32>
  check.equal %sum, dense<0.0> : tensor<f32>
  check.equal %count, dense<0.0> : tensor<f32>
  return
}

// An op's own mask decides, not that of the cross entropy: here 0 is what is ignored.
func.func @reduce_loss_gradient() {
  %scale = arith.constant dense<0.25> : tensor<f32>
  %targets = arith.constant dense<[[3, 0, -100, 1]]> : tensor<1x4xi32>
  %d = tx.reduce_loss_grad %scale, %targets ignore 0 in <backward, "loss"> : tensor<f32>, tensor<1x4xi32>
  check.equal %d, dense<[[0.25, 0.0, 0.25, 0.25]]> : tensor<1x4xf32>
  return
}

// x is the identity's rows, so the logits are the weight's columns: those of @cross_entropy and @gradient. The weight's
// gradient is the transposed gradient of the logits, x's is this gradient times the weight.
func.func @linear_cross_entropy() {
  %x = arith.constant dense<[[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]> : tensor<1x3x3xf32>
  %w = arith.constant dense<[[1.0, 2.0, 3.0], [0.0, 0.0, 0.0], [-1.0, 4.0, 0.5]]> : tensor<3x3xf32>
  %wt = arith.constant dense<[[1.0, 0.0, -1.0], [2.0, 0.0, 4.0], [3.0, 0.0, 0.5]]> : tensor<3x3xf32>
  %targets = arith.constant dense<[[2, 0, -100]]> : tensor<1x3xi32>
  %sum, %count = tx.linear_cross_entropy %x, %w, %targets ignore -100 head "output_layer" in <"loss"> : tensor<1x3x3xf32>, tensor<3x3xf32>, tensor<1x3xi32>
  %sumt, %countt = tx.linear_cross_entropy %x, %wt, %targets transposed ignore -100 head "output_layer" in <"loss"> : tensor<1x3x3xf32>, tensor<3x3xf32>, tensor<1x3xi32>
  check.near %sum, dense<1.5062182> : tensor<f32> within absolute 5.0e-7
  check.near %sumt, dense<1.5062182> : tensor<f32> within absolute 5.0e-7
  check.equal %count, dense<2.0> : tensor<f32>
  check.equal %countt, dense<2.0> : tensor<f32>
  return
}

func.func @linear_cross_entropy_gradient() {
  %x = arith.constant dense<[[[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]]> : tensor<1x3x3xf32>
  %wt = arith.constant dense<[[1.0, 0.0, -1.0], [2.0, 0.0, 4.0], [3.0, 0.0, 0.5]]> : tensor<3x3xf32>
  %targets = arith.constant dense<[[2, 0, -100]]> : tensor<1x3xi32>
  %scale = arith.constant dense<0.5> : tensor<f32>
  %old = arith.constant dense<1.0> : tensor<3x3xf32>
  %sum, %count, %dx, %dw = tx.linear_cross_entropy_grad %x, %wt, %targets scale %scale into %old transposed input ignore -100 head "output_layer" in <"loss"> : tensor<1x3x3xf32>, tensor<3x3xf32>, tensor<1x3xi32>, tensor<f32>, tensor<3x3xf32>
  check.near %sum, dense<1.5062182> : tensor<f32> within absolute 5.0e-7
  check.equal %count, dense<2.0> : tensor<f32>
  check.near %dx, dense<[[[-0.212394726, 0.0, 0.36075182], [0.5, 0.0, 1.0833333], [0.0, 0.0, 0.0]]]> : tensor<1x3x3xf32> within absolute 1.0e-6
  check.near %dw, dense<[[1.04501529, 0.66666667, 1.0], [1.12236424, 1.16666667, 1.0], [0.83262048, 1.16666667, 1.0]]> : tensor<3x3xf32> within absolute 1.0e-6
  return
}
