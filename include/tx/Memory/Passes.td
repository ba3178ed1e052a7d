//===- Passes.td - Where every tensor lies ---------------------------------------------------------*- tablegen -*-===//

#ifndef TX_MEMORY_PASSES_TD
#define TX_MEMORY_PASSES_TD

include "mlir/Pass/PassBase.td"

def PlaceMemoryPass : Pass<"tx-place-memory", "::mlir::ModuleOp"> {
  let summary = "give every tensor its address in the arena";
  let description = [{
    State lies in the persistent segment, arguments in theirs, everything else in the transient segment by lifetime in
    the order of the ops. Accumulators are continued in place, views share their whole's bytes, and a kernel's result
    takes the place of an operand that dies there where the kernel's passes allow it. The arena's size is the number of
    bytes that the runtime allocates: there is no second estimate.

    Addresses are attributes: `step.buffers` on ops (one for each result), `step.buffer` on arguments and globals.
    `tx-verify-placement` holds the pass to its promise.

    Example:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
      %0 = step.group row [8, 6] in <"a"> (%a = %x) : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
        %1 = tx.gelu %a in <"a"> : tensor<2x4x6xf32>
        step.yield %1 : tensor<2x4x6xf32>
      }
      return %0 : tensor<2x4x6xf32>
    }
    ```

    becomes

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32> {step.buffer = #step.buffer<argument, 0x0, tensor<2x4x6xf32>>}) -> tensor<2x4x6xf32> attributes {step.argument_bytes = 192 : i64, step.peak_live_bytes = 192 : i64, step.transient_bytes = 192 : i64} {
      %0 = step.group row [8, 6] in <"a"> (%a = %x) {step.buffers = [#step.buffer<transient, 0x0, tensor<2x4x6xf32>>]} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
        %1 = tx.gelu %a in <"a"> : tensor<2x4x6xf32>
        step.yield %1 : tensor<2x4x6xf32>
      }
      return %0 : tensor<2x4x6xf32>
    }
    ```
  }];
  let dependentDialects = ["::tx::step::StepDialect"];
}

def VerifyPlacementPass : Pass<"tx-verify-placement", "::mlir::ModuleOp"> {
  let summary = "check that no tensor is overwritten while it is needed";
  let description = [{
    Runs each function on the addresses alone: every op's operands must still be where they were written. An address is
    of its value's type and inside its segment, a view inside its whole; each piece of state has bytes of its own, which
    only what continues it writes. Knows nothing of how places were chosen. Says in remarks what it could not check:
    segments without a length, no function.
  }];
}

#endif // TX_MEMORY_PASSES_TD
