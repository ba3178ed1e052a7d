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

// The same of txrt_epilogue.
def Step_Epilogue : I32EnumAttr<"Epilogue", "what a product does besides, in the same pass", [
  I32EnumAttrCase<"Bias", 1, "bias">,
  I32EnumAttrCase<"SumsA", 2, "sums_a">,
  I32EnumAttrCase<"SumsB", 3, "sums_b">]> {
  let cppNamespace = "::tx::step";
  let genSpecializedAttr = 0;
}

#endif // STEP_ENUMS_TD
