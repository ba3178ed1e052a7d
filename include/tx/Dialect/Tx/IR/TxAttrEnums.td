//===- TxAttrEnums.td - Enums that are attributes of ops -------------------------------------------*- tablegen -*-===//

#ifndef TX_ATTR_ENUMS_TD
#define TX_ATTR_ENUMS_TD

include "mlir/IR/EnumAttr.td"

class Tx_AttrEnum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::tx";
}

def Tx_GlobalRole : Tx_AttrEnum<"GlobalRole", "what a piece of state is", [
  I32EnumAttrCase<"Parameter", 0, "parameter">,
  I32EnumAttrCase<"Gradient", 1, "gradient">,
  I32EnumAttrCase<"Moment1", 2, "moment1">,
  I32EnumAttrCase<"Moment2", 3, "moment2">,
  I32EnumAttrCase<"Master", 4, "master">]>;

def Tx_InitKind : Tx_AttrEnum<"InitKind", "how a parameter starts", [
  I32EnumAttrCase<"Zeros", 0, "zeros">,
  I32EnumAttrCase<"Ones", 1, "ones">,
  I32EnumAttrCase<"Normal", 2, "normal">]>;

// How an op becomes code; see KernelOpInterface.
def Tx_KernelKind : Tx_AttrEnum<"KernelKind", "the loop nest that an op fits into", [
  I32EnumAttrCase<"Row", 0, "row">,
  I32EnumAttrCase<"Column", 1, "column">,
  I32EnumAttrCase<"Flat", 2, "flat">,
  I32EnumAttrCase<"Gemm", 3, "gemm">,
  I32EnumAttrCase<"View", 4, "view">,
  I32EnumAttrCase<"Tile", 5, "tile">]>;

// Numbers and names are those of txrt_collective in runtime/include/txrt/abi.h; lib/Target/AbiEnums.h holds them to it.
def Tx_CollectiveKind : Tx_AttrEnum<"CollectiveKind", "what ranks do together", [
  I32EnumAttrCase<"AllReduce", 0, "all_reduce">,
  I32EnumAttrCase<"AllGather", 1, "all_gather">,
  I32EnumAttrCase<"ReduceScatter", 2, "reduce_scatter">,
  I32EnumAttrCase<"AllToAll", 3, "all_to_all">,
  I32EnumAttrCase<"Broadcast", 4, "broadcast">,
  I32EnumAttrCase<"Reduce", 5, "reduce">,
  I32EnumAttrCase<"SendRecv", 6, "send_recv">]>;

def Tx_AxisKind : Tx_AttrEnum<"AxisKind", "what the ranks of a mesh axis have parts of", [
  I32EnumAttrCase<"Batch", 0, "batch">,
  I32EnumAttrCase<"Sequence", 1, "sequence">,
  I32EnumAttrCase<"Tensor", 2, "tensor">,
  I32EnumAttrCase<"Expert", 3, "expert">,
  I32EnumAttrCase<"Stage", 4, "stage">]>;

#endif // TX_ATTR_ENUMS_TD
