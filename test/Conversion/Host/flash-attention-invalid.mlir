// RUN: tx-opt --tx-lower-kernels-to-vector --split-input-file --verify-diagnostics %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k tile [1, 256] (%q: tensor<1x4x257xf32>) {
    // expected-error @+1 {{has heads of width 257; the host takes at most 256}}
    %o, %lse = tx.flash_attention %q, %q, %q heads 1 scale 1.0 in <"core_attn"> : tensor<1x4x257xf32>, tensor<1x4x257xf32>
    step.yield %o, %lse : tensor<1x4x257xf32>, tensor<1x1x4xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @k tile [1, 256] (%q: tensor<1x4x8xf32>, %key: tensor<4xi32>) {
    // expected-error @+1 {{has no attribute 'step.immediate': the immediate with its site's hash}}
    %o, %lse = tx.flash_attention %q, %q, %q heads 1 scale 1.0 dropout %key p 0.5 in <"core_attn"> : tensor<1x4x8xf32>, tensor<1x4x8xf32>, tensor<4xi32>
    step.yield %o, %lse : tensor<1x4x8xf32>, tensor<1x1x4xf32>
  }
}
