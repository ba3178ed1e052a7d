//===- StepOps.td - The compiled step, as data -----------------------------------------------------*- tablegen -*-===//

#ifndef STEP_OPS_TD
#define STEP_OPS_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/IR/RegionKindInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/ControlFlowInterfaces.td"
include "tx/Dialect/Tx/IR/TxAttrEnums.td"
include "tx/Dialect/Tx/IR/TxBase.td"
include "tx/Dialect/Step/IR/StepEnums.td"

def Step_Dialect : Dialect {
  let name = "step";
  let cppNamespace = "::tx::step";
  let summary = "A compiled step: launches of kernels and library calls on arena addresses";
  let description = [{
    Two stages. On tensors, `step.group` holds ops that one kernel computes;
    what is only used inside of a group never reaches memory. In a
    `step.program`, entries are flat lists of launches on addresses: data, not
    code, of which the artifact's launch table is a copy.
  }];
  let dependentDialects = ["::tx::TxDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def Step_BufferAttr : AttrDef<Step_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "where a tensor lies in the arena";
  let description = [{
    Segment, byte offset, type; the row stride in elements, when rows do not
    follow each other (a view of some columns of a wider tensor).

    ```mlir
    #step.buffer<transient, 4096, tensor<2x4x6xf32>>
    #step.buffer<transient, 4120, tensor<2x4x6xf32>, stride 18>
    ```
  }];
  let parameters = (ins "::tx::step::ArenaSegment":$segment, "int64_t":$offset,
                        "::mlir::RankedTensorType":$type,
                        DefaultValuedParameter<"int64_t", "0">:$stride);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Elements from one row to the next.
    int64_t getRowStride() const;
    /// Bytes from the first element to behind the last.
    int64_t getExtent() const;
  }];
}

def Step_EpilogueAttr : EnumAttr<Step_Dialect, Step_Epilogue, "epilogue">;

def Step_AttentionAttr : AttrDef<Step_Dialect, "Attention"> {
  let mnemonic = "attention";
  let summary = "that a launch is core attention, which a library may compute";
  let description = [{
    `operands` are the launch's buffers in the order of txrt_attention_operand:
    Q, K, V, O, the log-sum-exp; backward also dO, dQ, dK, dV. Sizes are those of
    their types. `deterministic`: the library too has to add dQ in one order.

    ```mlir
    #step.attention<backward = false, causal = true, deterministic = true, heads = 2 : i64, scale = 0.5 : f64, operands = [0, 1, 2, 3, 4]>
    ```
  }];
  let parameters = (ins "::mlir::BoolAttr":$backward, "::mlir::BoolAttr":$causal, "::mlir::BoolAttr":$deterministic,
                        "::mlir::IntegerAttr":$heads, "::mlir::FloatAttr":$scale,
                        "::mlir::DenseI64ArrayAttr":$operands);
  let assemblyFormat = "`<` struct(params) `>`";
}

class Step_Op<string mnemonic, list<Trait> traits = []> : Op<Step_Dialect, mnemonic, traits>;

def Step_YieldOp : Step_Op<"yield", [Pure, Terminator, ParentOneOf<["GroupOp", "KernelOp"]>]> {
  let summary = "the values that a kernel writes to memory";
  let description = [{
    In the order of the group's results, or of the kernel's output buffers.

    ```mlir
    %0 = step.group flat [1, 48] in <"loss"> (%a = %x) : (tensor<48xf32>) -> tensor<48xf32> {
      step.yield %a : tensor<48xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Tx_AnyTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Step_GroupOp : Step_Op<"group", [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">, Tx_ScopedOpInterface,
                                       Tx_IdReading]> {
  let summary = "ops that one kernel computes";
  let description = [{
    All ops have the group's kernel kind and space. The scope is that of the
    op that gives the group its name in reports.

    ```mlir
    %0 = step.group row [8, 6] in <layer 0, "residual"> (%a = %x, %b = %r) : (tensor<2x4x6xf32>, tensor<2x4x6xf32>) -> tensor<2x4x6xf32> {
      %1 = tx.add %a, %b in <layer 0, "residual"> : tensor<2x4x6xf32>
      step.yield %1 : tensor<2x4x6xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Tx_AnyTensor>:$inputs, Tx_KernelKind:$kind,
                       DenseI64ArrayAttr:$space, Tx_ScopeAttr:$scope);
  let results = (outs Variadic<Tx_AnyTensor>:$outputs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Step_ProgramOp : Step_Op<"program", [IsolatedFromAbove, Symbol, SymbolTable, NoTerminator, SingleBlock, NoRegionArguments]> {
  let summary = "everything an artifact holds: kernels and entries";
  let description = [{
    The arena is one block of `persistent + argument + saved + transient` bytes;
    every buffer lies in its segment. Kernels stand beside the entries that launch
    them: equal kernels are one.

    ```mlir
    step.program @step arena(persistent 0, argument 192, saved 0, transient 192) {
      step.kernel @row0_gelu row [8, 6] (%a: tensor<2x4x6xf32>) {
        %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
        step.yield %y : tensor<2x4x6xf32>
      }
      step.entry @f (x<argument, 0, tensor<2x4x6xf32>>) -> (y<transient, 0, tensor<2x4x6xf32>>) {
        step.launch @row0_gelu in <layer 0, "mlp.mlp_act"> flops 672 immediates [] [#step.buffer<argument, 0, tensor<2x4x6xf32>>, #step.buffer<transient, 0, tensor<2x4x6xf32>>]
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, I64Attr:$persistent_bytes, I64Attr:$argument_bytes,
                       I64Attr:$saved_bytes, I64Attr:$transient_bytes);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    $sym_name `arena` `(` `persistent` $persistent_bytes `,` `argument` $argument_bytes `,`
    `saved` $saved_bytes `,` `transient` $transient_bytes `)` attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Step_KernelOp : Step_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">, HasParent<"ProgramOp">]> {
  let summary = "a loop nest, to be generated";
  let description = [{
    The block's arguments are the input buffers in order; the yielded values
    are written to the output buffers, which follow. `row_strides` gives each buffer's
    row stride in elements (0: rows follow each other). An output may lie
    exactly on an input where the memory plan says so (accumulators, in-place results).

    Ops keep a scope without a layer: what differs between layers that share
    the kernel comes as immediates. A `tx.dropout` in a kernel has the attribute `step.immediate`,
    the index of the immediate that holds its site hash.

    Units are rows (`row`), blocks of 64 columns (`column`), chunks (`flat`) or tiles (`tile`).

    ```mlir
    step.program @step arena(persistent 0, argument 0, saved 0, transient 0) {
      step.kernel @row0_dropout row [8, 6] strides [18, 0, 0] immediates 1 (%x: tensor<2x4x6xf32>, %key: tensor<4xi32>) {
        %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x4x6xf32>, tensor<4xi32>
        step.yield %y : tensor<2x4x6xf32>
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, Tx_KernelKind:$kind, DenseI64ArrayAttr:$space,
                       DenseI64ArrayAttr:$row_strides, I64Attr:$immediates);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
  let extraClassDeclaration = [{
    /// Columns of one unit of a column kernel.
    static constexpr int64_t kColumnBlock = 64;
    int64_t getUnits();
    /// Inputs, then outputs.
    ::llvm::SmallVector<::mlir::Type> getBufferTypes();
    unsigned getInputCount();
    unsigned getOutputCount();
    /// Whether an op reads the input; else it is there for its place in memory.
    bool readsInput(unsigned input);
  }];
}

def Step_EntryOp : Step_Op<"entry", [Symbol, NoTerminator, SingleBlock, NoRegionArguments, HasParent<"ProgramOp">]> {
  let summary = "a list of launches with arguments and results at fixed addresses";
  let description = [{
    What a caller runs: it writes the arguments to their addresses, has the
    launches done in order, and reads the results at theirs. An argument that holds
    ids says which ones a caller may give.

    ```mlir
    step.program @ids arena(persistent 0, argument 32, saved 0, transient 0) {
      step.entry @f (tokens<argument, 0, tensor<2x4xi32>> ids<below = 7>) -> () {
      }
    }
    step.program @step arena(persistent 0, argument 192, saved 0, transient 0) {
      step.entry @identity (x<argument, 0, tensor<2x4x6xf32>>) -> (y<argument, 0, tensor<2x4x6xf32>>) {
      }
    }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrArrayAttr:$argument_names, ArrayAttr:$argument_buffers,
                       ArrayAttr:$argument_ids, StrArrayAttr:$result_names, ArrayAttr:$result_buffers);
  let extraClassDeclaration = [{
    /// The ids that argument `number` may hold; null if it holds none.
    ::tx::IdsAttr getIds(unsigned number);
  }];
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let hasRegionVerifier = 1;
}

def Step_LaunchOp : Step_Op<"launch", [HasParent<"EntryOp">, Tx_ScopedOpInterface, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers: its inputs, then its outputs";
  let description = [{
    Buffers have the types and row strides that the kernel was made for; the
    immediates are what differs between its launches. What a library may compute in
    the kernel's place says so, with the scratch that the library gets.

    ```mlir
    step.program @step arena(persistent 0, argument 16, saved 0, transient 768) {
      step.kernel @row0_dropout row [8, 6] strides [18, 0, 0] immediates 1 (%x: tensor<2x4x6xf32>, %key: tensor<4xi32>) {
        %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x4x6xf32>, tensor<4xi32>
        step.yield %y : tensor<2x4x6xf32>
      }
      step.entry @f (key<argument, 0, tensor<4xi32>>) -> () {
        step.launch @row0_dropout in <layer 3, "residual"> flops 1056 immediates [1471] [#step.buffer<transient, 0, tensor<2x4x6xf32>, stride 18>, #step.buffer<argument, 0, tensor<4xi32>>, #step.buffer<transient, 576, tensor<2x4x6xf32>>]
      }
    }
    ```
  }];
  let arguments = (ins FlatSymbolRefAttr:$kernel, ArrayAttr:$buffers, DenseI32ArrayAttr:$immediates,
                       I64Attr:$flops, Tx_ScopeAttr:$scope, OptionalAttr<Step_AttentionAttr>:$attention,
                       OptionalAttr<Step_BufferAttr>:$scratch);
  let assemblyFormat = [{
    $kernel `in` $scope `flops` $flops `immediates` $immediates $buffers
    (`attention` $attention^)? (`scratch` $scratch^)? attr-dict
  }];
  let extraClassDeclaration = [{
    /// Those of the kernel, then scratch.
    ::llvm::SmallVector<::mlir::Attribute> getAllBuffers();
  }];
  let hasVerifier = 1;
}

def Step_GemmOp : Step_Op<"gemm", [HasParent<"EntryOp">, Tx_ScopedOpInterface]> {
  let summary = "C = alpha op(A) op(B) + beta C, batched, by the library";
  let description = [{
    The fields are those of txrt_gemm_launch; a fourth buffer is the reset bit.
    With an epilogue the library also adds a `bias` to each row of C, or writes
    the sums of op(A) (`sums_a`) or op(B) (`sums_b`) over k; or C is the `gelu` of the product
    (`gelu_bias`: and a bias), which is written to `aux`; or C is the product times GELU's
    derivative at `aux` (`gelu_grad`; `gelu_grad_sums` writes the sums of C's rows too).
    `scratch` is for the library alone.
    `batch_strides` = strides of A, B, C by the outer, then by the inner batch index.

    ```mlir
    step.program @step arena(persistent 256, argument 192, saved 0, transient 512) {
      step.entry @f () -> () {
        step.gemm in <layer 0, "mlp.fc1"> [8, 8, 6] batch [1, 1] ld [6, 8, 8] strides [0, 0, 0, 0, 0, 0] transpose false, false alpha 1.0 beta 0.0 [#step.buffer<argument, 0, tensor<2x4x6xf32>>, #step.buffer<persistent, 0, tensor<6x8xf32>>, #step.buffer<transient, 0, tensor<2x4x8xf32>>]
        step.gemm in <layer 0, "mlp.fc1"> [8, 8, 6] batch [1, 1] ld [6, 8, 8] strides [0, 0, 0, 0, 0, 0] transpose false, false alpha 1.0 beta 0.0 [#step.buffer<argument, 0, tensor<2x4x6xf32>>, #step.buffer<persistent, 0, tensor<6x8xf32>>, #step.buffer<transient, 0, tensor<2x4x8xf32>>] epilogue bias <persistent, 192, tensor<8xf32>> scratch <transient, 256, tensor<256xi8>>
        step.gemm in <layer 0, "mlp.fc1"> [8, 8, 6] batch [1, 1] ld [6, 8, 8] strides [0, 0, 0, 0, 0, 0] transpose false, false alpha 1.0 beta 0.0 [#step.buffer<argument, 0, tensor<2x4x6xf32>>, #step.buffer<persistent, 0, tensor<6x8xf32>>, #step.buffer<transient, 0, tensor<2x4x8xf32>>] epilogue gelu_bias <persistent, 192, tensor<8xf32>> aux <transient, 256, tensor<2x4x8xf32>>
      }
    }
    ```
  }];
  let arguments = (ins I64Attr:$m, I64Attr:$n, I64Attr:$k, DenseI64ArrayAttr:$batch,
                       DenseI64ArrayAttr:$leading, DenseI64ArrayAttr:$batch_strides,
                       BoolAttr:$transpose_a, BoolAttr:$transpose_b, F64Attr:$alpha, F64Attr:$beta,
                       ArrayAttr:$buffers, OptionalAttr<Step_EpilogueAttr>:$epilogue,
                       OptionalAttr<Step_BufferAttr>:$vector, OptionalAttr<Step_BufferAttr>:$aux,
                       OptionalAttr<Step_BufferAttr>:$scratch,
                       Tx_ScopeAttr:$scope);
  let assemblyFormat = [{
    `in` $scope `[` $m `,` $n `,` $k `]` `batch` $batch `ld` $leading `strides` $batch_strides
    `transpose` $transpose_a `,` $transpose_b `alpha` $alpha `beta` $beta $buffers
    (`epilogue` $epilogue^ custom<EpilogueOperands>(ref($epilogue), $vector, $aux))? (`scratch` $scratch^)? attr-dict
  }];
  let extraClassDeclaration = [{
    /// Those of the launch, in the order of txrt_gemm_launch.
    ::llvm::SmallVector<::mlir::Attribute> getAllBuffers();
  }];
  let hasVerifier = 1;
}

def Step_CollectiveOp : Step_Op<"collective", [HasParent<"EntryOp">, Tx_ScopedOpInterface]> {
  let summary = "what the ranks of a mesh axis do together, by the communication library";
  let description = [{
    The buffers are the operand and the result; an `all_reduce` may write where it
    reads, and so may a `broadcast`. Ranks of the axis are `stride` apart in the mesh.
    Where a rank's part is spoken of, the operand is `outer` blocks that each have one
    for every rank, or are one of a block of the result. `peer` is the root's place on
    the axis, or how far `send_recv` sends; with `wraps` the last stands before the
    first. `sent` is the least that a rank has to send, in bytes.

    ```mlir
    step.program @step arena(persistent 192, argument 0, saved 0, transient 0) {
      step.entry @f () -> () {
        step.collective all_reduce in <backward, layer 0, "mlp.fc1"> axis "dp" ranks 4 sent 288 [#step.buffer<persistent, 0, tensor<6x8xf32>>, #step.buffer<persistent, 0, tensor<6x8xf32>>]
      }
    }
    ```
  }];
  let arguments = (ins Tx_CollectiveKind:$kind, StrAttr:$axis, I64Attr:$ranks,
                       DefaultValuedAttr<I64Attr, "1">:$stride, DefaultValuedAttr<I64Attr, "1">:$outer,
                       DefaultValuedAttr<I64Attr, "0">:$peer, UnitAttr:$wraps, I64Attr:$sent, ArrayAttr:$buffers,
                       Tx_ScopeAttr:$scope);
  let assemblyFormat = [{
    $kind `in` $scope `axis` $axis `ranks` $ranks (`stride` $stride^)? (`outer` $outer^)? (`peer` $peer^)?
    (`wraps` $wraps^)? `sent` $sent $buffers attr-dict
  }];
  let hasVerifier = 1;
}

#endif // STEP_OPS_TD
