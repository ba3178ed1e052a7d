//===- TxEnums.td - Every user-visible name, once --------------------------------------------------*- tablegen -*-===//
//
// Flags, help texts, error messages, parsers and docs are generated from here. Plain enums: planners use them without
// MLIR. Enums that are attributes of ops are in TxAttrEnums.td.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_ENUMS_TD
#define TX_ENUMS_TD

include "mlir/IR/EnumAttr.td"

class Tx_Enum<string name, string summary, list<I32EnumCase> cases>
    : I32Enum<name, summary, cases> {
  let cppNamespace = "::tx";
}

def Tx_Segment : Tx_Enum<"Segment", "the part of a step that an op belongs to", [
  I32EnumCase<"Forward", 0, "forward">,
  I32EnumCase<"Backward", 1, "backward">,
  I32EnumCase<"Recompute", 2, "recompute">,
  I32EnumCase<"Optimizer", 3, "optimizer">]>;

// Numbers and names are those of txrt_lane in runtime/include/txrt/abi.h; lib/Target/AbiEnums.h holds them to it.
// Launches of different lanes may run side by side.
def Tx_Lane : Tx_Enum<"Lane", "what runs launches one after another", [
  I32EnumCase<"Compute", 0, "compute">,
  I32EnumCase<"Copies", 1, "copies">,
  I32EnumCase<"Collectives", 2, "collectives">]>;

def Tx_ReplayKind : Tx_Enum<"ReplayKind", "whether a clone computes the same bits", [
  I32EnumCase<"Exact", 0, "exact">,
  I32EnumCase<"Keyed", 1, "keyed">,
  I32EnumCase<"Never", 2, "never">]>;

// The order is that of Megatron's help text; `qk_norm`, at the end, is ours. A module of which no model part exists
// yet is known, and refused with the reason.
def Tx_RecomputeModule : Tx_Enum<"RecomputeModule", "a part of a layer that `selective` recomputes", [
  I32EnumCase<"CoreAttn", 0, "core_attn">,
  I32EnumCase<"Mlp", 1, "mlp">,
  I32EnumCase<"MlpAct", 2, "mlp_act">,
  I32EnumCase<"Layernorm", 3, "layernorm">,
  I32EnumCase<"Moe", 4, "moe">,
  I32EnumCase<"SharedExperts", 5, "shared_experts">,
  I32EnumCase<"MoeAct", 6, "moe_act">,
  I32EnumCase<"MlaUpProj", 7, "mla_up_proj">,
  I32EnumCase<"GdnNormOut", 8, "gdn_norm_out">,
  I32EnumCase<"GdpInProj", 9, "gdp_in_proj">,
  I32EnumCase<"GdpQkv", 10, "gdp_qkv">,
  I32EnumCase<"Mhc", 11, "mhc">,
  I32EnumCase<"QkNorm", 12, "qk_norm">]>;

def Tx_RecomputeGranularity : Tx_Enum<"RecomputeGranularity", "how much to recompute", [
  I32EnumCase<"None", 0, "none">,
  I32EnumCase<"Selective", 1, "selective">,
  I32EnumCase<"Full", 2, "full">,
  I32EnumCase<"Auto", 3, "auto">]>;

def Tx_RecomputeMethod : Tx_Enum<"RecomputeMethod", "which layers `full` recomputes", [
  I32EnumCase<"None", 0, "none">,
  I32EnumCase<"Uniform", 1, "uniform">,
  I32EnumCase<"Block", 2, "block">]>;

// Megatron's names.
def Tx_AttentionBackend : Tx_Enum<"AttentionBackend", "how core attention is computed", [
  I32EnumCase<"Auto", 0, "auto">,
  I32EnumCase<"Flash", 1, "flash">,
  I32EnumCase<"Fused", 2, "fused">,
  I32EnumCase<"Unfused", 3, "unfused">]>;

// Megatron's names of the forms that a model can have.
def Tx_Normalization : Tx_Enum<"Normalization", "how rows are normalized", [
  I32EnumCase<"LayerNorm", 0, "LayerNorm">,
  I32EnumCase<"RMSNorm", 1, "RMSNorm">]>;

def Tx_PositionEmbedding : Tx_Enum<"PositionEmbedding", "how a model knows the order of tokens", [
  I32EnumCase<"LearnedAbsolute", 0, "learned_absolute">,
  I32EnumCase<"Rope", 1, "rope">,
  I32EnumCase<"None", 2, "none">]>;

def Tx_Activation : Tx_Enum<"Activation", "what is between the products of an MLP", [
  I32EnumCase<"Gelu", 0, "gelu">,
  I32EnumCase<"SwiGlu", 1, "swiglu">]>;

// Hugging Face's names (rope_type).
def Tx_RopeScaling : Tx_Enum<"RopeScaling", "how rotary frequencies are changed for long sequences", [
  I32EnumCase<"Default", 0, "default">,
  I32EnumCase<"Linear", 1, "linear">,
  I32EnumCase<"Dynamic", 2, "dynamic">,
  I32EnumCase<"Llama3", 3, "llama3">,
  I32EnumCase<"Yarn", 4, "yarn">]>;

#endif // TX_ENUMS_TD
