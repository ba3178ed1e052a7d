//===- StepInterfaces.td - What the launches of an entry have in common ----------------------------*- tablegen -*-===//

#ifndef STEP_INTERFACES_TD
#define STEP_INTERFACES_TD

include "mlir/IR/OpBase.td"

def Step_LaunchOpInterface : OpInterface<"LaunchOpInterface"> {
  let cppNamespace = "::tx::step";
  let description = [{
    An op of an entry: a kernel's launch, a product, a collective. Its number is its place among all launches of the
    program, entry by entry: its index in the artifact's table. A dry run, a trace and the runtime's messages call the
    launch by this number.
  }];
  let methods = [
    InterfaceMethod<"The launch's number.", "::mlir::IntegerAttr", "getNumberAttr">,
    InterfaceMethod<"Gives the launch its number.", "void", "setNumberAttr", (ins "::mlir::IntegerAttr":$number)>,
    InterfaceMethod<"All buffers, in the order that the artifact's table has them.",
                    "::llvm::SmallVector<::tx::step::BufferAttr>", "getAllBuffers">,
  ];
}

#endif // STEP_INTERFACES_TD
