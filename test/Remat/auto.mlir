// The quickest plan within a budget, of any module and without the rest of the way.
// RUN: tx-opt %s --tx-rematerialize="granularity=auto memory-budget=2560" | FileCheck %s --check-prefix=ROOM
// RUN: tx-opt %s --tx-rematerialize="granularity=auto memory-budget=2048" | FileCheck %s --check-prefix=LEAST
// RUN: tx-opt %s --tx-rematerialize="granularity=auto memory-budget=2048 device=h100" | FileCheck %s --check-prefix=LEAST
// RUN: not tx-opt %s --tx-rematerialize="granularity=auto memory-budget=1000" 2>&1 | FileCheck %s --check-prefix=BELOW
// RUN: not tx-opt %s --tx-rematerialize="granularity=auto memory-budget=1GB device=abacus" 2>&1 | FileCheck %s --check-prefix=DEVICE

// ROOM: tx.lower_bound_seconds = {{.*}} : f64, tx.memory_budget = 2560 : i64
// ROOM-NOT: <recompute
// LEAST: tx.memory_budget = 2048 : i64
// LEAST: tx.gelu %{{.*}} in <recompute
// BELOW: error: --recompute-granularity auto: {{.*}}1000{{.*}} is less than any plan needs; 2048 would do, and 2560 needs no recomputation; 0 of it are state; beside it the largest at the peak are layers.{{[0-9]}}.mlp.mlp_act 512
// DEVICE: error: {{.*}}abacus

func.func @step(%x: tensor<16x8xf32>, %dy: tensor<16x8xf32>) -> (tensor<16x8xf32>, tensor<16x8xf32>) {
  %a = tx.gelu %x in <layer 0, "mlp.mlp_act"> : tensor<16x8xf32>
  %b = tx.gelu %a in <layer 1, "mlp.mlp_act"> : tensor<16x8xf32>
  %c = tx.gelu %b in <layer 2, "mlp.mlp_act"> : tensor<16x8xf32>
  %dc = tx.gelu_grad %dy, %b in <backward, layer 2, "mlp.mlp_act"> : tensor<16x8xf32>
  %db = tx.gelu_grad %dc, %a in <backward, layer 1, "mlp.mlp_act"> : tensor<16x8xf32>
  %da = tx.gelu_grad %db, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<16x8xf32>
  return %c, %da : tensor<16x8xf32>, tensor<16x8xf32>
}
