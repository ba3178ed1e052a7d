// RUN: tx-opt %s --tx-run-checks

// A row for all rows, and the sum of all rows.

func.func @zeros() {
  %z = tx.zeros in <"x"> : tensor<2x3xf32>
  check.equal %z, dense<0.0> : tensor<2x3xf32>
  return
}

func.func @broadcast_rows() {
  %b = arith.constant dense<[1.0, -2.0, 0.5]> : tensor<3xf32>
  %y = tx.broadcast_rows %b in <"fc"> : tensor<3xf32> -> tensor<2x2x3xf32>
  check.equal %y, dense<[[[1.0, -2.0, 0.5], [1.0, -2.0, 0.5]], [[1.0, -2.0, 0.5], [1.0, -2.0, 0.5]]]> : tensor<2x2x3xf32>
  return
}

// A gradient adds to what is there, or begins anew.
func.func @bias_grad() {
  %dy = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %acc = arith.constant dense<[100.0, 200.0]> : tensor<2xf32>
  %no = arith.constant dense<false> : tensor<i1>
  %yes = arith.constant dense<true> : tensor<i1>
  %plain = tx.bias_grad %dy into %acc in <backward, "fc"> : tensor<3x2xf32>, tensor<2xf32>
  %kept = tx.bias_grad %dy into %acc reset %no in <backward, "fc"> : tensor<3x2xf32>, tensor<2xf32>, tensor<i1>
  %reset = tx.bias_grad %dy into %acc reset %yes in <backward, "fc"> : tensor<3x2xf32>, tensor<2xf32>, tensor<i1>
  check.equal %plain, dense<[109.0, 212.0]> : tensor<2xf32>
  check.equal %kept, dense<[109.0, 212.0]> : tensor<2xf32>
  check.equal %reset, dense<[9.0, 12.0]> : tensor<2xf32>
  return
}

// What was NaN is forgotten after a reset.
func.func @bias_grad_of_new_memory() {
  %dy = arith.constant dense<[[1.0, 2.0], [3.0, 4.0]]> : tensor<2x2xf32>
  %acc = arith.constant dense<0x7FC00000> : tensor<2xf32>
  %yes = arith.constant dense<true> : tensor<i1>
  %reset = tx.bias_grad %dy into %acc reset %yes in <backward, "fc"> : tensor<2x2xf32>, tensor<2xf32>, tensor<i1>
  check.equal %reset, dense<[4.0, 6.0]> : tensor<2xf32>
  return
}
