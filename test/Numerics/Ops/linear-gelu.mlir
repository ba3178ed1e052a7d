// RUN: tx-opt %s --tx-run-checks

// A product and GELU in one op, and its gradient with the sums of its rows, are what the separate ops are:
// in double to the last bits, on the host to the last one.

func.func @plain() {
  %x = check.random seed 1 from -1.0 to 1.0 : tensor<5x3xf64>
  %w = check.random seed 2 from -1.0 to 1.0 : tensor<3x4xf64>
  %b = check.random seed 3 from -1.0 to 1.0 : tensor<4xf64>
  %dy = check.random seed 4 from -1.0 to 1.0 : tensor<5x2xf64>
  %v = check.random seed 5 from -1.0 to 1.0 : tensor<4x2xf64>
  %acc = arith.constant dense<0.0> : tensor<4xf64>
  %g, %p = tx.linear_gelu %x, %w bias %b in <"fc1"> : tensor<5x3xf64>, tensor<3x4xf64>, tensor<4xf64> -> tensor<5x4xf64>
  %d, %s = tx.linear_gelu_input_grad %dy, %v, %p in <backward, "fc2"> : tensor<5x2xf64>, tensor<4x2xf64> -> tensor<5x4xf64> sums tensor<4xf64>
  %p1 = tx.linear %x, %w bias %b in <"fc1"> : tensor<5x3xf64>, tensor<3x4xf64>, tensor<4xf64> -> tensor<5x4xf64>
  %g1 = tx.gelu %p1 in <"act"> : tensor<5x4xf64>
  %e = tx.linear_input_grad %dy, %v in <backward, "fc2"> : tensor<5x2xf64>, tensor<4x2xf64> -> tensor<5x4xf64>
  %d1 = tx.gelu_grad %e, %p1 in <backward, "act"> : tensor<5x4xf64>
  %s1 = tx.bias_grad %d1 into %acc in <backward, "fc1"> : tensor<5x4xf64>, tensor<4xf64>
  check.near %g, %g1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %p, %p1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %d, %d1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %s, %s1 : tensor<4xf64> within absolute 1.0e-14
  return
}

func.func @transposed() {
  %x = check.random seed 1 from -1.0 to 1.0 : tensor<5x3xf64>
  %w = check.random seed 2 from -1.0 to 1.0 : tensor<4x3xf64>
  %b = check.random seed 3 from -1.0 to 1.0 : tensor<4xf64>
  %dy = check.random seed 4 from -1.0 to 1.0 : tensor<5x2xf64>
  %v = check.random seed 5 from -1.0 to 1.0 : tensor<2x4xf64>
  %acc = arith.constant dense<0.0> : tensor<4xf64>
  %g, %p = tx.linear_gelu %x, %w transposed bias %b in <"fc1"> : tensor<5x3xf64>, tensor<4x3xf64>, tensor<4xf64> -> tensor<5x4xf64>
  %d, %s = tx.linear_gelu_input_grad %dy, %v, %p transposed in <backward, "fc2"> : tensor<5x2xf64>, tensor<2x4xf64> -> tensor<5x4xf64> sums tensor<4xf64>
  %p1 = tx.linear %x, %w transposed bias %b in <"fc1"> : tensor<5x3xf64>, tensor<4x3xf64>, tensor<4xf64> -> tensor<5x4xf64>
  %g1 = tx.gelu %p1 in <"act"> : tensor<5x4xf64>
  %e = tx.linear_input_grad %dy, %v transposed in <backward, "fc2"> : tensor<5x2xf64>, tensor<2x4xf64> -> tensor<5x4xf64>
  %d1 = tx.gelu_grad %e, %p1 in <backward, "act"> : tensor<5x4xf64>
  %s1 = tx.bias_grad %d1 into %acc in <backward, "fc1"> : tensor<5x4xf64>, tensor<4xf64>
  check.near %g, %g1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %p, %p1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %d, %d1 : tensor<5x4xf64> within absolute 1.0e-14
  check.near %s, %s1 : tensor<4xf64> within absolute 1.0e-14
  return
}

func.func @on_the_host() {
  %x = check.random seed 1 from -1.0 to 1.0 : tensor<5x3xf32>
  %w = check.random seed 2 from -1.0 to 1.0 : tensor<3x4xf32>
  %b = check.random seed 3 from -1.0 to 1.0 : tensor<4xf32>
  %dy = check.random seed 4 from -1.0 to 1.0 : tensor<5x2xf32>
  %v = check.random seed 5 from -1.0 to 1.0 : tensor<4x2xf32>
  %g, %p = tx.linear_gelu %x, %w bias %b in <"fc1"> : tensor<5x3xf32>, tensor<3x4xf32>, tensor<4xf32> -> tensor<5x4xf32>
  %d = tx.linear_gelu_input_grad %dy, %v, %p in <backward, "fc2"> : tensor<5x2xf32>, tensor<4x2xf32> -> tensor<5x4xf32>
  %p1 = tx.linear %x, %w bias %b in <"fc1"> : tensor<5x3xf32>, tensor<3x4xf32>, tensor<4xf32> -> tensor<5x4xf32>
  %g1 = tx.gelu %p1 in <"act"> : tensor<5x4xf32>
  %e = tx.linear_input_grad %dy, %v in <backward, "fc2"> : tensor<5x2xf32>, tensor<4x2xf32> -> tensor<5x4xf32>
  %d1 = tx.gelu_grad %e, %p1 in <backward, "act"> : tensor<5x4xf32>
  check.equal %g, %g1 : tensor<5x4xf32>
  check.equal %p, %p1 : tensor<5x4xf32>
  check.equal %d, %d1 : tensor<5x4xf32>
  return
}
