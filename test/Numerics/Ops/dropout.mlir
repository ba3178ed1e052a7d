// RUN: tx-opt %s --tx-run-checks

// The mask is Philox4x32-10 of key, sample, place and element (docs/Reference/tx-dialect.md): the same bits everywhere.
// Expected values were computed by a program of its own.

func.func @site() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0], [2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

// Each word of the key that is a seed, the sample, the layer and the path change the mask.
func.func @key_low() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[3, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0], [0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0]]]> : tensor<1x2x8xf32>
  return
}

func.func @key_high() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 3, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[0.0, 0.0, 0.0, 2.0, 2.0, 0.0, 2.0, 0.0], [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

func.func @sample() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 1, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

func.func @layer() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 2, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 2.0, 2.0, 2.0, 2.0, 0.0, 2.0]]]> : tensor<1x2x8xf32>
  return
}

func.func @path() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "mlp_residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[0.0, 0.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0], [0.0, 2.0, 2.0, 0.0, 0.0, 2.0, 2.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

// The segment does not: a recomputation and the gradient have the mask of @site.
func.func @recomputed() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <recompute, layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0], [2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

func.func @gradient() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <backward, layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0], [2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

// A word of the key is 32 bits, whatever their sign.
func.func @negative_key() {
  %x = arith.constant dense<1.0> : tensor<1x2x8xf32>
  %key = arith.constant dense<[-1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<1x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 2.0, 2.0, 0.0, 2.0, 0.0, 0.0, 2.0], [0.0, 0.0, 2.0, 0.0, 2.0, 0.0, 0.0, 0.0]]]> : tensor<1x2x8xf32>
  return
}

// A sample's mask does not depend on the microbatch that it is in: the second sample here is the one of @sample.
func.func @second_of_a_batch() {
  %x = arith.constant dense<1.0> : tensor<2x2x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.5 in <layer 1, "residual"> : tensor<2x2x8xf32>, tensor<4xi32>
  check.equal %y, dense<[[[2.0, 0.0, 2.0, 2.0, 2.0, 0.0, 2.0, 2.0], [2.0, 2.0, 2.0, 0.0, 0.0, 2.0, 0.0, 0.0]], [[2.0, 0.0, 2.0, 0.0, 2.0, 2.0, 2.0, 2.0], [0.0, 0.0, 0.0, 0.0, 0.0, 2.0, 2.0, 0.0]]]> : tensor<2x2x8xf32>
  return
}

// A counter gives four words, which are 16 columns apart; the next 64 columns have the next 16 counters.
func.func @long_row() {
  %x = arith.constant dense<3.0> : tensor<1x1x90xf32>
  %key = arith.constant dense<[1, 2, 6, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.25 in <layer 1, "residual"> : tensor<1x1x90xf32>, tensor<4xi32>
  check.near %y, dense<[[[
    4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 4.0, 0.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0, 4.0, 4.0, 0.0,
    4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 0.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0, 4.0,
    4.0, 4.0, 0.0, 4.0, 4.0, 0.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 0.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 4.0, 0.0, 4.0]]]> : tensor<1x1x90xf32> within relative 1.0e-7
  return
}

// A dropped element is 0 even where x is NaN or infinite; one that stays is x / (1 - p).
func.func @scales_the_rest() {
  %x = arith.constant dense<[[[3.0, 0x7FC00000, 0x7FC00000, 0x7F800000, 0.75, 0x7F800000, 3.0, -3.0]]]> : tensor<1x1x8xf32>
  %key = arith.constant dense<[1, 2, 0, 0]> : tensor<4xi32>
  %y = tx.dropout %x, %key p 0.25 in <layer 1, "residual"> : tensor<1x1x8xf32>, tensor<4xi32>
  check.near %y, dense<[[[4.0, 0.0, 0x7FC00000, 0x7F800000, 1.0, 0.0, 4.0, -4.0]]]> : tensor<1x1x8xf32> within relative 1.0e-7
  return
}
