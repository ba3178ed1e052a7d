// Functions that are no joint function.
// RUN: tx-opt %s --tx-rematerialize="granularity=full" --split-input-file --verify-diagnostics

func.func @mixed(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %d = tx.gelu_grad %x, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  // expected-error @+1 {{is of the forward segment, but stands after ops of backward}}
  %y = tx.gelu %d in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %y : tensor<4x8xf32>
}

// -----

func.func @again(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{is a recomputation already; rematerialize a function once}}
  %y = tx.gelu %x in <recompute, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  %d = tx.gelu_grad %x, %y in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}

// -----

// expected-error @+1 {{@blocks must have one block, has 2}}
func.func @blocks(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  %d = tx.gelu_grad %x, %x in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %d : tensor<4x8xf32>
^unreachable:
  return %x : tensor<4x8xf32>
}

// -----

func.func @fused(%x: tensor<4x8xf32>) -> tensor<4x8xf32> {
  // expected-error @+1 {{has a region; rematerialization needs a flat function}}
  %y = step.group row [4, 8] in <layer 0, "mlp.mlp_act"> (%a = %x) : (tensor<4x8xf32>) -> tensor<4x8xf32> {
    %g = tx.gelu %a in <layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
    step.yield %g : tensor<4x8xf32>
  }
  %d = tx.gelu_grad %x, %y in <backward, layer 0, "mlp.mlp_act"> : tensor<4x8xf32>
  return %d : tensor<4x8xf32>
}
