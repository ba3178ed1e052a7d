// RUN: tx-opt %s --tx-run-checks

// Layer norm with its statistics, and its gradients.

func.func @forward() {
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %w = arith.constant dense<[1.0, 2.0, -1.0, 0.5]> : tensor<4xf32>
  %b = arith.constant dense<[0.0, 10.0, 0.0, -1.0]> : tensor<4xf32>
  %y, %mean, %rstd = tx.layer_norm %x, %w, %b eps 1.0e-2 in <"norm"> : tensor<2x4xf32>, tensor<4xf32>
  check.near %y, dense<[[-1.3363062, 9.1091292, -0.4454354, -0.3318469], [-0.57710986, 8.8457803, 0.57710986, -0.13433521]]> : tensor<2x4xf32> within absolute 2.0e-6 relative 2.0e-6
  check.near %mean, dense<[2.5, 2.0]> : tensor<2xf32> within absolute 2.0e-6
  check.near %rstd, dense<[0.89087081, 0.28855493]> : tensor<2xf32> within relative 2.0e-6
  return
}

// With g = dy w and n = (x - mean) rstd: rstd (g - avg(g) - n avg(g n)).
func.func @input_gradient() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %w = arith.constant dense<[1.0, 2.0, -1.0, 0.5]> : tensor<4xf32>
  %mean = arith.constant dense<[2.0, 1.0]> : tensor<2xf32>
  %rstd = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %dx = tx.layer_norm_input_grad %dy, %x, %w, %mean, %rstd in <backward, "norm"> : tensor<2x4xf32>, tensor<4xf32>, tensor<2xf32>
  check.near %dx, dense<[[0.34375, -0.125, -0.09375, -0.0625], [0.44042969, -0.30957031, -0.30957031, 0.10449219]]> : tensor<2x4xf32> within absolute 2.0e-6 relative 2.0e-6
  return
}

// Sums over rows of dy n and of dy, added to what is there: exact in these numbers.
func.func @weight_gradient() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf32>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf32>
  %mean = arith.constant dense<[2.0, 1.0]> : tensor<2xf32>
  %rstd = arith.constant dense<[0.5, 0.25]> : tensor<2xf32>
  %w = arith.constant dense<[1.0, 1.0, 1.0, 1.0]> : tensor<4xf32>
  %b = arith.constant dense<[10.0, 20.0, 30.0, 40.0]> : tensor<4xf32>
  %dw, %db = tx.layer_norm_weight_grad %dy, %x, %mean, %rstd into %w, %b in <backward, "norm"> : tensor<2x4xf32>, tensor<2xf32>, tensor<4xf32>, tensor<4xf32>
  check.equal %dw, dense<[0.25, 1.25, 0.5, 1.875]> : tensor<4xf32>
  check.equal %db, dense<[12.0, 19.0, 32.0, 40.5]> : tensor<4xf32>
  return
}

// In parts of rows, and their sum: a part for each row here. The form is for GPUs, and the host refuses it: in f64 it is
// the reference's alone.
func.func @in_parts() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf64>
  %x = arith.constant dense<[[1.0, 2.0, 3.0, 4.0], [0.0, 0.0, 0.0, 8.0]]> : tensor<2x4xf64>
  %mean = arith.constant dense<[2.0, 1.0]> : tensor<2xf64>
  %rstd = arith.constant dense<[0.5, 0.25]> : tensor<2xf64>
  %w = arith.constant dense<[1.0, 1.0, 1.0, 1.0]> : tensor<4xf64>
  %b = arith.constant dense<[10.0, 20.0, 30.0, 40.0]> : tensor<4xf64>
  %pw, %pb = tx.layer_norm_partial_grad %dy, %x, %mean, %rstd in <backward, "norm"> : tensor<2x4xf64>, tensor<2xf64> -> tensor<2x4xf64>
  check.equal %pb, dense<[[1.0, 0.0, 0.0, 0.0], [1.0, -1.0, 2.0, 0.5]]> : tensor<2x4xf64>
  %dw, %db = tx.add_parts %pw, %pb into %w, %b in <backward, "norm"> : tensor<2x4xf64>, tensor<2x4xf64> into tensor<4xf64>, tensor<4xf64>
  check.equal %dw, dense<[0.25, 1.25, 0.5, 1.875]> : tensor<4xf64>
  check.equal %db, dense<[12.0, 19.0, 32.0, 40.5]> : tensor<4xf64>
  return
}

// More rows than one thread takes: many sums of the number 1.
func.func @tall() {
  %ones = arith.constant dense<1.0> : tensor<2x301x3xf32>
  %mean = arith.constant dense<0.5> : tensor<2x301xf32>
  %rstd = arith.constant dense<2.0> : tensor<2x301xf32>
  %w = arith.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %b = arith.constant dense<[0.0, 1.0, 2.0]> : tensor<3xf32>
  %dw, %db = tx.layer_norm_weight_grad %ones, %ones, %mean, %rstd into %w, %b in <backward, "norm"> : tensor<2x301x3xf32>, tensor<2x301xf32>, tensor<3xf32>, tensor<3xf32>
  check.equal %dw, dense<[602.0, 603.0, 604.0]> : tensor<3xf32>
  check.equal %db, dense<[602.0, 603.0, 604.0]> : tensor<3xf32>
  %sum = tx.bias_grad %ones into %b in <backward, "fc"> : tensor<2x301x3xf32>, tensor<3xf32>
  check.equal %sum, dense<[602.0, 603.0, 604.0]> : tensor<3xf32>
  return
}
