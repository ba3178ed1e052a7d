// Where an op belongs: the segment is left out when it is forward, the layer when the op is outside of the layers.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | FileCheck %s --check-prefix=GENERIC

// CHECK-LABEL: func.func @scopes
func.func @scopes(%x: tensor<2x3xf32>) {
  // CHECK: tx.gelu %{{.*}} in <"embedding"> :
  // GENERIC: "tx.gelu"({{.*}}) <{scope = #tx.scope<"embedding">}>
  %0 = tx.gelu %x in <forward, "embedding"> : tensor<2x3xf32>
  // CHECK: tx.gelu %{{.*}} in <layer 0, "mlp.mlp_act"> :
  %1 = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<2x3xf32>
  // CHECK: tx.gelu %{{.*}} in <backward, layer 2147483647, "mlp.mlp_act"> :
  %2 = tx.gelu %x in <backward, layer 2147483647, "mlp.mlp_act"> : tensor<2x3xf32>
  // CHECK: tx.gelu %{{.*}} in <recompute, layer 3, "mlp.mlp_act"> :
  // GENERIC: "tx.gelu"({{.*}}) <{scope = #tx.scope<recompute, layer 3, "mlp.mlp_act">}>
  %3 = tx.gelu %x in <recompute, layer 3, "mlp.mlp_act"> : tensor<2x3xf32>
  // CHECK: tx.gelu %{{.*}} in <optimizer, ""> :
  %4 = tx.gelu %x in <optimizer, ""> : tensor<2x3xf32>
  // A path may have any characters.
  // CHECK: tx.gelu %{{.*}} in <"a \22quoted\22 part, > layer 3"> :
  %5 = tx.gelu %x in <"a \"quoted\" part, > layer 3"> : tensor<2x3xf32>
  return
}
