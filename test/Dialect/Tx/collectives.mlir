// Mesh axes and collectives keep their form through text.
// RUN: tx-opt %s | tx-opt | FileCheck %s
// RUN: tx-opt %s --mlir-print-op-generic | tx-opt | FileCheck %s

// CHECK: tx.mesh_axis @dp size 2 batch
tx.mesh_axis @dp size 2 batch
// CHECK: tx.mesh_axis @tp size 4 tensor
tx.mesh_axis @tp size 4 tensor
// CHECK: tx.mesh_axis @cp size 1 sequence
tx.mesh_axis @cp size 1 sequence
// CHECK: tx.mesh_axis @ep size 1 expert
tx.mesh_axis @ep size 1 expert
// CHECK: tx.mesh_axis @pp size 1 stage
tx.mesh_axis @pp size 1 stage
// CHECK: tx.mesh_axis @other size 1
tx.mesh_axis @other size 1

// CHECK-LABEL: func.func @collectives
func.func @collectives(%x: tensor<2x4x6xf32>, %narrow: tensor<8x6xbf16>) {
  // CHECK: tx.all_reduce %{{.*}} on @dp in <backward, layer 0, "mlp.fc1"> : tensor<8x6xbf16>
  %sum = tx.all_reduce %narrow on @dp in <backward, layer 0, "mlp.fc1"> : tensor<8x6xbf16>
  // CHECK: %[[WHOLE:.*]] = tx.all_gather %{{.*}} dim 1 on @tp in <layer 0, "layernorm"> : tensor<2x4x6xf32> -> tensor<2x16x6xf32>
  %whole = tx.all_gather %x dim 1 on @tp in <layer 0, "layernorm"> : tensor<2x4x6xf32> -> tensor<2x16x6xf32>
  // CHECK: tx.reduce_scatter %[[WHOLE]] dim 1 on @tp in <layer 0, "mlp.fc2"> : tensor<2x16x6xf32> -> tensor<2x4x6xf32>
  %part = tx.reduce_scatter %whole dim 1 on @tp in <layer 0, "mlp.fc2"> : tensor<2x16x6xf32> -> tensor<2x4x6xf32>
  // CHECK: tx.all_to_all %{{.*}} dim 0 on @tp in <layer 0, "moe"> : tensor<8x6xbf16>
  %dealt = tx.all_to_all %sum dim 0 on @tp in <layer 0, "moe"> : tensor<8x6xbf16>
  // CHECK: tx.broadcast %{{.*}} from 3 on @tp in <"embedding"> : tensor<8x6xbf16>
  %all = tx.broadcast %dealt from 3 on @tp in <"embedding"> : tensor<8x6xbf16>
  // CHECK: tx.reduce %{{.*}} to 0 on @dp in <"loss"> : tensor<8x6xbf16>
  %one = tx.reduce %all to 0 on @dp in <"loss"> : tensor<8x6xbf16>
  // CHECK: tx.send_recv %{{.*}} by 1 on @tp in <layer 1, "residual"> : tensor<2x4x6xf32>
  %next = tx.send_recv %part by 1 on @tp in <layer 1, "residual"> : tensor<2x4x6xf32>
  // CHECK: tx.send_recv %{{.*}} by -3 wraps on @tp in <layer 1, "residual"> : tensor<2x4x6xf32>
  %around = tx.send_recv %next by -3 wraps on @tp in <layer 1, "residual"> : tensor<2x4x6xf32>
  return
}
