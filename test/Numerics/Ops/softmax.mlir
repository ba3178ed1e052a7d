// RUN: tx-opt %s --tx-run-checks

// Softmax over rows, causal too, and its gradient.

func.func @plain() {
  %x = arith.constant dense<[[[[0.0, 1.0, 2.0], [-1.0, 0.0, 0.5], [3.0, 3.0, 3.0]]]]> : tensor<1x1x3x3xf32>
  %y = tx.softmax %x in <"core_attn"> : tensor<1x1x3x3xf32>
  check.near %y, dense<[[[[0.090030573, 0.24472847, 0.66524096], [0.12195165, 0.33149896, 0.54654939], [0.33333333, 0.33333333, 0.33333333]]]]> : tensor<1x1x3x3xf32> within absolute 5.0e-7
  return
}

// Row i sees the columns up to i; the others are 0, and not read.
func.func @causal() {
  %x = arith.constant dense<[[[[0.0, 1.0, 0x7FC00000], [-1.0, 0.0, 0x7F800000], [3.0, 3.0, 3.0]]]]> : tensor<1x1x3x3xf32>
  %y = tx.softmax %x causal in <"core_attn"> : tensor<1x1x3x3xf32>
  check.near %y, dense<[[[[1.0, 0.0, 0.0], [0.26894142, 0.73105858, 0.0], [0.33333333, 0.33333333, 0.33333333]]]]> : tensor<1x1x3x3xf32> within absolute 5.0e-7
  return
}

// y (dy - sum(dy y)): exact in these numbers.
func.func @gradient() {
  %dy = arith.constant dense<[[1.0, 0.0, 0.0], [0.0, 1.0, -1.0], [2.0, 2.0, 5.0]]> : tensor<3x3xf32>
  %y = arith.constant dense<[[0.5, 0.25, 0.25], [0.125, 0.5, 0.375], [1.0, 0.0, 0.0]]> : tensor<3x3xf32>
  %dx = tx.softmax_grad %dy, %y in <backward, "core_attn"> : tensor<3x3xf32>
  check.equal %dx, dense<[[0.25, -0.125, -0.125], [-0.015625, 0.4375, -0.421875], [0.0, 0.0, 0.0]]> : tensor<3x3xf32>
  return
}

// The difference to the largest is what counts, be it infinite.
func.func @large_numbers() {
  %x = arith.constant dense<[[-3.0e38, 3.0e38, -3.0e38, 3.0e38], [1000.0, 1000.0, 1000.0, 1000.0]]> : tensor<2x4xf32>
  %y = tx.softmax %x in <"core_attn"> : tensor<2x4xf32>
  check.equal %y, dense<[[0.0, 0.5, 0.0, 0.5], [0.25, 0.25, 0.25, 0.25]]> : tensor<2x4xf32>
  return
}

// The same in a row of several vectors: at 17 and at 66 of 80.
func.func @large_numbers_apart() {
  %low17 = arith.constant dense<-3.0e38> : tensor<1x17xf32>
  %high = arith.constant dense<3.0e38> : tensor<1x1xf32>
  %low48 = arith.constant dense<-3.0e38> : tensor<1x48xf32>
  %low13 = arith.constant dense<-3.0e38> : tensor<1x13xf32>
  %x = tx.concat %low17, %high, %low48, %high, %low13 in <"x"> : tensor<1x17xf32>, tensor<1x1xf32>, tensor<1x48xf32>, tensor<1x1xf32>, tensor<1x13xf32>
  %y = tx.softmax %x in <"core_attn"> : tensor<1x80xf32>
  %zero17 = arith.constant dense<0.0> : tensor<1x17xf32>
  %half = arith.constant dense<0.5> : tensor<1x1xf32>
  %zero48 = arith.constant dense<0.0> : tensor<1x48xf32>
  %zero13 = arith.constant dense<0.0> : tensor<1x13xf32>
  %expected = tx.concat %zero17, %half, %zero48, %half, %zero13 in <"x"> : tensor<1x17xf32>, tensor<1x1xf32>, tensor<1x48xf32>, tensor<1x1xf32>, tensor<1x13xf32>
  check.equal %y, %expected : tensor<1x80xf32>
  return
}

// Of 80 columns one is NaN, in the second vector: the whole row is, and no other.
func.func @not_a_number() {
  %ones = arith.constant dense<1.0> : tensor<1x70xf32>
  %nan = arith.constant dense<0x7FC00000> : tensor<1x1xf32>
  %tail = arith.constant dense<1.0> : tensor<1x9xf32>
  %x = tx.concat %ones, %nan, %tail in <"x"> : tensor<1x70xf32>, tensor<1x1xf32>, tensor<1x9xf32>
  %y = tx.softmax %x in <"core_attn"> : tensor<1x80xf32>
  check.equal %y, dense<0x7FC00000> : tensor<1x80xf32>
  %rows = arith.constant dense<[[1.0, 0x7FC00000], [1.0, 1.0]]> : tensor<2x2xf32>
  %z = tx.softmax %rows in <"core_attn"> : tensor<2x2xf32>
  check.equal %z, dense<[[0x7FC00000, 0x7FC00000], [0.5, 0.5]]> : tensor<2x2xf32>
  return
}
