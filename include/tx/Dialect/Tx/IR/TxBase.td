//===- TxBase.td - The dialect, its attributes, its op classes -------------------------------------*- tablegen -*-===//

#ifndef TX_BASE_TD
#define TX_BASE_TD

include "mlir/IR/OpBase.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/IR/SymbolInterfaces.td"
include "tx/Dialect/Tx/IR/TxAttrEnums.td"
include "tx/Dialect/Tx/IR/TxInterfaces.td"

def Tx_Dialect : Dialect {
  let name = "tx";
  let cppNamespace = "::tx";
  let summary = "Layers of a transformer's training step";
  let description = [{
    Ops on ranked static tensors, all of them pure: randomness, statistics and state are operands and results, so a
    clone of an op is its exact recomputation. State is named (`tx.global`), loaded once at entry and stored once at
    exit.

    Shapes in the docs: `b` microbatch, `s` sequence, `h` hidden, `a` heads, `f` feed-forward width, `v` vocabulary.
  }];
  let useDefaultAttributePrinterParser = 1;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Attributes
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_ScopeAttr : AttrDef<Tx_Dialect, "Scope"> {
  let mnemonic = "scope";
  let summary = "where an op belongs: segment, layer, module path";
  let description = [{
    The segment is left out when it is `forward`, the layer when the op is outside of the layers. The path's components
    name the modules that the op is part of, the outermost first.

    ```mlir
    <"embedding">
    <layer 3, "mlp.mlp_act">
    <backward, layer 3, "mlp.fc1">
    ```
  }];
  let parameters = (ins "::tx::Segment":$segment,
                        DefaultValuedParameter<"int32_t", "-1">:$layer,
                        StringRefParameter<"module path">:$path);
  let hasCustomAssemblyFormat = 1;
  let extraClassDeclaration = [{
    /// The same place in another segment.
    ScopeAttr in(::tx::Segment segment) const;
    /// Whether the path has a component with this module's name.
    bool isInside(::tx::RecomputeModule module) const;
    bool isInLayer() const { return getLayer() >= 0; }
    /// Identifies the site to the random number generator: a hash of layer and path, the same in every segment.
    uint32_t getSiteHash() const;
    /// For people: `layer 3 mlp.fc1`.
    std::string str() const;
  }];
}

def Tx_IdsAttr : AttrDef<Tx_Dialect, "Ids"> {
  let mnemonic = "ids";
  let summary = "which ids an argument may hold";
  let description = [{
    Ids in [0, below), or any if it is left out; and `ignored`, which is no id.

    ```mlir
    #tx.ids<below = 7>
    #tx.ids<below = 7, ignored = -100>
    ```
  }];
  let parameters = (ins OptionalParameter<"std::optional<int64_t>">:$below,
                        OptionalParameter<"std::optional<int64_t>">:$ignored);
  let assemblyFormat = "`<` struct(params) `>`";
}

//===--------------------------------------------------------------------------------------------------------------===//
// Types
//===--------------------------------------------------------------------------------------------------------------===//

def Tx_FloatTensor : StaticShapeTensorOf<[F32, BF16, F64]>;
def Tx_F32Tensor : StaticShapeTensorOf<[F32, F64]>; // f64 on the reference only
def Tx_I32Tensor : StaticShapeTensorOf<[I32]>;
def Tx_AnyTensor : StaticShapeTensorOf<[F32, BF16, F64, I32, I1]>;
def Tx_Bit : 0DTensorOf<[I1]>;

//===--------------------------------------------------------------------------------------------------------------===//
// Op classes
//===--------------------------------------------------------------------------------------------------------------===//

// No tensor of the op has more elements than an address can reach.
def Tx_BoundedShapes : NativeOpTrait<"BoundedShapes"> {
  let cppNamespace = "::tx";
}

class Tx_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tx_Dialect, mnemonic, !listconcat([Tx_BoundedShapes], traits)>;

defvar Tx_Never = DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getReplayKind"]>;
defvar Tx_Exact = DeclareOpInterfaceMethods<Tx_RecomputeOpInterface>;
defvar Tx_Keyed = DeclareOpInterfaceMethods<Tx_RecomputeOpInterface, ["getReplayKind", "getReplayKey"]>;
defvar Tx_KeyedGrad = DeclareOpInterfaceMethods<Tx_RecomputeOpInterface,
                                                ["getReplayKind", "getReplayKey", "getForwardName"]>;
defvar Tx_MatrixCost = DeclareOpInterfaceMethods<Tx_CostOpInterface, ["getMatrixFlops", "getVectorFlops"]>;
defvar Tx_GradientCost = DeclareOpInterfaceMethods<Tx_CostOpInterface,
                                                   ["getMatrixFlops", "getGradientFlops", "getVectorFlops"]>;
// One FLOP for each element of the results.
defvar Tx_ElementCost = DeclareOpInterfaceMethods<Tx_CostOpInterface>;
defvar Tx_VectorCost = DeclareOpInterfaceMethods<Tx_CostOpInterface, ["getVectorFlops"]>;
defvar Tx_Differentiable = DeclareOpInterfaceMethods<Tx_DifferentiableOpInterface>;
defvar Tx_EvaluatedAs = DeclareOpInterfaceMethods<Tx_EvaluationOpInterface, ["getEvaluationValue"]>;
defvar Tx_RandomInTraining = DeclareOpInterfaceMethods<Tx_EvaluationOpInterface, ["removeRandomness"]>;
defvar Tx_Predicting = DeclareOpInterfaceMethods<Tx_EvaluationOpInterface,
                                                 ["getPrediction", "getPredictedSamples", "buildPrediction"]>;
defvar Tx_PredictingInside = DeclareOpInterfaceMethods<Tx_EvaluationOpInterface,
                                                       ["getPredictedSamples", "buildPrediction"]>;
defvar Tx_Kernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface>;
defvar Tx_InPlaceKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface, ["getInPlaceOperands"]>;
defvar Tx_TableKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface, ["readsOtherRows"]>;
defvar Tx_InPlaceTableKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface,
                                                         ["getInPlaceOperands", "readsOtherRows"]>;
defvar Tx_ReducingKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface,
                                                     ["getInPlaceOperands", "getReductionPasses"]>;
defvar Tx_SharingKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface, ["getInPlaceOperands", "getSharedOperand"]>;
defvar Tx_Scattering = DeclareOpInterfaceMethods<Tx_ScatteringOpInterface>;
defvar Tx_Expandable = DeclareOpInterfaceMethods<Tx_ExpandableOpInterface>;
defvar Tx_IdReading = DeclareOpInterfaceMethods<Tx_IdReadingOpInterface>;
defvar Tx_PartialSums = DeclareOpInterfaceMethods<Tx_PartialSumsOpInterface>;
defvar Tx_Gemm = DeclareOpInterfaceMethods<Tx_GemmOpInterface>;
defvar Tx_SummingGemm = DeclareOpInterfaceMethods<Tx_GemmOpInterface, ["buildWithSums"]>;
defvar Tx_RowSum = DeclareOpInterfaceMethods<Tx_RowSumOpInterface>;
defvar Tx_Attention = DeclareOpInterfaceMethods<Tx_AttentionOpInterface>;
defvar Tx_View = DeclareOpInterfaceMethods<Tx_ViewOpInterface>;
defvar Tx_RunsView = DeclareOpInterfaceMethods<Tx_ViewOpInterface, ["hasRuns"]>;
defvar Tx_StateView = DeclareOpInterfaceMethods<Tx_ViewOpInterface, ["hasRuns", "packsState"]>;
defvar Tx_ContiguousKernel = DeclareOpInterfaceMethods<Tx_KernelOpInterface, ["takesColumns"]>;
defvar Tx_Accumulating = DeclareOpInterfaceMethods<Tx_AccumulatingOpInterface>;
defvar Tx_Resettable = DeclareOpInterfaceMethods<Tx_AccumulatingOpInterface, ["getResetValue"]>;
defvar Tx_Inferred = InferTypeOpAdaptor;

// A pure op with a place in the model. `args` come before the scope.
class Tx_ComputeOp<string mnemonic, dag args, list<Trait> traits = []>
    : Tx_Op<mnemonic, !listconcat([Pure, Tx_ScopedOpInterface], traits)> {
  let arguments = !con(args, (ins Tx_ScopeAttr:$scope));
  let hasVerifier = 1;
}

#endif // TX_BASE_TD
