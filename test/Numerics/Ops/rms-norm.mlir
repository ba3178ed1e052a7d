// RUN: tx-opt %s --tx-run-checks

// RMS norm with its statistic, over rows and over heads, and its gradients.

func.func @forward() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %w = arith.constant dense<[1.0, 2.0, -1.0, 0.5]> : tensor<4xf32>
  %y, %rstd = tx.rms_norm %x, %w eps 1.0e-2 in <"norm"> : tensor<2x4xf32>, tensor<4xf32>
  check.near %rstd, dense<[0.36490569, 0.24992191]> : tensor<2xf32> within relative 2.0e-6
  check.near %y, dense<[[0.36490569, 1.4596227, -1.0947171, 0.72981137], [0.0, 0.0, 0.0, 0.99968765]]> : tensor<2x4xf32> within absolute 2.0e-6 relative 2.0e-6
  return
}

// A weight that starts at 0 leaves the row's direction as it is.
func.func @offset() {
  %x = arith.constant dense<[[3.0, 4.0], [0.0, -2.0]]> : tensor<2x2xf32>
  %w = arith.constant dense<[0.0, 1.0]> : tensor<2xf32>
  %y, %rstd = tx.rms_norm %x, %w eps 1.0e-9 offset 1 in <"norm"> : tensor<2x2xf32>, tensor<2xf32>
  check.near %y, dense<[[0.84852814, 2.2627417], [0.0, -2.8284271]]> : tensor<2x2xf32> within relative 2.0e-6
  return
}

// Each head is a row of its own; a wide weight has two halves, an odd one has not.
func.func @heads() {
  %x = arith.constant dense<[[[3.0, 4.0, 0.0, -2.0], [1.0, 1.0, 6.0, 8.0]]]> : tensor<1x2x4xf32>
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %y, %rstd = tx.rms_norm %x, %w eps 1.0e-9 heads 2 in <"norm"> : tensor<1x2x4xf32>, tensor<2xf32>
  check.near %rstd, dense<[[[0.28284271, 0.70710678], [1.0, 0.14142136]]]> : tensor<1x2x2xf32> within relative 2.0e-6
  check.near %y, dense<[[[0.84852814, 2.2627417, 0.0, -2.8284271], [1.0, 2.0, 0.84852814, 2.2627417]]]> : tensor<1x2x4xf32> within relative 2.0e-6
  %odd = arith.constant dense<[[[2.0, 2.0, 2.0, -1.0, -1.0, -1.0]]]> : tensor<1x1x6xf32>
  %v = arith.constant dense<[1.0, 2.0, 3.0]> : tensor<3xf32>
  %z, %rstd2 = tx.rms_norm %odd, %v eps 1.0e-9 heads 2 in <"norm"> : tensor<1x1x6xf32>, tensor<3xf32>
  check.near %z, dense<[[[1.0, 2.0, 3.0, -1.0, -2.0, -3.0]]]> : tensor<1x1x6xf32> within relative 2.0e-6
  return
}

// With u = dy w and n = x rstd: rstd (u - n mean(u n)). Exact in these numbers.
func.func @input_gradient() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %w = arith.constant dense<[1.0, 2.0, -1.0, 0.5]> : tensor<4xf32>
  %rstd = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %dx = tx.rms_norm_input_grad %dy, %x, %w, %rstd in <backward, "norm"> : tensor<2x4xf32>, tensor<4xf32>, tensor<2xf32>
  check.near %dx, dense<[[0.46875, -0.0625, -0.09375, -0.125], [0.25, -0.5, -0.5, 0.0]]> : tensor<2x4xf32> within absolute 1.0e-7
  return
}

func.func @gradients_of_heads() {
  %dy = arith.constant dense<[[[1.0, 0.0, 2.0, -1.0], [0.0, 1.0, 1.0, 1.0]]]> : tensor<1x2x4xf32>
  %x = arith.constant dense<[[[2.0, 4.0, 0.0, -2.0], [1.0, 1.0, 6.0, 8.0]]]> : tensor<1x2x4xf32>
  %w = arith.constant dense<[1.0, 2.0]> : tensor<2xf32>
  %rstd = arith.constant dense<[[[0.5, 1.0], [1.0, 0.25]]]> : tensor<1x2x2xf32>
  %acc = arith.constant dense<[10.0, 20.0]> : tensor<2xf32>
  %dx = tx.rms_norm_input_grad %dy, %x, %w, %rstd heads 2 in <backward, "norm"> : tensor<1x2x4xf32>, tensor<2xf32>, tensor<1x2x2xf32>
  check.near %dx, dense<[[[0.25, -0.5, 2.0, 2.0], [-1.0, 1.0, -0.78125, -0.875]]]> : tensor<1x2x4xf32> within absolute 1.0e-7
  %dw = tx.rms_norm_weight_grad %dy, %x, %rstd into %acc heads 2 in <backward, "norm"> : tensor<1x2x4xf32>, tensor<1x2x2xf32>, tensor<2xf32>
  check.equal %dw, dense<[12.5, 25.0]> : tensor<2xf32>
  return
}

func.func @weight_gradient() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %rstd = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %acc = arith.constant dense<[10.0, 20.0, 30.0, 40.0]> : tensor<4xf32>
  %dw = tx.rms_norm_weight_grad %dy, %x, %rstd into %acc in <backward, "norm"> : tensor<2x4xf32>, tensor<2xf32>, tensor<4xf32>
  check.equal %dw, dense<[10.5, 19.75, 30.0, 41.0]> : tensor<4xf32>
  %yes = arith.constant dense<true> : tensor<i1>
  %fresh = tx.rms_norm_weight_grad %dy, %x, %rstd into %acc reset %yes in <backward, "norm"> : tensor<2x4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<i1>
  check.equal %fresh, dense<[0.5, -0.25, 0.0, 1.0]> : tensor<4xf32>
  return
}
