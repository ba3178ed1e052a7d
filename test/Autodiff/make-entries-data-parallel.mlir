// Over ranks that have parts of the batch, `step` sums each gradient right behind its last part, while backward goes
// on; `apply` sums what microbatches have added up; `evaluate` has the sums of loss and count alone.
//
// RUN: tx-compile --num-layers 2 --hidden-size 8 --num-attention-heads 2 --seq-length 4 --vocab-size 16 --disable-bias-linear --data-parallel-size 4 --compile-to=remat > %t
// RUN: FileCheck %s --input-file %t
// RUN: tx-compile --num-layers 2 --hidden-size 8 --num-attention-heads 2 --seq-length 4 --vocab-size 16 --disable-bias-linear --compile-to=remat | FileCheck %s --check-prefix=ONE

// What a rank sends: 3/4 of each sum twice, of loss and count in three entries, of the gradients in two.
// RUN: tx-compile --num-layers 2 --hidden-size 8 --num-attention-heads 2 --seq-length 4 --vocab-size 16 --disable-bias-linear --data-parallel-size 4 --report %t.json
// RUN: FileCheck %s --check-prefix=SENT --input-file %t.json
// SENT: "name": "microbatch",
// SENT: "sent_bytes": 12,
// SENT: "name": "apply",
// SENT: "sent_bytes": [[#GRADIENTS:]],
// SENT: "name": "step",
// SENT: "sent_bytes": [[#GRADIENTS+12]],
// SENT: "name": "evaluate",
// SENT: "sent_bytes": 12,

// ONE-NOT: tx.all_reduce
// ONE-NOT: tx.mesh_axis

// CHECK: tx.mesh_axis @dp size 4 batch

// CHECK-LABEL: func.func @microbatch
// CHECK-COUNT-2: tx.all_reduce {{.*}} on @dp in <"loss">
// CHECK-NOT: tx.all_reduce

// CHECK-LABEL: func.func @apply
// CHECK: %[[G:.*]] = tx.load @transformer.wte.weight.grad
// CHECK: %[[SUM:.*]] = tx.all_reduce %[[G]] on @dp in <optimizer, "transformer.wte.weight.grad">
// CHECK: %[[PACK:.*]] = tx.pack %[[SUM]],
// CHECK: tx.sum_of_squares %[[PACK]]
// CHECK: tx.store %[[SUM]], @transformer.wte.weight.grad

// CHECK-LABEL: func.func @step
// CHECK-COUNT-2: tx.all_reduce {{.*}} on @dp in <"loss">
// CHECK: tx.all_reduce {{.*}} in <backward, layer 1, "transformer.h.1.mlp.c_proj.weight.grad">
// CHECK: in <backward, layer 1, "mlp.mlp_act">
// CHECK: tx.all_reduce {{.*}} in <backward, layer 1, "transformer.h.1.mlp.c_fc.weight.grad">
// CHECK: tx.all_reduce {{.*}} in <backward, layer 0, "transformer.h.0.mlp.c_proj.weight.grad">
// CHECK: tx.sum_of_squares
// CHECK-NOT: tx.all_reduce

// CHECK-LABEL: func.func @evaluate
// CHECK-COUNT-2: tx.all_reduce
// CHECK-NOT: tx.all_reduce
