// Backward of attention as one op takes the output and its log-sum-exp and draws with the same key; evaluation has the
// op without dropout.
// RUN: tx-opt %s --tx-autodiff --tx-verify-joint --tx-make-entries | FileCheck %s

tx.global @w parameter : tensor<7x6xf32>

func.func @loss(%tokens: tensor<2x4xi32> {tx.name = "tokens"}, %targets: tensor<2x4xi32> {tx.name = "targets"},
                %key: tensor<4xi32> {tx.name = "key"}) -> (tensor<f32>, tensor<f32>) attributes {tx.train} {
  %w = tx.load @w : tensor<7x6xf32>
  %x = tx.embedding %tokens, %w in <"embedding"> : tensor<2x4xi32>, tensor<7x6xf32>
  %o, %rows = tx.flash_attention %x, %x, %x heads 2 scale 0.5 causal dropout %key p 0.25 in <layer 0, "core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<4xi32>
  %l = tx.linear %o, %w transposed in <"output_layer"> : tensor<2x4x6xf32>, tensor<7x6xf32> -> tensor<2x4x7xf32>
  %losses, %lse = tx.cross_entropy %l, %targets ignore -100 in <"loss"> : tensor<2x4x7xf32>, tensor<2x4xi32>
  %sum, %count = tx.reduce_loss %losses, %targets ignore -100 in <"loss"> : tensor<2x4xf32>, tensor<2x4xi32>
  return %sum, %count : tensor<f32>, tensor<f32>
}

// CHECK-LABEL: func.func @microbatch
// CHECK: %[[X:.*]] = tx.embedding
// CHECK: %[[O:.*]], %[[LSE:.*]] = tx.flash_attention %[[X]], %[[X]], %[[X]] heads 2 scale 5.000000e-01 causal dropout %[[KEY:.*]] p 2.500000e-01 in <layer 0
// CHECK: %[[DO:.*]] = tx.linear_input_grad
// CHECK: %[[DQ:.*]], %[[DK:.*]], %[[DV:.*]] = tx.flash_attention_grad %[[DO]], %[[X]], %[[X]], %[[X]], %[[O]], %[[LSE]] heads 2 scale 5.000000e-01 causal dropout %[[KEY]] p 2.500000e-01 in <backward, layer 0
// CHECK: %[[QK:.*]] = tx.add %[[DQ]], %[[DK]]
// CHECK: tx.add %[[QK]], %[[DV]]
// CHECK-LABEL: func.func @evaluate
// CHECK-NOT: key
// CHECK: tx.flash_attention %{{.*}}, %{{.*}}, %{{.*}} heads 2 scale 5.000000e-01 causal in <layer 0
