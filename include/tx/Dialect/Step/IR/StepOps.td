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
include "tx/Dialect/Step/IR/StepInterfaces.td"

def Step_Dialect : Dialect {
  let name = "step";
  let cppNamespace = "::tx::step";
  let summary = "A compiled step: launches of kernels and library calls on arena addresses";
  let description = [{
    Two stages. On tensors, `step.group` holds ops that one kernel computes; what is only used inside of a group never
    reaches memory. In a `step.program`, entries are flat lists of launches on addresses: data, not code, of which the
    artifact's launch table is a copy.
  }];
  let dependentDialects = ["::tx::TxDialect"];
  let useDefaultAttributePrinterParser = 1;
}

def Step_BufferAttr : AttrDef<Step_Dialect, "Buffer"> {
  let mnemonic = "buffer";
  let summary = "where a tensor lies in the arena";
  let description = [{
    Segment, byte offset, type; the row stride in elements, when rows do not follow each other (a view of some columns
    of a wider tensor); the name of what lies there, in a launch that works on state or on an entry's argument.

    ```mlir
    #step.buffer<transient, 0x1000, tensor<2x4x6xf32>>
    #step.buffer<transient, 0x1018, tensor<2x4x6xf32>, stride 18>
    #step.buffer<persistent, 0x40, tensor<6xf32>, "transformer.ln_f.bias">
    ```
  }];
  let parameters = (ins "::tx::step::ArenaSegment":$segment, "int64_t":$offset, "::mlir::RankedTensorType":$type,
                        DefaultValuedParameter<"int64_t", "0">:$stride, StringRefParameter<"for people", [{""}]>:$name);
  let builders = [AttrBuilder<(ins "::tx::step::ArenaSegment":$segment, "int64_t":$offset,
                                   "::mlir::RankedTensorType":$type, "int64_t":$stride),
                              [{ return $_get($_ctxt, segment, offset, type, stride, ::llvm::StringRef()); }]>];
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    /// Elements from one row to the next.
    int64_t getRowStride() const;
    /// Bytes from the first element to behind the last.
    int64_t getExtent() const;
    /// The same place, with the name of what lies there.
    BufferAttr withName(::llvm::StringRef name) const;
  }];
}

def Step_BuffersAttr : TypedArrayAttrBase<Step_BufferAttr, "a list of step.buffer">;

def Step_GemmRoleAttr : EnumAttr<Step_Dialect, Step_GemmRole, "epilogue">;

def Step_AttentionAttr : AttrDef<Step_Dialect, "Attention"> {
  let mnemonic = "attention";
  let summary = "that a launch is core attention, which a library may compute";
  let description = [{
    The fields are those of txrt_attention. `operands` are the launch's buffers in the order of txrt_attention_operand:
    Q, K, V, O, the log-sum-exp; backward also dO, dQ, dK, dV. `heads` are those of Q, then those of K and V; `width`
    the columns of a head of Q and K, then those of V and O if they differ. With a `window` a query sees that many keys,
    the last one its own; a `cap` c makes c tanh(x / c) of a scaled score x. `deterministic`: the library too has to
    add dQ in one order.

    ```mlir
    #step.attention<forward causal deterministic batch 2 queries 4 keys 4 heads 4/2 width 8 scale 0.5 operands [0, 1, 2, 3, 4]>
    #step.attention<backward batch 2 queries 4 keys 6 heads 4/4 width 24/16 scale 0.25 window 4096 cap 50.0 operands [1, 2, 3, 4, 5, 0, 6, 7, 8]>
    ```
  }];
  let parameters = (ins "bool":$backward, "bool":$causal, "bool":$deterministic, "int64_t":$batch, "int64_t":$queries,
                        "int64_t":$keys, "int64_t":$heads, "int64_t":$key_heads, "int64_t":$width,
                        "int64_t":$value_width, "::mlir::FloatAttr":$scale, "int64_t":$window,
                        "::mlir::FloatAttr":$soft_cap, "::mlir::DenseI64ArrayAttr":$operands);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
}

class Step_Op<string mnemonic, list<Trait> traits = []> : Op<Step_Dialect, mnemonic, traits>;

def Step_YieldOp : Step_Op<"yield", [Pure, Terminator, ParentOneOf<["GroupOp", "KernelOp"]>]> {
  let summary = "the values that a kernel writes to memory";
  let description = [{
    In the order of the group's results, or of the kernel's output buffers.

    ```mlir
    %0 = step.group row [8, 6] in <layer 0, "mlp.mlp_act"> (%a = %x) : (tensor<8x6xf32>) -> tensor<8x6xf32> {
      %1 = tx.gelu %a in <layer 0, "mlp.mlp_act"> : tensor<8x6xf32>
      step.yield %1 : tensor<8x6xf32>
    }
    ```
  }];
  let arguments = (ins Variadic<Tx_AnyTensor>:$values);
  let assemblyFormat = "($values^ `:` type($values))? attr-dict";
}

def Step_GroupOp : Step_Op<"group", [Pure, IsolatedFromAbove, SingleBlockImplicitTerminator<"YieldOp">,
                                     Tx_ScopedOpInterface, Tx_IdReading]> {
  let summary = "ops that one kernel computes";
  let description = [{
    All ops have the group's kernel kind and space. The scope is that of the op that gives the group its name in
    reports.

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

def Step_ProgramOp : Step_Op<"program", [IsolatedFromAbove, Symbol, SymbolTable, NoTerminator, SingleBlock,
                                         NoRegionArguments]> {
  let summary = "everything an artifact holds: kernels and entries";
  let description = [{
    The arena is one block of `persistent + argument + saved + transient` bytes; every buffer lies in its segment.
    Kernels stand beside the entries that launch them: equal kernels are one.

    ```mlir
    step.program @step arena(persistent 0, argument 192, saved 0, transient 192) {
      step.kernel @row0_gelu row [8, 6] (%a: tensor<2x4x6xf32>) {
        %y = tx.gelu %a in <""> : tensor<2x4x6xf32>
        step.yield %y : tensor<2x4x6xf32>
      }
      step.entry @f (x<argument, 0x0, tensor<2x4x6xf32>>) -> (y<transient, 0x0, tensor<2x4x6xf32>>) {
        step.launch 0 @row0_gelu in <layer 0, "mlp.mlp_act"> flops 672 (<argument, 0x0, tensor<2x4x6xf32>, "x">) -> (<transient, 0x0, tensor<2x4x6xf32>>)
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

def Step_KernelOp : Step_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlockImplicitTerminator<"YieldOp">,
                                       HasParent<"ProgramOp">]> {
  let summary = "a loop nest, to be generated";
  let description = [{
    The block's arguments are the input buffers in order; the yielded values are written to the output buffers, which
    follow. `row_strides` gives each buffer's row stride in elements (0: rows follow each other). An output may lie
    exactly on an input where the memory plan says so (accumulators, in-place results).

    Ops keep a scope without a layer: what differs between layers that share the kernel comes as immediates. A
    `tx.dropout` in a kernel has the attribute `step.immediate`, the index of the immediate that holds its site hash.

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
    What a caller runs: it writes the arguments to their addresses, has the launches done, and reads the results at
    theirs. The results are those of launches done in order. Kernels and products are one lane, collectives another:
    launches of different lanes may run side by side, once those that their `waits` name are done. An argument that
    holds ids says which ones a caller may give.

    ```mlir
    step.program @ids arena(persistent 0, argument 32, saved 0, transient 0) {
      step.entry @f (tokens<argument, 0x0, tensor<2x4xi32>> ids<below = 7>) -> () {
      }
    }
    step.program @step arena(persistent 0, argument 192, saved 0, transient 0) {
      step.entry @identity (x<argument, 0x0, tensor<2x4x6xf32>>) -> (y<argument, 0x0, tensor<2x4x6xf32>>) {
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

class Step_LaunchLike<string mnemonic, list<Trait> traits = []>
    : Step_Op<mnemonic, !listconcat([HasParent<"EntryOp">, Tx_ScopedOpInterface, Step_LaunchOpInterface], traits)> {
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
}

def Step_LaunchOp : Step_LaunchLike<"launch", [DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "runs a kernel on buffers: its inputs, then its outputs";
  let description = [{
    Buffers have the types and row strides that the kernel was made for; the immediates are what differs between its
    launches. What a library may compute in the kernel's place says so, with the scratch that the library gets.

    ```mlir
    step.program @step arena(persistent 0, argument 16, saved 0, transient 768) {
      step.kernel @row0_dropout row [8, 6] strides [18, 0, 0] immediates 1 (%x: tensor<2x4x6xf32>, %key: tensor<4xi32>) {
        %y = tx.dropout %x, %key p 0.1 in <""> {step.immediate = 0 : i64} : tensor<2x4x6xf32>, tensor<4xi32>
        step.yield %y : tensor<2x4x6xf32>
      }
      step.entry @f (key<argument, 0x0, tensor<4xi32>>) -> () {
        step.launch 0 @row0_dropout in <layer 3, "residual"> flops 1056 immediates [0x5bf] (<transient, 0x0, tensor<2x4x6xf32>, stride 18>, <argument, 0x0, tensor<4xi32>, "key">) -> (<transient, 0x240, tensor<2x4x6xf32>>)
      }
    }
    ```
  }];
  let arguments = (ins I64Attr:$number, FlatSymbolRefAttr:$kernel, Step_BuffersAttr:$inputs, Step_BuffersAttr:$outputs,
                       DenseI32ArrayAttr:$immediates, I64Attr:$flops, Tx_ScopeAttr:$scope,
                       OptionalAttr<DenseI64ArrayAttr>:$waits,
                       OptionalAttr<Step_AttentionAttr>:$attention, OptionalAttr<Step_BufferAttr>:$scratch);
  let extraClassDeclaration = [{
    /// Those of the kernel: inputs, then outputs.
    ::llvm::SmallVector<BufferAttr> getKernelBuffers();
    /// Those of the kernel, then scratch.
    ::llvm::SmallVector<BufferAttr> getAllBuffers();
    bool writesBuffer(unsigned index) { return index >= getInputs().size(); }
  }];
}

def Step_GemmOp : Step_LaunchLike<"gemm"> {
  let summary = "C = alpha op(A) op(B) + beta C, batched, by the library";
  let description = [{
    The fields are those of txrt_gemm_launch. What the library reads stands before the arrow, what it writes behind it;
    `c` is read too where beta is not 0 and `reset`, if there is one, holds 0. With `transpose_a` A is given as k x m,
    with `transpose_b` B as n x k. Each matrix has its leading dimension (`lda`, in elements) and, in a batch, the
    distances of its matrices by the outer and by the inner index (`strides`). With `repeat` r, r inner indices in a row
    have one matrix: index i has that of stride i / r.

    The product may add a `bias` to each row of C, or write the sums of op(A) (`sums_a`) or of op(B) (`sums_b`) over k.
    `scratch` is for the library alone.

    ```mlir
    step.program @step arena(persistent 256, argument 192, saved 0, transient 512) {
      step.entry @f () -> () {
        step.gemm 0 in <layer 0, "mlp.fc1"> m 8 n 8 k 6 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x4x6xf32>> lda 6, b <persistent, 0x0, tensor<6x8xf32>> ldb 8) -> (c <transient, 0x0, tensor<2x4x8xf32>> ldc 8)
        step.gemm 1 in <layer 0, "mlp.fc1"> m 8 n 8 k 6 alpha 1.0 beta 0.0 (a <argument, 0x0, tensor<2x4x6xf32>> lda 6, b <persistent, 0x0, tensor<6x8xf32>> ldb 8, bias <persistent, 0xc0, tensor<8xf32>>) -> (c <transient, 0x0, tensor<2x4x8xf32>> ldc 8, scratch <transient, 0x100, tensor<256xi8>>)
        step.gemm 2 in <layer 0, "core_attn"> m 4 n 4 k 3 transpose_b batch 2 x 2 alpha 0.5 beta 0.0 (a <argument, 0x0, tensor<2x4x6xf32>> lda 6 strides [24, 3], b <transient, 0x0, tensor<2x4x6xf32>> ldb 6 strides [24, 3]) -> (c <transient, 0xc0, tensor<2x2x4x4xf32>> ldc 4 strides [32, 16])
        step.gemm 3 in <layer 0, "core_attn"> m 4 n 4 k 3 transpose_b batch 2 x 2 alpha 0.5 beta 0.0 (a <argument, 0x0, tensor<2x4x6xf32>> lda 6 strides [24, 3], b <transient, 0x0, tensor<2x4x3xf32>> ldb 3 strides [12, 3] repeat 2) -> (c <transient, 0xc0, tensor<2x2x4x4xf32>> ldc 4 strides [32, 16])
      }
    }
    ```
  }];
  let arguments = (ins I64Attr:$number, I64Attr:$m, I64Attr:$n, I64Attr:$k,
                       UnitAttr:$transpose_a, UnitAttr:$transpose_b,
                       I64Attr:$batch0, I64Attr:$batch1, F64Attr:$alpha, F64Attr:$beta,
                       Step_BufferAttr:$a, I64Attr:$lda, DenseI64ArrayAttr:$strides_a,
                       Step_BufferAttr:$b, I64Attr:$ldb, DenseI64ArrayAttr:$strides_b,
                       Step_BufferAttr:$c, I64Attr:$ldc, DenseI64ArrayAttr:$strides_c,
                       DefaultValuedAttr<I64Attr, "1">:$repeat_a, DefaultValuedAttr<I64Attr, "1">:$repeat_b,
                       OptionalAttr<Step_BufferAttr>:$reset, OptionalAttr<Step_BufferAttr>:$bias,
                       OptionalAttr<Step_BufferAttr>:$sums_a, OptionalAttr<Step_BufferAttr>:$sums_b,
                       OptionalAttr<Step_BufferAttr>:$scratch, Tx_ScopeAttr:$scope,
                       OptionalAttr<DenseI64ArrayAttr>:$waits);
  let extraClassDeclaration = [{
    /// The operands that are there, by their roles.
    ::llvm::SmallVector<std::pair<GemmRole, BufferAttr>> getRoles();
    /// Their buffers, in the same order.
    ::llvm::SmallVector<BufferAttr> getAllBuffers();
    bool writesBuffer(unsigned index);
  }];
}

def Step_CollectiveOp : Step_LaunchLike<"collective"> {
  let summary = "what the ranks of a mesh axis do together, by the communication library";
  let description = [{
    It reads the buffer before the arrow and writes the one behind it; an `all_reduce` may write where it reads, and so
    may a `broadcast`. Ranks of the axis are `stride` apart in the mesh. Where a rank's part is spoken of, the operand
    is `outer` blocks that each have one for every rank, or are one of a block of the result. `peer` is the root's place
    on the axis, or how far `send_recv` sends; with `wraps` the last stands before the first. `sent` is the least that a
    rank has to send, in bytes. Here launch 1 sums what launch 0 has written, and launch 2 reads the sum:

    ```mlir
    step.program @step arena(persistent 192, argument 0, saved 0, transient 256) {
      step.entry @f () -> () {
        step.gemm 0 in <backward, layer 0, "mlp.fc1"> m 6 n 8 k 4 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<6x4xf32>> lda 4, b <transient, 0x80, tensor<4x8xf32>> ldb 8) -> (c <persistent, 0x0, tensor<6x8xf32>> ldc 8)
        step.collective 1 all_reduce in <backward, layer 0, "mlp.fc1"> waits [0] axis "dp" ranks 4 sent 288 (<persistent, 0x0, tensor<6x8xf32>>) -> (<persistent, 0x0, tensor<6x8xf32>>)
        step.gemm 2 in <layer 0, "mlp.fc1"> waits [1] m 4 n 8 k 6 alpha 1.0 beta 0.0 (a <transient, 0x0, tensor<4x6xf32>> lda 6, b <persistent, 0x0, tensor<6x8xf32>> ldb 8) -> (c <transient, 0x80, tensor<4x8xf32>> ldc 8)
      }
    }
    ```
  }];
  let arguments = (ins I64Attr:$number, Tx_CollectiveKind:$kind, StrAttr:$axis, I64Attr:$ranks,
                       DefaultValuedAttr<I64Attr, "1">:$stride, DefaultValuedAttr<I64Attr, "1">:$outer,
                       DefaultValuedAttr<I64Attr, "0">:$peer, UnitAttr:$wraps, I64Attr:$sent, Step_BufferAttr:$from,
                       Step_BufferAttr:$to, Tx_ScopeAttr:$scope, OptionalAttr<DenseI64ArrayAttr>:$waits);
  let extraClassDeclaration = [{
    ::llvm::SmallVector<BufferAttr> getAllBuffers() { return {getFrom(), getTo()}; }
    bool writesBuffer(unsigned index) { return index == 1; }
    Lane getLane() { return Lane::Collectives; }
  }];
  let hasCustomAssemblyFormat = 0;
  let assemblyFormat = [{
    $number $kind `in` $scope (`waits` $waits^)? `axis` $axis `ranks` $ranks (`stride` $stride^)? (`outer` $outer^)?
    (`peer` $peer^)? (`wraps` $wraps^)? `sent` $sent ` ` `(` $from `)` `->` `(` $to `)` attr-dict
  }];
}

#endif // STEP_OPS_TD
