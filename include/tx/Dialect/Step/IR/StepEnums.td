//===- StepEnums.td - The parts of the arena ---------------*- tablegen -*-===//

#ifndef STEP_ENUMS_TD
#define STEP_ENUMS_TD

include "mlir/IR/EnumAttr.td"

// Values are those of txrt_segment in runtime/include/txrt/abi.h.
def Step_Segment : I32EnumAttr<"ArenaSegment", "a part of the arena", [
  I32EnumAttrCase<"Persistent", 0, "persistent">,
  I32EnumAttrCase<"Argument", 1, "argument">,
  I32EnumAttrCase<"Saved", 2, "saved">,
  I32EnumAttrCase<"Transient", 3, "transient">]> {
  let cppNamespace = "::tx::step";
  let genSpecializedAttr = 0;
}

#endif // STEP_ENUMS_TD
