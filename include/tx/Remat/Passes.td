//===- Passes.td - The pass of this phase ----------------------------------------------------------*- tablegen -*-===//

#ifndef TX_REMAT_PASSES_TD
#define TX_REMAT_PASSES_TD

include "mlir/Pass/PassBase.td"

def Rematerialize : Pass<"tx-rematerialize", "::mlir::ModuleOp"> {
  let summary = "Recompute forward values in backward instead of saving them";
  let description = [{
    Works on joint functions: forward ops, then backward ops that use forward values as operands. A policy says which
    values are no longer saved; what backward uses of them is computed again by clones in the `recompute` segment, each
    right before its first use and once. Values and flags are those of Megatron-LM, see docs/Recompute.md. A function
    without backward stays as it is.

    With `modules=mlp_act granularity=selective`, before:

    ```mlir
    func.func @mlp(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %dy: tensor<2x4x8xf32>, %acc: tensor<8x8xf32>) -> tensor<8x8xf32> {
      %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
      %a = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %g = tx.linear_weight_grad %a, %dy into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<8x8xf32>
      return %g : tensor<8x8xf32>
    }
    ```

    and after, where `%h` is saved and no longer `%a`:

    ```mlir
    func.func @mlp(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>, %dy: tensor<2x4x8xf32>, %acc: tensor<8x8xf32>) -> tensor<8x8xf32> {
      %h = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
      %a = tx.gelu %h in <layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %a2 = tx.gelu %h in <recompute, layer 0, "mlp.mlp_act"> : tensor<2x4x8xf32>
      %g = tx.linear_weight_grad %a2, %dy into %acc in <backward, layer 0, "mlp.fc2"> : tensor<2x4x8xf32>, tensor<2x4x8xf32>, tensor<8x8xf32>
      return %g : tensor<8x8xf32>
    }
    ```

    No CSE may follow: it would merge a recomputation with its original.
  }];
  let options = [
    Option<"granularity", "granularity", "std::string", "", "none, selective, full or auto">,
    Option<"method", "method", "std::string", "", "uniform or block">,
    Option<"numLayers", "num-layers", "std::string", "", "layers of a chunk, or layers of the block">,
    Option<"modules", "modules", "std::string", "", "modules that selective recomputes, by comma">,
    Option<"layers", "layers", "std::string", "", "layers that take part, as in 0-3,7">,
    Option<"memoryBudget", "memory-budget", "std::string", "", "bytes that the arena may have, for auto">,
    Option<"device", "device", "std::string", "",
           "the machine whose seconds auto counts, and whose memory is the budget without one: a preset or a file">,
    Option<"usualDevice", "usual-device", "std::string", "\"cpu\"",
           "the machine whose seconds auto counts if none is given">,
    Option<"planFile", "plan", "std::string", "", "the file of a plan, which says of each value what becomes of it">,
    Option<"policy", "policy", "std::string", "", "a policy that a plug-in has registered, as NAME or NAME:ARGUMENT">,
    Option<"saveOnly", "save-only", "std::string", "", "names of the only values to save, by comma">,
    Option<"recomputeActivations", "recompute-activations", "bool", "false", "short for granularity=selective">,
  ];
}

#endif // TX_REMAT_PASSES_TD
