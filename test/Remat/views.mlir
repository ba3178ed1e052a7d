// A view follows what it is a view of: cloned with it, never kept alone; a view of an argument is there anyway.
// RUN: tx-opt %s --tx-rematerialize="granularity=full layers=0" | FileCheck %s

// CHECK-LABEL: func.func @slices
func.func @slices(%x: tensor<4x16xf32>, %dy: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // CHECK: %[[ARG:.*]] = tx.slice %{{.*}} 0 size 8 in <layer 0, "self_attention.qkv">
  %s = tx.slice %x 0 size 8 in <layer 0, "self_attention.qkv"> : tensor<4x16xf32>
  %h = tx.gelu %x in <layer 0, "self_attention.qkv"> : tensor<4x16xf32>
  %q = tx.slice %h 8 size 8 in <layer 0, "self_attention.qkv"> : tensor<4x16xf32>
  // CHECK: tx.gelu_grad %{{.*}}, %[[ARG]]
  %d0 = tx.gelu_grad %dy, %s in <backward, layer 0, "self_attention.qkv"> : tensor<4x8xf32>
  // CHECK-NEXT: %[[H:.*]] = tx.gelu {{.*}} in <recompute
  // CHECK-NEXT: %[[Q:.*]] = tx.slice %[[H]] 8 size 8 in <recompute
  // CHECK-NEXT: tx.gelu_grad %{{.*}}, %[[Q]]
  %d1 = tx.gelu_grad %d0, %q in <backward, layer 0, "self_attention.qkv"> : tensor<4x8xf32>
  return %d1 : tensor<4x8xf32>
}
