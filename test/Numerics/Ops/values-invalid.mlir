// RUN: tx-opt %s --tx-run-checks --split-input-file --verify-diagnostics

// Values that the reference refuses. A backend does not look at each: an id outside of the table is its last row, a
// target outside gives a loss that is NaN.

func.func @negative_token() {
  %tokens = arith.constant dense<[[0, -1]]> : tensor<1x2xi32>
  %table = arith.constant dense<0.0> : tensor<3x1xf32>
  // expected-error @below {{has token -1, not in [0, 3)}}
  %x = tx.embedding %tokens, %table in <"embedding"> : tensor<1x2xi32>, tensor<3x1xf32>
  check.equal %x, dense<0.0> : tensor<1x2x1xf32>
  return
}

// -----

func.func @token_past_the_table() {
  %tokens = arith.constant dense<[[0, 3]]> : tensor<1x2xi32>
  %table = arith.constant dense<0.0> : tensor<3x1xf32>
  // expected-error @below {{has token 3, not in [0, 3)}}
  %x = tx.embedding %tokens, %table in <"embedding"> : tensor<1x2xi32>, tensor<3x1xf32>
  check.equal %x, dense<0.0> : tensor<1x2x1xf32>
  return
}

// -----

func.func @target() {
  %logits = arith.constant dense<0.0> : tensor<1x1x3xf32>
  %targets = arith.constant dense<-99> : tensor<1x1xi32>
  // expected-error @below {{has target -99, neither in [0, 3) nor the ignore index}}
  %losses, %stats = tx.cross_entropy %logits, %targets ignore -100 in <"loss"> : tensor<1x1x3xf32>, tensor<1x1xi32>
  check.equal %losses, dense<0.0> : tensor<1x1xf32>
  return
}
