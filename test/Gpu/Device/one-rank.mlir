// Collectives over an axis of one rank, between launches that touch their bytes: what a machine with one GPU can try of
// NCCL, which takes no two ranks on one.
// RUN: tx-compile %s --target=cuda:sm_90 --ptxas none -o %t.txa
// RUN: tx-run %t.txa --backend dryrun | FileCheck %s
// CHECK: kernel c:{{.*}}; waits for {{[0-9]+}} b:all_reduce{{$}}
tx.mesh_axis @dp size 1
func.func @sum(%x: tensor<64x32xf32>, %y: tensor<64x32xf32>) -> tensor<64x32xf32> {
  %a = tx.add %x, %y in <"a"> : tensor<64x32xf32>
  %b = tx.all_reduce %a on @dp in <"b"> : tensor<64x32xf32>
  %c = tx.add %b, %y in <"c"> : tensor<64x32xf32>
  %d = tx.all_reduce %c on @dp in <"d"> : tensor<64x32xf32>
  return %d : tensor<64x32xf32>
}
