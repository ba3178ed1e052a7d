//===- TxInterfaces.td - What a pass may ask of an op ----------------------------------------------*- tablegen -*-===//
//
// Passes know these interfaces, not op names. A pass that wants to ask `isa<tx::SomeOp>` is asking the op to grow a
// method here.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_INTERFACES_TD
#define TX_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Tx_ScopedOpInterface : OpInterface<"ScopedOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    Says where an op belongs: segment, layer and module path. Policies and reports derive from it; kernels that differ
    only in it are equal.
  }];
  let methods = [
    InterfaceMethod<"Where the op belongs.", "::tx::ScopeAttr", "getScope">,
    InterfaceMethod<"Moves the op elsewhere.", "void", "setScopeAttr",
                    (ins "::tx::ScopeAttr":$scope)>,
    InterfaceMethod<"What a report calls a result, after the op's place; empty for the op's main result.",
                    "::llvm::StringRef", "getResultLabel", (ins "unsigned":$number), "", [{ return ""; }]>,
  ];
}

def Tx_DifferentiableOpInterface : OpInterface<"DifferentiableOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    Builds the op's backward. The op reads the gradients of its results from the context and gives the gradients of its
    operands back; what it uses of forward values it uses as plain SSA operands, and these uses are what a step has to
    keep or to recompute. A parameter's gradient is not a value but an accumulator: see BackwardContext::accumulate.
    Fails, with an error on the op, for a form that has no gradient.
  }];
  let methods = [
    InterfaceMethod<"Builds the backward ops.", "::llvm::LogicalResult", "buildBackward",
                    (ins "::mlir::OpBuilder &":$builder,
                         "::tx::BackwardContext &":$context)>,
  ];
}

def Tx_EvaluationOpInterface : OpInterface<"EvaluationOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    What is particular about an op when a model is evaluated instead of trained.
  }];
  let methods = [
    InterfaceMethod<"What takes the place of the op's result in evaluation (dropout: its input), or null.",
                    "::mlir::Value", "getEvaluationValue", (ins), "",
                    [{ return ::mlir::Value(); }]>,
    InterfaceMethod<"Takes randomness out of an op that stays in evaluation.", "void", "removeRandomness", (ins), "",
                    [{ return; }]>,
    InterfaceMethod<"What a loss compares with the targets, where it is a value: the logits. Null if the op is no loss "
                    "or keeps them to itself.",
                    "::mlir::Value", "getPrediction", (ins), "",
                    [{ return ::mlir::Value(); }]>,
    InterfaceMethod<"The number of samples, if the op is a loss of samples [b,s]; else 0.", "int64_t",
                    "getPredictedSamples", (ins), "", [{ return 0; }]>,
    InterfaceMethod<[{
        For such a loss: builds what it predicts, in f32, for one row of each sample. `rows` [b] has the rows' numbers
        in the sequence.
      }], "::mlir::Value", "buildPrediction",
                    (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$rows), "",
                    [{ return ::mlir::Value(); }]>,
  ];
}

def Tx_CostOpInterface : OpInterface<"CostOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    What an op costs. Matrix FLOPs are those of the papers' formulas (a multiply-add is two); vector FLOPs are those of
    the elementwise work. The bytes of memory that it moves are those of its operands and results.
  }];
  let methods = [
    InterfaceMethod<"FLOPs of matrix products.", "int64_t", "getMatrixFlops",
                    (ins), "", [{ return 0; }]>,
    InterfaceMethod<"How many of these are of products for gradients, which are work of backward wherever they run: a "
                    "forward op may give gradients too.",
                    "int64_t", "getGradientFlops", (ins), "", [{ return 0; }]>,
    InterfaceMethod<"FLOPs of everything else, a rough count: an operation on an element is one.",
                    "int64_t", "getVectorFlops", (ins), "",
                    [{ return ::tx::detail::defaultVectorFlops($_op); }]>,
    InterfaceMethod<"Communication volume: bytes that a rank sends to others if the least are sent.", "int64_t",
                    "getSentBytes", (ins), "", [{ return 0; }]>,
  ];
}

def Tx_RecomputeOpInterface : OpInterface<"RecomputeOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    Whether a clone of the op is its recomputation: `exact` for a pure function of its operands, `keyed` if one of these
    is a random key, `never` for what must happen once.
  }];
  let methods = [
    InterfaceMethod<"How the op replays.", "::tx::ReplayKind", "getReplayKind",
                    (ins), "", [{ return ::tx::ReplayKind::Exact; }]>,
    InterfaceMethod<"The random key of a keyed op, else null.", "::mlir::Value",
                    "getReplayKey", (ins), "", [{ return ::mlir::Value(); }]>,
    InterfaceMethod<"The name of the op in forward that draws the same random numbers, with the same attributes.",
                    "::llvm::StringRef", "getForwardName", (ins), "", [{ return $_op->getName().getStringRef(); }]>,
  ];
}

def Tx_AccumulatingOpInterface : OpInterface<"AccumulatingOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    Destination style: results continue accumulator operands in place. When the optional reset operand (one bit) is
    true, the old content counts as zero.
  }];
  let methods = [
    InterfaceMethod<"(operand number, result number) of each accumulator.",
                    "::llvm::SmallVector<std::pair<unsigned, unsigned>>", "getTies">,
    InterfaceMethod<"The reset bit, or null.", "::mlir::Value", "getResetValue",
                    (ins), "", [{ return ::mlir::Value(); }]>,
  ];
}

def Tx_KernelOpInterface : OpInterface<"KernelOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    The loop nest an op fits into; fusion joins ops of one kind and one space.

    - `row`: independent rows of `cols` elements; a row may be reduced.
    - `column`: independent columns, reduced over rows into accumulators.
    - `flat`: elements in chunks, whatever the shape.
    - `gemm`: a library call; see GemmOpInterface.
    - `view`: no code; a result is a part of an operand or the reverse.
    - `tile`: `rows` tiles of results, of about `cols` element operations each,
      with loops of the op's own: it shares a kernel with no other.
  }];
  let methods = [
    InterfaceMethod<"The kind.", "::tx::KernelKind", "getKernelKind">,
    InterfaceMethod<"(rows, columns) of the loop nest.",
                    "std::pair<int64_t, int64_t>", "getKernelSpace">,
    InterfaceMethod<"Operands that are read element by element, where a result is written: it may take their place.",
                    "::llvm::SmallVector<unsigned>", "getInPlaceOperands",
                    (ins), "", [{ return {}; }]>,
    InterfaceMethod<[{
        Whether the elements of an operand are read. One that is not gives its place in memory alone: a result that is
        tied to it is written there.
      }], "bool", "readsOperand", (ins "unsigned":$operand), "", [{ return true; }]>,
    InterfaceMethod<[{
        Whether a row of the result is made of other rows of an operand than the kernel's row: rows of a table. The op
        that computes the operand then has a kernel of its own.
      }], "bool", "readsOtherRows", (ins "unsigned":$operand), "", [{ return false; }]>,
    InterfaceMethod<"Whether an operand may be columns of a wider tensor, whose rows lie apart.", "bool",
                    "takesColumns", (ins "unsigned":$operand), "",
                    [{ return ::tx::detail::mayBeColumns($_op, $_op->getOperand(operand)); }]>,
    InterfaceMethod<"Whether a result may be written as columns of a wider tensor.", "bool", "givesColumns",
                    (ins "unsigned":$result), "",
                    [{ return ::tx::detail::mayBeColumns($_op, $_op->getResult(result)); }]>,
    InterfaceMethod<[{
        Passes over the row that must end before the results can be written: one for each reduction that waits for
        another.
      }], "unsigned", "getReductionPasses", (ins), "", [{ return 0; }]>,
    InterfaceMethod<[{
        An operand whose other readers are best in one kernel with the op, though neither takes a result of the other:
        it is read once for all of them. Or null.
      }], "::mlir::Value", "getSharedOperand", (ins), "", [{ return ::mlir::Value(); }]>,
  ];
}

def Tx_IdReadingOpInterface : OpInterface<"IdReadingOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that takes numbers of rows or classes (token ids) and would read outside of a tensor if one were out of range.
    The bounds of a function's arguments derive from its ops: who calls the function checks them.
  }];
  let methods = [
    InterfaceMethod<"Which ids an operand may hold; none if it holds no ids.", "::std::optional<::tx::IdRange>",
                    "getIdRange", (ins "unsigned":$operand)>,
  ];
}

def Tx_ScatteringOpInterface : OpInterface<"ScatteringOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    A column op that adds each row of a tensor to one of several rows of an accumulator: to the row that an id names, or
    to one that follows from the row's place. Loops for such sums are not those for the sum of all rows.
  }];
  let methods = [
    InterfaceMethod<"The ids: one for each row of the kernel's space. Null: row r goes to row r modulo the number of "
                    "rows that get any.", "::mlir::Value", "getScatterIds">,
    InterfaceMethod<"The number of rows that rows are added to.", "int64_t", "getScatterRows">,
    InterfaceMethod<"The rows that are added.", "::mlir::Value", "getScatteredRows">,
  ];
}

def Tx_ExpandableOpInterface : OpInterface<"ExpandableOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that is no kernel: tx-expand-ops puts several ops in its place, which are.
  }];
  let methods = [
    InterfaceMethod<"Builds these ops; returns what takes the place of the results.",
                    "::llvm::SmallVector<::mlir::Value>", "expand", (ins "::mlir::OpBuilder &":$builder)>,
  ];
}

def Tx_PartialSumsOpInterface : OpInterface<"PartialSumsOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    Sums over rows, into accumulators, of rows that other ops read too. Such sums can be had in parts: a kernel of rows
    that reads them anyway sums some rows in each of its places, and a second op adds the parts to the accumulators.
  }];
  let methods = [
    InterfaceMethod<"The operand with the rows.", "::mlir::Value", "getSummedRows">,
    InterfaceMethod<"Builds the two ops; returns what takes the place of the results.",
                    "::llvm::SmallVector<::mlir::Value>", "buildInParts",
                    (ins "::mlir::OpBuilder &":$builder, "int64_t":$parts)>,
  ];
}

def Tx_GemmOpInterface : OpInterface<"GemmOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that is one (batched) matrix product, in the library's terms.
  }];
  let methods = [
    InterfaceMethod<"Sizes, operands, transposes and strides.", "::tx::GemmForm", "getGemmForm">,
    InterfaceMethod<[{
        The op once more, with the sums of `operand` over all its rows as its last result: a library has them at
        hand while it multiplies. Null: not of this operand.
      }], "::mlir::Operation *", "buildWithSums",
                    (ins "::mlir::OpBuilder &":$builder, "::mlir::Value":$operand), "", [{ return nullptr; }]>,
  ];
}

def Tx_RowSumOpInterface : OpInterface<"RowSumOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that adds the sum of all rows of a tensor into an accumulator. The sum of rows that somebody has summed before
    is taken from a tensor of one row.
  }];
  let methods = [
    InterfaceMethod<"The tensor.", "::mlir::OpOperand &", "getSummedOperand">,
  ];
}

def Tx_AttentionOpInterface : OpInterface<"AttentionOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that is core attention, or its gradient, as a whole: a library may compute it in place of a generated kernel.
  }];
  let methods = [
    InterfaceMethod<"Sizes and operands.", "::tx::AttentionForm", "getAttentionForm">,
  ];
}

def Tx_ViewOpInterface : OpInterface<"ViewOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    No code: parts (narrow tensors) are columns of the whole (the wide tensor). Or parts of any shape are runs of
    elements of a whole whose rows follow each other; what lies between them is not the program's. A whole of state is
    found where its parts lie; the parts of any other whole are written in their places.
  }];
  let methods = [
    InterfaceMethod<"The wide value.", "::mlir::Value", "getViewedWhole">,
    InterfaceMethod<"(part, its first column in the whole, or its first element if parts are runs).",
                    "::llvm::SmallVector<std::pair<::mlir::Value, int64_t>>", "getViewedParts">,
    InterfaceMethod<"Whether parts are runs of elements of the whole.", "bool", "hasRuns", (ins), "",
                    [{ return false; }]>,
    InterfaceMethod<"Whether the whole is made of state.", "bool", "packsState", (ins), "", [{ return false; }]>,
  ];
}

def Tx_CollectiveOpInterface : OpInterface<"CollectiveOpInterface"> {
  let cppNamespace = "::tx";
  let description = [{
    An op that the ranks of a mesh axis run together. It becomes one launch on one operand and one result. The dual is
    what DifferentiableOpInterface builds.
  }];
  let methods = [
    InterfaceMethod<"What the ranks do.", "::tx::CollectiveKind", "getCollectiveKind">,
    InterfaceMethod<"How: blocks, root or distance.", "::tx::CollectiveForm", "getCollectiveForm",
                    (ins), "", [{ return {}; }]>,
    InterfaceMethod<"The tx.mesh_axis.", "::mlir::FlatSymbolRefAttr", "getAxisAttr">,
  ];
}

#endif // TX_INTERFACES_TD
