// Scores, softmax and dropout run again from Q and K, with the forward's key; V's slice stays a view of what is saved,
// and the product with V, which backward uses as the projection's input, is not computed again.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective" | FileCheck %s
// RUN: tx-opt %s --tx-rematerialize="recompute-activations" | FileCheck %s

// CHECK-LABEL: func.func @attention
// CHECK-SAME: %[[QKV:[^:]*]]: tensor<2x4x18xf32>, %[[KEY:[^:]*]]: tensor<4xi32>, %[[DY:[^:]*]]: tensor<2x4x6xf32>
func.func @attention(%x: tensor<2x4x18xf32>, %key: tensor<4xi32>, %dy: tensor<2x4x6xf32>, %w: tensor<6x6xf32>, %acc: tensor<6x6xf32>)
    -> (tensor<2x4x6xf32>, tensor<2x2x4x4xf32>, tensor<6x6xf32>) {
  // CHECK: %[[Q:.*]] = tx.slice %{{.*}} 0 size 6
  // CHECK: %[[K:.*]] = tx.slice %{{.*}} 6 size 6
  // CHECK: %[[V:.*]] = tx.slice %{{.*}} 12 size 6
  %qkv = tx.gelu %x in <layer 0, "self_attention.qkv"> : tensor<2x4x18xf32>
  %q = tx.slice %qkv 0 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xf32>
  %k = tx.slice %qkv 6 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xf32>
  %v = tx.slice %qkv 12 size 6 in <layer 0, "self_attention.qkv"> : tensor<2x4x18xf32>
  %s = tx.attention_scores %q, %k heads 2 scale 0.5 in <layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  %p = tx.softmax %s causal in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>
  %d = tx.dropout %p, %key p 0.1 in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<4xi32>
  // CHECK: %[[O:.*]] = tx.attention_context %{{.*}}, %[[V]] in <layer 0
  %o = tx.attention_context %d, %v in <layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
  %y = tx.linear %o, %w in <layer 0, "self_attention.proj"> : tensor<2x4x6xf32>, tensor<6x6xf32> -> tensor<2x4x6xf32>
  // CHECK: tx.linear_weight_grad %[[O]]
  %g = tx.linear_weight_grad %o, %dy into %acc in <backward, layer 0, "self_attention.proj"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>, tensor<6x6xf32>
  // CHECK: %[[DP:.*]] = tx.attention_scores %[[DY]], %[[V]] {{.*}} in <backward
  %dp = tx.attention_scores %dy, %v heads 2 scale 1.0 in <backward, layer 0, "self_attention.core_attn"> : tensor<2x4x6xf32>, tensor<2x4x6xf32>
  // CHECK-NEXT: %[[S2:.*]] = tx.attention_scores %[[Q]], %[[K]] {{.*}} in <recompute, layer 0, "self_attention.core_attn">
  // CHECK-NEXT: %[[P2:.*]] = tx.softmax %[[S2]] causal in <recompute
  // CHECK-NEXT: %[[D2:.*]] = tx.dropout %[[P2]], %[[KEY]] p 1.000000e-01 in <recompute, layer 0, "self_attention.core_attn">
  // CHECK-NEXT: tx.attention_context %[[D2]], %[[DY]] transposed in <backward
  %dv = tx.attention_context %d, %dy transposed in <backward, layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>, tensor<2x4x6xf32>
  // CHECK-NEXT: tx.softmax_grad %[[DP]], %[[P2]] in <backward
  %ds = tx.softmax_grad %dp, %p in <backward, layer 0, "self_attention.core_attn"> : tensor<2x2x4x4xf32>
  // CHECK-NOT: recompute
  return %dv, %ds, %g : tensor<2x4x6xf32>, tensor<2x2x4x4xf32>, tensor<6x6xf32>
}
