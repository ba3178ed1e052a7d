// RUN: tx-opt %s --tx-run-checks

// Rows of tables by token and by position, and the gradients that go back there.

func.func @tokens() {
  %tokens = arith.constant dense<[[2, 0, 2]]> : tensor<1x3xi32>
  %table = arith.constant dense<[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]> : tensor<3x2xf32>
  %x = tx.embedding %tokens, %table in <"embedding"> : tensor<1x3xi32>, tensor<3x2xf32>
  check.equal %x, dense<[[[5.0, 6.0], [1.0, 2.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  return
}

// Row s of the table, whatever the sample; the table may be longer.
func.func @positions() {
  %x = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32>
  %table = arith.constant dense<[[10.0], [20.0], [30.0]]> : tensor<3x1xf32>
  %y = tx.add_positions %x, %table in <"embedding"> : tensor<2x2x1xf32>, tensor<3x1xf32>
  check.equal %y, dense<[[[11.0], [22.0]], [[13.0], [24.0]]]> : tensor<2x2x1xf32>
  return
}

// A token that comes twice gets both gradients.
func.func @table_gradient() {
  %tokens = arith.constant dense<[[2, 0, 2]]> : tensor<1x3xi32>
  %dy = arith.constant dense<[[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]]> : tensor<1x3x2xf32>
  %acc = arith.constant dense<[[10.0, 10.0], [20.0, 20.0], [30.0, 30.0]]> : tensor<3x2xf32>
  %yes = arith.constant dense<true> : tensor<i1>
  %no = arith.constant dense<false> : tensor<i1>
  %sum = tx.embedding_weight_grad %tokens, %dy into %acc reset %no in <backward, "embedding"> : tensor<1x3xi32>, tensor<1x3x2xf32>, tensor<3x2xf32>, tensor<i1>
  %new = tx.embedding_weight_grad %tokens, %dy into %acc reset %yes in <backward, "embedding"> : tensor<1x3xi32>, tensor<1x3x2xf32>, tensor<3x2xf32>, tensor<i1>
  check.equal %sum, dense<[[13.0, 14.0], [20.0, 20.0], [36.0, 38.0]]> : tensor<3x2xf32>
  check.equal %new, dense<[[3.0, 4.0], [0.0, 0.0], [6.0, 8.0]]> : tensor<3x2xf32>
  return
}

// Rows that no position reached keep what they have.
func.func @position_gradient() {
  %dy = arith.constant dense<[[[1.0], [2.0]], [[3.0], [4.0]]]> : tensor<2x2x1xf32>
  %acc = arith.constant dense<[[10.0], [20.0], [30.0]]> : tensor<3x1xf32>
  %yes = arith.constant dense<true> : tensor<i1>
  %no = arith.constant dense<false> : tensor<i1>
  %sum = tx.position_weight_grad %dy into %acc reset %no in <backward, "embedding"> : tensor<2x2x1xf32>, tensor<3x1xf32>, tensor<i1>
  %new = tx.position_weight_grad %dy into %acc reset %yes in <backward, "embedding"> : tensor<2x2x1xf32>, tensor<3x1xf32>, tensor<i1>
  check.equal %sum, dense<[[14.0], [26.0], [30.0]]> : tensor<3x1xf32>
  check.equal %new, dense<[[4.0], [6.0], [0.0]]> : tensor<3x1xf32>
  return
}
