//===- Passes.td - From kernels on tensors to loops on memory --------------------------------------*- tablegen -*-===//

#ifndef TX_CONVERSION_PASSES
#define TX_CONVERSION_PASSES

include "mlir/Pass/PassBase.td"

def LowerKernelsToVector : Pass<"tx-lower-kernels-to-vector", "::tx::step::ProgramOp"> {
  let summary = "Make each kernel a loop nest on vectors of the host";
  let description = [{
    Adds a module `host_kernels` with a function for each `step.kernel`: its arguments are the input buffers, the output
    buffers, the immediates (if there are any) and the range of units. Rows are taken in blocks of 4 x 16 columns; the
    columns left over are shorter vectors. A row reduction ends a pass over the row; what later passes use is loaded
    again where it is in memory, else computed again.

    No value depends on the kernel that it is computed in: each op's result is rounded to its element type, and
    reductions have one order (lane i of 64 adds columns i, i + 64, ...; then one tree over the lanes).

    Before:

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
    }
    ```

    After:

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
      builtin.module @host_kernels {
        func.func @residual(%a: memref<128xf32>, %b: memref<128xf32>, %sum: memref<128xf32>, %begin: index, %end: index) {
          %c16 = arith.constant 16 : index
          %c1 = arith.constant 1 : index
          scf.for %row = %begin to %end step %c1 {
            %start = arith.muli %row, %c16 : index
            %0 = vector.load %a[%start] : memref<128xf32>, vector<16xf32>
            %1 = vector.load %b[%start] : memref<128xf32>, vector<16xf32>
            %2 = arith.addf %0, %1 : vector<16xf32>
            vector.store %2, %sum[%start] : memref<128xf32>, vector<16xf32>
          }
          return
        }
      }
    }
    ```
  }];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

def VerifyHostKernels : Pass<"tx-verify-host-kernels", "::mlir::ModuleOp"> {
  let summary = "check what reaches the host's code generator";
  let description = [{
    Kernels touch memory by loads and stores of a run, which is a power of two of neighbours, at most 64 bytes, of i8,
    i16, bf16, i32 or f32; and by the matrix unit's loads and stores, of tiles on the stack. No mask, gather or call:
    for these forms a test reads in the code of each kind of CPU how wide its accesses are, on machines that cannot run
    it too. And they round to bf16 on integers, since a CPU's own conversion may take denormals for 0.
  }];
}

#endif // TX_CONVERSION_PASSES
