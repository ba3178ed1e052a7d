// What attention as one op has no gradient for, and backward that draws other numbers than forward.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint --split-input-file --verify-diagnostics

tx.global @w parameter : tensor<7x6xf32>

func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x2xi32> {tx.name = "targets"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  // expected-error @below {{'tx.flash_attention' op has no gradient by its log-sum-exp}}
  %o, %rows = tx.flash_attention %x, %x, %x heads 2 scale 0.5 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  %losses, %lse = tx.cross_entropy %rows, %targets ignore -100 in <"loss"> : tensor<2x2x4xf32>, tensor<2x2xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x2xf32>, tensor<2x2xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// -----

func.func @microbatch(%q: tensor<2x4x6xf32>, %key: tensor<4xi32>) -> tensor<2x4x6xf32> {
  %o, %lse = tx.flash_attention %q, %q, %q heads 2 scale 0.5 dropout %key p 0.25 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<4xi32>
  // expected-error @below {{'tx.flash_attention_grad' op has another form than its forward op at layer 0 core_attn}}
  %dq, %dk, %dv = tx.flash_attention_grad %o, %q, %q, %q, %o, %lse heads 2 scale 0.5 dropout %key p 0.5 in <backward, layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<2x2x4xf32>, tensor<4xi32>
  return %dq : tensor<2x4x6xf32>
}
