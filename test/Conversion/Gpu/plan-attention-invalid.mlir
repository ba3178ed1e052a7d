// What cuDNN can not compute: an error where it has to, else a remark, and all of the module is left to generated
// kernels.
// RUN: tx-opt %s --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries{attention=fused})'
// RUN: sed 's/expected-error/expected-remark/; s/by cuDNN is refused/is left to generated kernels, not to cuDNN/' %s | tx-opt --split-input-file --verify-diagnostics --pass-pipeline='builtin.module(func.func(tx-fuse-kernels),tx-plan-gpu-libraries)' | FileCheck %s

// CHECK-NOT: step.library_attention

func.func @f32(%q: tensor<2x8x32xf32>) -> tensor<2x8x32xf32> {
  // expected-error @below {{attention by cuDNN is refused: it takes bf16, and this model is f32; --bf16 would do}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 4 scale 0.35 causal in <"core_attn"> : tensor<2x8x32xf32>, tensor<2x8x32xf32>
  return %o : tensor<2x8x32xf32>
}

// -----

func.func @eligible(%q: tensor<2x8x32xbf16>) -> tensor<2x8x32xbf16> {
  %o, %lse = tx.flash_attention %q, %q, %q heads 4 scale 0.35 in <"core_attn"> : tensor<2x8x32xbf16>, tensor<2x8x32xbf16>
  return %o : tensor<2x8x32xbf16>
}
func.func @dropout(%q: tensor<2x8x32xbf16>, %key: tensor<4xi32>) -> tensor<2x8x32xbf16> {
  // expected-error @below {{attention by cuDNN is refused: weights are dropped, and cuDNN can not draw the masks of Tx; --attention-dropout 0 would do}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 4 scale 0.35 dropout %key p 0.1 in <"core_attn"> : tensor<2x8x32xbf16>, tensor<2x8x32xbf16>, tensor<4xi32>
  return %o : tensor<2x8x32xbf16>
}

// -----

func.func @width(%q: tensor<2x8x36xbf16>) -> tensor<2x8x36xbf16> {
  // expected-error @below {{attention by cuDNN is refused: heads are 12 wide, and it takes multiples of 8 up to 128}}
  %o, %lse = tx.flash_attention %q, %q, %q heads 3 scale 0.35 in <"core_attn"> : tensor<2x8x36xbf16>, tensor<2x8x36xbf16>
  return %o : tensor<2x8x36xbf16>
}
