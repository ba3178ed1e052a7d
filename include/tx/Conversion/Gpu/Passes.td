//===- Passes.td - From kernels on tensors to GPU threads ------------------------------------------*- tablegen -*-===//

#ifndef TX_CONVERSION_GPU_PASSES
#define TX_CONVERSION_GPU_PASSES

include "mlir/Pass/PassBase.td"

def LowerKernelsToGpu : Pass<"tx-lower-kernels-to-gpu", "::tx::step::ProgramOp"> {
  let summary = "Make each kernel a function of GPU threads";
  let description = [{
    Adds a module `gpu_kernels` with a function for each `step.kernel`: its arguments are the input buffers, the output
    buffers, the immediates and the number of units. A block of threads has `step.units_per_block` of `step.units`
    units; what a unit is depends on the kernel's kind:

    - `row`, `flat`: a row. Some threads share it; it stays in registers where
      it fits. Sums meet by shuffles, then in shared memory, in one order.
    - `column`: a stripe of columns. Groups of threads share the rows, and add
      up what they have in one order: no atomics.
    - `tile`: a tile of rows of a head. The block's threads share tiles in
      `step.shared_bytes` of dynamic shared memory; bf16 products are tensor cores'.

    Vectors are as wide as 16 bytes of the narrowest element, where rows and launches' addresses are aligned so.
    Threads, vectors and stripes come from one schedule, which knows the architecture.

    Before:

    ```mlir
    step.program @p arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @residual row [8, 16] (%a: tensor<2x4x16xf32>, %b: tensor<2x4x16xf32>) {
        %sum = tx.add %a, %b in <"residual"> : tensor<2x4x16xf32>
        step.yield %sum : tensor<2x4x16xf32>
      }
    }
    ```

    After, with four threads for a row of 16 columns and a vector for each; on longer rows a thread has four vectors:

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
          %c8 = arith.constant 8 : index
          %c4 = arith.constant 4 : index
          %thread = gpu.thread_id x
          %block = gpu.block_id x
          %0 = arith.remui %thread, %c4 : index
          %1 = arith.muli %block, %c8 : index
          %2 = arith.divui %thread, %c4 : index
          %3 = arith.addi %1, %2 : index
          %4 = arith.muli %3, %c16 : index
          %5 = arith.divui %0, %c4 : index
          %6 = arith.remui %0, %c4 : index
          %7 = arith.muli %6, %c4 : index
          %8 = arith.muli %5, %c64 : index
          %9 = arith.addi %8, %7 : index
          %10 = arith.subi %c16, %9 : index
          %11 = arith.addi %4, %9 : index
          %12 = arith.cmpi slt, %c0, %10 : index
          %13 = scf.if %12 -> (vector<4xf32>) {
            %20 = vector.load %a[%11] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
            scf.yield %20 : vector<4xf32>
          } else {
            scf.yield %cst : vector<4xf32>
          }
          %14 = arith.addi %4, %9 : index
          %15 = arith.cmpi slt, %c0, %10 : index
          %16 = scf.if %15 -> (vector<4xf32>) {
            %20 = vector.load %b[%14] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
            scf.yield %20 : vector<4xf32>
          } else {
            scf.yield %cst : vector<4xf32>
          }
          %17 = arith.addf %13, %16 : vector<4xf32>
          %18 = arith.addi %4, %9 : index
          %19 = arith.cmpi slt, %c0, %10 : index
          scf.if %19 {
            vector.store %17, %sum[%18] {alignment = 16 : i64} : memref<128xf32>, vector<4xf32>
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
                           "::mlir::memref::MemRefDialect", "::mlir::scf::SCFDialect", "::mlir::vector::VectorDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::NVVM::NVVMDialect"];
}

def SplitRowSums : Pass<"tx-split-row-sums", "::mlir::func::FuncOp"> {
  let summary = "Have sums over rows in parts, beside what reads the rows anyway";
  let description = [{
    Runs before fusion, for GPUs. A sum over rows whose rows another op of backward reads becomes two ops: one sums
    parts of the rows, and fusion puts it into the other op's kernel, so that the rows are read once; one adds the parts
    to the accumulator, in their order. How many parts there are depends on the architecture and the shape alone, so a
    gradient has the same bits under every policy. Rows that a block's threads cannot hold with their sums stay as they
    are.

    Before:

    ```mlir
    func.func @f(%dy: tensor<2x4x6xf32>, %x: tensor<2x4x6xf32>, %w: tensor<6xf32>, %s: tensor<2x4xf32>) -> (tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>) {
      %gw, %gb = tx.layer_norm_weight_grad %dy, %x, %s, %s into %w, %w in <backward, "norm"> : tensor<2x4x6xf32>, tensor<2x4xf32>, tensor<6xf32>, tensor<6xf32>
      %dx = tx.layer_norm_input_grad %dy, %x, %w, %s, %s in <backward, "norm"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
      return %dx, %gw, %gb : tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>
    }
    ```

    After:

    ```mlir
    func.func @f(%dy: tensor<2x4x6xf32>, %x: tensor<2x4x6xf32>, %w: tensor<6xf32>, %s: tensor<2x4xf32>) -> (tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>) {
      %weight_parts, %bias_parts = tx.layer_norm_partial_grad %dy, %x, %s, %s in <backward, "norm"> : tensor<2x4x6xf32>, tensor<2x4xf32> -> tensor<1x6xf32>
      %0:2 = tx.add_parts %weight_parts, %bias_parts into %w, %w in <backward, "norm"> : tensor<1x6xf32>, tensor<1x6xf32> into tensor<6xf32>, tensor<6xf32>
      %dx = tx.layer_norm_input_grad %dy, %x, %w, %s, %s in <backward, "norm"> : tensor<2x4x6xf32>, tensor<6xf32>, tensor<2x4xf32>
      return %dx, %0#0, %0#1 : tensor<2x4x6xf32>, tensor<6xf32>, tensor<6xf32>
    }
    ```
  }];
  let options = [
    Option<"arch", "arch", "std::string", "\"sm_90\"", "the architecture that kernels are laid out for">,
  ];
}

def PlanGpuLibraries : Pass<"tx-plan-gpu-libraries", "::mlir::ModuleOp"> {
  let summary = "Say what a GPU's libraries compute, and the scratch they get";
  let description = [{
    Runs after fusion and before placement, so that scratch is a part of the peak. A product by cuBLASLt gets bytes for
    the partial sums of a split k: 16 copies of C in f32, and no more than NVIDIA advises (32 MiB for sm_90 and newer, 4
    MiB before).

    A group that is core attention (AttentionOpInterface) is marked if cuDNN can compute it in the kernel's place: bf16,
    no dropout, heads of a width that is a multiple of 8 up to 128. It gets what cuDNN's plan asks for: deterministic, 2
    b h s t bytes backward; else one or two copies of dQ in f32. All of a module's attention is marked or none, and such
    a group gives every result, whoever reads it: a recomputation takes the way of its forward.

    Before:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>) -> tensor<2x4x8xf32> {
      %y = tx.linear %x, %w in <layer 0, "mlp.fc1"> : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
      return %y : tensor<2x4x8xf32>
    }
    ```

    After:

    ```mlir
    func.func @f(%x: tensor<2x4x6xf32>, %w: tensor<6x8xf32>) -> tensor<2x4x8xf32> {
      %y = tx.linear %x, %w in <layer 0, "mlp.fc1"> {step.scratch_bytes = 4096 : i64} : tensor<2x4x6xf32>, tensor<6x8xf32> -> tensor<2x4x8xf32>
      return %y : tensor<2x4x8xf32>
    }
    ```
  }];
  let options = [
    ListOption<"architectures", "arch", "std::string", "the architectures whose libraries are meant; sm_90 if none is">,
    Option<"attention", "attention", "::tx::AttentionBackend", "::tx::AttentionBackend::Auto",
           "which attention cuDNN computes, where it is there",
           [{::llvm::cl::values(
             clEnumValN(::tx::AttentionBackend::Auto, "auto", "what it can; a remark says why not"),
             clEnumValN(::tx::AttentionBackend::Fused, "fused", "all; an error says why not"),
             clEnumValN(::tx::AttentionBackend::Flash, "flash", "none: generated kernels do"))}]>,
    Option<"deterministic", "deterministic", "bool", "true", "backward by cuDNN adds dQ in one order">,
    Option<"forget", "forget", "bool", "false",
           "take away what the pass and tx-fuse-epilogues have said before, and do nothing else">,
  ];
  let dependentDialects = ["::tx::step::StepDialect"];
}

#endif // TX_CONVERSION_GPU_PASSES
