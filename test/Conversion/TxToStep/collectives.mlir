// RUN: tx-opt %s --tx-fuse-kernels --tx-place-memory --tx-verify-placement --tx-lower-to-step | FileCheck %s

// Ranks of the first axis are as far apart as there are ranks in those after it.
tx.mesh_axis @dp size 2
tx.mesh_axis @tp size 3

// CHECK-LABEL: step.entry @moves
// CHECK: step.collective 0 all_gather in <"loss"> axis "tp" ranks 3 outer 2 sent 192 (<argument, 0x0, tensor<2x3x4xf32>, "x">) -> (<transient, {{0x[0-9a-f]+}}, tensor<2x9x4xf32>>)
// CHECK: step.collective 1 reduce_scatter in <"loss"> axis "tp" ranks 3 outer 2 sent 192
// CHECK: step.collective 2 all_to_all in <"loss"> axis "dp" ranks 2 stride 3 sent 48
// CHECK: step.collective 3 broadcast in <"loss"> axis "dp" ranks 2 stride 3 peer 1 sent 96
// CHECK: step.collective 4 reduce in <"loss"> axis "tp" ranks 3 peer 2 sent 96
// CHECK: step.collective 5 send_recv in <"loss"> axis "tp" ranks 3 peer -1 wraps sent 96
func.func @moves(%x: tensor<2x3x4xf32> {tx.name = "x"}) -> tensor<2x3x4xf32> {
  %a = tx.all_gather %x dim 1 on @tp in <"loss"> : tensor<2x3x4xf32> -> tensor<2x9x4xf32>
  %b = tx.reduce_scatter %a dim 1 on @tp in <"loss"> : tensor<2x9x4xf32> -> tensor<2x3x4xf32>
  %c = tx.all_to_all %b dim 0 on @dp in <"loss"> : tensor<2x3x4xf32>
  %d = tx.broadcast %c from 1 on @dp in <"loss"> : tensor<2x3x4xf32>
  %e = tx.reduce %d to 2 on @tp in <"loss"> : tensor<2x3x4xf32>
  %f = tx.send_recv %e by -1 wraps on @tp in <"loss"> : tensor<2x3x4xf32>
  return %f : tensor<2x3x4xf32>
}
