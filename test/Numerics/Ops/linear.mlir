// RUN: tx-opt %s --tx-run-checks

// Products with a weight, plain and transposed, and their gradients; whole numbers, so exact.

func.func @plain() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]]> : tensor<3x2xf32>
  %w = arith.constant dense<[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]> : tensor<2x3xf32>
  %y = tx.linear %x, %w in <"fc"> : tensor<3x2xf32>, tensor<2x3xf32> -> tensor<3x3xf32>
  check.equal %y, dense<[[1.0, 2.0, 8.0], [3.0, 4.0, 18.0], [-1.0, 0.0, -2.0]]> : tensor<3x3xf32>
  return
}

func.func @transposed_with_bias() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [-1.0, 0.0]]> : tensor<3x2xf32>
  %w = arith.constant dense<[[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]]> : tensor<3x2xf32>
  %b = arith.constant dense<[100.0, 200.0, 300.0]> : tensor<3xf32>
  %y = tx.linear %x, %w transposed bias %b in <"fc"> : tensor<3x2xf32>, tensor<3x2xf32>, tensor<3xf32> -> tensor<3x3xf32>
  check.equal %y, dense<[[101.0, 202.0, 308.0], [103.0, 204.0, 318.0], [99.0, 200.0, 298.0]]> : tensor<3x3xf32>
  return
}

// Of bf16, with a result of f32: 257 is no bf16.
func.func @bf16() {
  %x = arith.constant dense<[[256.0, 1.0]]> : tensor<1x2xbf16>
  %w = arith.constant dense<[[1.0], [1.0]]> : tensor<2x1xbf16>
  %wide = tx.linear %x, %w in <"fc"> : tensor<1x2xbf16>, tensor<2x1xbf16> -> tensor<1x1xf32>
  %narrow = tx.linear %x, %w in <"fc"> : tensor<1x2xbf16>, tensor<2x1xbf16> -> tensor<1x1xbf16>
  check.equal %wide, dense<257.0> : tensor<1x1xf32>
  check.equal %narrow, dense<256.0> : tensor<1x1xbf16>
  return
}

func.func @input_gradient() {
  %dy = arith.constant dense<[[1.0, 10.0, 100.0]]> : tensor<1x3xf32>
  %w = arith.constant dense<[[1.0, 0.0, 2.0], [0.0, 1.0, 3.0]]> : tensor<2x3xf32>
  %dx = tx.linear_input_grad %dy, %w in <backward, "fc"> : tensor<1x3xf32>, tensor<2x3xf32> -> tensor<1x2xf32>
  check.equal %dx, dense<[[201.0, 310.0]]> : tensor<1x2xf32>
  %t = arith.constant dense<[[1.0, 0.0], [0.0, 1.0], [2.0, 3.0]]> : tensor<3x2xf32>
  %dx2 = tx.linear_input_grad %dy, %t transposed in <backward, "fc"> : tensor<1x3xf32>, tensor<3x2xf32> -> tensor<1x2xf32>
  check.equal %dx2, dense<[[201.0, 310.0]]> : tensor<1x2xf32>
  return
}

// Added to what is there; after a reset, to nothing.
func.func @weight_gradient() {
  %x = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %dy = arith.constant dense<[[1.0, 0.0, -1.0], [0.0, 1.0, 1.0]]> : tensor<2x3xf32>
  %acc = arith.constant dense<[[10.0, 20.0, 30.0], [40.0, 50.0, 60.0]]> : tensor<2x3xf32>
  %yes = arith.constant dense<true> : tensor<i1>
  %dw = tx.linear_weight_grad %x, %dy into %acc in <backward, "fc"> : tensor<2x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>
  %new = tx.linear_weight_grad %x, %dy into %acc reset %yes in <backward, "fc"> : tensor<2x2xf32>, tensor<2x3xf32>, tensor<2x3xf32>, tensor<i1>
  check.equal %dw, dense<[[11.0, 23.0, 32.0], [42.0, 54.0, 62.0]]> : tensor<2x3xf32>
  check.equal %new, dense<[[1.0, 3.0, 2.0], [2.0, 4.0, 2.0]]> : tensor<2x3xf32>
  return
}
