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

    After, with four threads for a row of 16 columns and a vector for each; on longer rows a thread
    has four vectors:

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
      gpu.module @gpu_kernels {
        gpu.func @residual(%a: memref<128xf32>, %b: memref<128xf32>, %sum: memref<128xf32>, %units: index)
              kernel attributes {known_block_size = array<i32: 32, 1, 1>, step.units = 8 : i64, step.units_per_block = 8 : i64} {
          %cst = arith.constant dense<0.000000e+00> : vector<4xf32>
          %c64 = arith.constant 64 : index
          %c0 = arith.constant 0 : index
          %c16 = arith.constant 16 : index
          %c7 = arith.constant 7 : index
          %c8 = arith.constant 8 : index
          %c4 = arith.constant 4 : index
          %thread = gpu.thread_id x
          %block = gpu.block_id x
          %0 = arith.remui %thread, %c4 : index
          %1 = arith.muli %block, %c8 : index
          %2 = arith.divui %thread, %c4 : index
          %3 = arith.addi %1, %2 : index
          %4 = arith.cmpi slt, %3, %units : index
          %5 = arith.minsi %3, %c7 : index
          %6 = arith.muli %5, %c16 : index
          %7 = arith.divui %0, %c4 : index
          %8 = arith.remui %0, %c4 : index
          %9 = arith.muli %8, %c4 : index
          %10 = arith.muli %7, %c64 : index
          %11 = arith.addi %10, %9 : index
          %12 = arith.subi %c16, %11 : index
          %13 = arith.addi %6, %11 : index
          %14 = arith.cmpi slt, %c0, %12 : index
          %15 = scf.if %14 -> (vector<4xf32>) {
            %23 = vector.load %a[%13] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
            scf.yield %23 : vector<4xf32>
          } else {
            scf.yield %cst : vector<4xf32>
          }
          %16 = arith.addi %6, %11 : index
          %17 = arith.cmpi slt, %c0, %12 : index
          %18 = scf.if %17 -> (vector<4xf32>) {
            %23 = vector.load %b[%16] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
            scf.yield %23 : vector<4xf32>
          } else {
            scf.yield %cst : vector<4xf32>
          }
          %19 = arith.addf %15, %18 : vector<4xf32>
          %20 = arith.addi %6, %11 : index
          %21 = arith.cmpi slt, %c0, %12 : index
          %22 = arith.andi %21, %4 : i1
          scf.if %22 {
            vector.store %19, %sum[%20] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
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
