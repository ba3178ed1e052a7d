//===- TxEnums.td - Every user-visible name, once ----------*- tablegen -*-===//
//
// Flags, help texts, error messages, parsers and docs are generated from here.
//
//===----------------------------------------------------------------------===//

#ifndef TX_ENUMS_TD
#define TX_ENUMS_TD

include "mlir/IR/EnumAttr.td"

class Tx_Enum<string name, string summary, list<I32EnumAttrCase> cases>
    : I32EnumAttr<name, summary, cases> {
  let cppNamespace = "::tx";
}

def Tx_Segment : Tx_Enum<"Segment", "the part of a step that an op belongs to", [
  I32EnumAttrCase<"Forward", 0, "forward">,
  I32EnumAttrCase<"Backward", 1, "backward">,
  I32EnumAttrCase<"Recompute", 2, "recompute">,
  I32EnumAttrCase<"Optimizer", 3, "optimizer">]>;

def Tx_ReplayKind : Tx_Enum<"ReplayKind", "whether a clone computes the same bits", [
  I32EnumAttrCase<"Exact", 0, "exact">,
  I32EnumAttrCase<"Keyed", 1, "keyed">,
  I32EnumAttrCase<"Never", 2, "never">]>;

// The order is the order of Megatron's help text. A module of which no model
// part exists yet is known, and refused with the reason.
def Tx_RecomputeModule : Tx_Enum<"RecomputeModule", "a part of a layer that `selective` recomputes", [
  I32EnumAttrCase<"CoreAttn", 0, "core_attn">,
  I32EnumAttrCase<"Mlp", 1, "mlp">,
  I32EnumAttrCase<"MlpAct", 2, "mlp_act">,
  I32EnumAttrCase<"Layernorm", 3, "layernorm">,
  I32EnumAttrCase<"Moe", 4, "moe">,
  I32EnumAttrCase<"SharedExperts", 5, "shared_experts">,
  I32EnumAttrCase<"MoeAct", 6, "moe_act">,
  I32EnumAttrCase<"MlaUpProj", 7, "mla_up_proj">,
  I32EnumAttrCase<"GdnNormOut", 8, "gdn_norm_out">,
  I32EnumAttrCase<"GdpInProj", 9, "gdp_in_proj">,
  I32EnumAttrCase<"GdpQkv", 10, "gdp_qkv">,
  I32EnumAttrCase<"Mhc", 11, "mhc">]>;

def Tx_RecomputeGranularity : Tx_Enum<"RecomputeGranularity", "how much to recompute", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Selective", 1, "selective">,
  I32EnumAttrCase<"Full", 2, "full">]>;

def Tx_RecomputeMethod : Tx_Enum<"RecomputeMethod", "which layers `full` recomputes", [
  I32EnumAttrCase<"None", 0, "none">,
  I32EnumAttrCase<"Uniform", 1, "uniform">,
  I32EnumAttrCase<"Block", 2, "block">]>;

def Tx_GlobalRole : Tx_Enum<"GlobalRole", "what a piece of state is", [
  I32EnumAttrCase<"Parameter", 0, "parameter">,
  I32EnumAttrCase<"Gradient", 1, "gradient">,
  I32EnumAttrCase<"Moment1", 2, "moment1">,
  I32EnumAttrCase<"Moment2", 3, "moment2">,
  I32EnumAttrCase<"Master", 4, "master">]>;

def Tx_InitKind : Tx_Enum<"InitKind", "how a parameter starts", [
  I32EnumAttrCase<"Zeros", 0, "zeros">,
  I32EnumAttrCase<"Ones", 1, "ones">,
  I32EnumAttrCase<"Normal", 2, "normal">]>;

// How an op becomes code; see KernelOpInterface.
def Tx_KernelKind : Tx_Enum<"KernelKind", "the loop nest that an op fits into", [
  I32EnumAttrCase<"Row", 0, "row">,
  I32EnumAttrCase<"Column", 1, "column">,
  I32EnumAttrCase<"Flat", 2, "flat">,
  I32EnumAttrCase<"Gemm", 3, "gemm">,
  I32EnumAttrCase<"View", 4, "view">]>;

#endif // TX_ENUMS_TD
