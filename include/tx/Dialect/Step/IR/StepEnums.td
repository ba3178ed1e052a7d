//===- StepEnums.td - The arena, library calls -----------------------------------------------------*- tablegen -*-===//

#ifndef STEP_ENUMS_TD
#define STEP_ENUMS_TD

include "mlir/IR/EnumAttr.td"

// Numbers and names are those of txrt_segment in runtime/include/txrt/abi.h; lib/Target/AbiEnums.h holds them to it.
def Step_Segment : I32EnumAttr<"ArenaSegment", "a part of the arena", [
  I32EnumAttrCase<"Persistent", 0, "persistent">,
  I32EnumAttrCase<"Argument", 1, "argument">,
  I32EnumAttrCase<"Saved", 2, "saved">,
  I32EnumAttrCase<"Transient", 3, "transient">]> {
  let cppNamespace = "::tx::step";
  let genSpecializedAttr = 0;
}

// The same of txrt_gemm_operand.
def Step_GemmRole : I32EnumAttr<"GemmRole", "what a buffer is to a product", [
  I32EnumAttrCase<"A", 0, "a">,
  I32EnumAttrCase<"B", 1, "b">,
  I32EnumAttrCase<"C", 2, "c">,
  I32EnumAttrCase<"Reset", 3, "reset">,
  I32EnumAttrCase<"Bias", 4, "bias">,
  I32EnumAttrCase<"SumsA", 5, "sums_a">,
  I32EnumAttrCase<"SumsB", 6, "sums_b">,
  I32EnumAttrCase<"Scratch", 7, "scratch">,
  I32EnumAttrCase<"ScaleA", 8, "scale_a">,
  I32EnumAttrCase<"ScaleB", 9, "scale_b">,
  I32EnumAttrCase<"ScaleC", 10, "scale_c">,
  I32EnumAttrCase<"AmaxC", 11, "amax_c">,
  I32EnumAttrCase<"GroupOffsets", 12, "group_offsets">]> {
  let cppNamespace = "::tx::step";
  let genSpecializedAttr = 0;
}

#endif // STEP_ENUMS_TD
