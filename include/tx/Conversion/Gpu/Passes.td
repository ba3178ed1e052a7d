//===- Passes.td - From kernels on tensors to GPU threads --*- tablegen -*-===//

#ifndef TX_CONVERSION_GPU_PASSES
#define TX_CONVERSION_GPU_PASSES

include "mlir/Pass/PassBase.td"

def LowerKernelsToGpu : Pass<"tx-lower-kernels-to-gpu", "::tx::step::ProgramOp"> {
  let summary = "Make each kernel a function of GPU threads";
  let description = [{
    Adds a module `gpu_kernels` with a function for each `step.kernel`: its
    arguments are the input buffers, the output buffers, the immediates and the
    number of units. A block of threads has `step.units_per_block` of
    `step.units` units; what a unit is depends on the kernel's kind:

    - `row`, `flat`: a row. Some threads share it; it stays in registers where
      it fits. Sums meet by shuffles, then in shared memory, in one order.
    - `column`: a stripe of columns. Groups of threads share the rows, and add
      up what they have in one order: no atomics.

    Vectors are as wide as 16 bytes of the narrowest element, where rows and
    launches' addresses are aligned so. Threads, vectors and stripes come from one
    schedule, which knows the architecture.

    Before:

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
    }
    ```

    After (with 4 threads for each row, each of one vector):

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
      gpu.module @gpu_kernels {
        gpu.func @residual(%a: memref<128xf32>, %b: memref<128xf32>, %sum: memref<128xf32>, %units: index)
            kernel attributes {known_block_size = array<i32: 32, 1, 1>, step.units = 8 : i64, step.units_per_block = 8 : i64} {
          %c4 = arith.constant 4 : index
          %c16 = arith.constant 16 : index
          %thread = gpu.thread_id x
          %part = arith.remui %thread, %c4 : index
          %row = arith.divui %thread, %c4 : index
          %isThere = arith.cmpi slt, %row, %units : index
          %start = arith.muli %row, %c16 : index
          %column = arith.muli %part, %c4 : index
          %at = arith.addi %start, %column : index
          %0 = vector.load %a[%at] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
          %1 = vector.load %b[%at] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
          %2 = arith.addf %0, %1 : vector<4xf32>
          scf.if %isThere {
            vector.store %2, %sum[%at] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
          }
          gpu.return
        }
      }
    }
    ```
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_80\"", "the architecture that schedules are made for">,
  ];
  let dependentDialects = ["::mlir::gpu::GPUDialect", "::mlir::arith::ArithDialect", "::mlir::math::MathDialect",
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect"];
}

#endif // TX_CONVERSION_GPU_PASSES
