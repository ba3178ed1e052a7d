//===- Passes.td - From placed ops to launches -----------------------------------------------------*- tablegen -*-===//

#ifndef TX_CONVERSION_TXTOSTEP_PASSES_TD
#define TX_CONVERSION_TXTOSTEP_PASSES_TD

include "mlir/Pass/PassBase.td"

def LowerToStepPass : Pass<"tx-lower-to-step", "::mlir::ModuleOp"> {
  let summary = "turn placed functions into a step.program: launches on addresses";
  let description = [{
    Each function becomes an entry; each group a launch of a kernel, equal kernels (up to their place in the model)
    being one; each matrix product a `step.gemm`, after a launch that writes its bias, if it has one. Views, loads and
    stores vanish: they were addresses. A launch says which launches of other lanes have to be done before it.

    Example:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32> {tx.name = "x", step.buffer = #step.buffer<argument, 0x0, tensor<2x4x6xf32>>}) -> (tensor<2x4x6xf32> {tx.name = "y"}) attributes {step.argument_bytes = 192 : i64, step.transient_bytes = 192 : i64} {
      %0 = step.group row [8, 6] in <"a"> (%a = %x) {step.buffers = [#step.buffer<transient, 0x0, tensor<2x4x6xf32>>]} : (tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
        %1 = tx.gelu %a in <"a"> : tensor<2x4x6xf32>
        step.yield %1 : tensor<2x4x6xf32>
      }
      return %0 : tensor<2x4x6xf32>
    }
    ```

    becomes

    ```mlir
    step.program @step arena(persistent 0, argument 192, saved 0, transient 192) {
      step.kernel @row0_gelu row [8, 6] (%a: tensor<2x4x6xf32>) {
        %1 = tx.gelu %a in <""> : tensor<2x4x6xf32>
        step.yield %1 : tensor<2x4x6xf32>
      }
      step.entry @f (x<argument, 0x0, tensor<2x4x6xf32>>) -> (y<transient, 0x0, tensor<2x4x6xf32>>) attributes {step.transient_bytes = 192 : i64} {
        step.launch 0 @row0_gelu in <"a"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>, "x">) -> (<transient, 0x0, tensor<2x4x6xf32>>)
      }
    }
    ```
  }];
  let dependentDialects = ["::tx::step::StepDialect"];
}

#endif // TX_CONVERSION_TXTOSTEP_PASSES_TD
