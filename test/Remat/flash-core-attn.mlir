// Where core attention is one op, recomputing it frees the log-sum-exp alone: a warning says so, with the bytes. Its
// output stays saved for the projection's backward.
// RUN: tx-opt %s --tx-rematerialize="granularity=selective" -o %t 2>%t.err
// RUN: FileCheck %s --input-file %t
// RUN: FileCheck %s --input-file %t.err --check-prefix=WARNING

// WARNING: warning: recompute module 'core_attn' frees little: 1024 of the 263168 bytes that its layers save, for 4227072 FLOPs computed again; leave it out

// CHECK-LABEL: func.func @attention
func.func @attention(%x: tensor<1x128x384xf32>, %key: tensor<4xi32>, %dy: tensor<1x128x128xf32>, %w: tensor<128x128xf32>, %acc: tensor<128x128xf32>)
    -> (tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<128x128xf32>) {
  %qkv = tx.gelu %x in <layer 0, "self_attention.qkv"> : tensor<1x128x384xf32>
  // CHECK: %[[Q:.*]] = tx.slice %{{.*}} 0 size 128
  // CHECK: %[[K:.*]] = tx.slice %{{.*}} 128 size 128
  // CHECK: %[[V:.*]] = tx.slice %{{.*}} 256 size 128
  %q = tx.slice %qkv 0 size 128 in <layer 0, "self_attention.qkv"> : tensor<1x128x384xf32>
  %k = tx.slice %qkv 128 size 128 in <layer 0, "self_attention.qkv"> : tensor<1x128x384xf32>
  %v = tx.slice %qkv 256 size 128 in <layer 0, "self_attention.qkv"> : tensor<1x128x384xf32>
  // CHECK: %[[O:.*]], %{{.*}} = tx.flash_attention {{.*}} in <layer 0
  %o, %lse = tx.flash_attention %q, %k, %v heads 2 scale 0.125 causal dropout %key p 0.1 in <layer 0, "self_attention.core_attn"> : tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<4xi32>
  %y = tx.linear %o, %w in <layer 0, "self_attention.proj"> : tensor<1x128x128xf32>, tensor<128x128xf32> -> tensor<1x128x128xf32>
  // CHECK: tx.linear_weight_grad %[[O]]
  %g = tx.linear_weight_grad %o, %dy into %acc in <backward, layer 0, "self_attention.proj"> : tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<128x128xf32>
  // CHECK: %{{.*}}, %[[LSE:.*]] = tx.flash_attention %[[Q]], %[[K]], %[[V]] heads 2 scale 1.250000e-01 causal dropout %{{.*}} p 1.000000e-01 in <recompute, layer 0
  // CHECK-NEXT: tx.flash_attention_grad %{{.*}}, %[[Q]], %[[K]], %[[V]], %[[O]], %[[LSE]] heads 2
  %dq, %dk, %dv = tx.flash_attention_grad %dy, %q, %k, %v, %o, %lse heads 2 scale 0.125 causal dropout %key p 0.1 in <backward, layer 0, "self_attention.core_attn"> : tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<1x2x128xf32>, tensor<4xi32>
  return %dq, %dk, %dv, %g : tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<1x128x128xf32>, tensor<128x128xf32>
}
