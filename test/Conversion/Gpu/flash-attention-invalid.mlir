// RUN: tx-opt --tx-lower-kernels-to-gpu --split-input-file --verify-diagnostics %s

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @wide tile [1, 4096] (%q: tensor<1x64x512xf32>, %k: tensor<1x64x512xf32>) {
    // expected-error @below {{'tx.flash_attention' op has heads of width 512; GPU kernels take at most 256}}
    %o, %lse = tx.flash_attention %q, %k, %k heads 1 scale 0.125 in <"core_attn"> : tensor<1x64x512xf32>, tensor<1x64x512xf32>
    step.yield %o, %lse : tensor<1x64x512xf32>, tensor<1x1x64xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @noSite tile [1, 4096] immediates 1 (%q: tensor<1x64x64xbf16>, %key: tensor<4xi32>) {
    // expected-error @below {{'tx.flash_attention' op has no attribute 'step.immediate': the immediate with its site's hash}}
    %o, %lse = tx.flash_attention %q, %q, %q heads 1 scale 0.125 dropout %key p 0.1 in <"core_attn"> : tensor<1x64x64xbf16>, tensor<1x64x64xbf16>, tensor<4xi32>
    step.yield %o, %lse : tensor<1x64x64xbf16>, tensor<1x1x64xf32>
  }
}

// -----

step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
  step.kernel @apart tile [1, 4096] strides [65, 0, 0] (%q: tensor<1x64x64xbf16>) {
    // expected-error @below {{'tx.flash_attention' op has rows that do not start at multiples of 16 bytes, as tensor cores' products take them}}
    %o, %lse = tx.flash_attention %q, %q, %q heads 1 scale 0.125 in <"core_attn"> : tensor<1x64x64xbf16>, tensor<1x64x64xbf16>
    step.yield %o, %lse : tensor<1x64x64xbf16>, tensor<1x1x64xf32>
  }
}
