//===- Targets.h - What a step is compiled for ----------------------------------------------------------*- C++ -*-===//
//
// --target chooses one of the backends that the compiler knows:
//
//   llvm::Expected<std::unique_ptr<Target>> target = createTarget(options);
//   FailureOr<TargetCode> code = (*target)->compileKernels(program);
//
// A new backend is a subclass of Target in a file of its own, and a line in the list of Targets.cpp.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_PIPELINE_TARGETS_H
#define TX_LIB_PIPELINE_TARGETS_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Plan/Device.h"
#include "tx/Target/TargetCode.h"

#include "mlir/Support/LLVM.h"

#include <memory>

namespace mlir {
class OpPassManager;
} // namespace mlir

namespace tx {
namespace step {
class ProgramOp;
} // namespace step

class Target {
public:
  virtual ~Target() = default;

  /// The preset that stands for the machines of this target where --device names none.
  virtual llvm::StringRef getUsualDevice() const = 0;
  /// Adds the passes that give ops the forms that the target's libraries and kernels have. They run before anything is
  /// decided about recomputation.
  virtual void addFormPasses(mlir::OpPassManager &manager) const {}
  /// Adds the passes that say what belongs to a library's product. They run right before fusion, and once before
  /// anything is decided about recomputation.
  virtual void addFusionPasses(mlir::OpPassManager &manager) const {}
  /// Adds the passes that say which kernels a library computes instead, and how many bytes of scratch each of its calls
  /// gets. They run after fusion and before placement; and once before anything is decided about recomputation.
  virtual void addLibraryPasses(mlir::OpPassManager &manager) const {}
  /// Adds the passes that take away again what fusion and library passes have said of ops that are in no kernels yet.
  virtual void addForgettingPasses(mlir::OpPassManager &manager) const {}
  /// The code of a program's kernels. Diagnostics say why it fails.
  virtual mlir::FailureOr<TargetCode> compileKernels(step::ProgramOp program) const = 0;
};

/// Makes the target that --target names, with its options. An error says which values would work.
llvm::Expected<std::unique_ptr<Target>> createTarget(const CompileOptions &options);

/// The machine that --device names, else the usual one of the target.
llvm::Expected<plan::Device> findDevice(const CompileOptions &options);

/// The functions in the list of targets. `suffix` is the text after the colon of --target, such as sm_90 in cuda:sm_90.
llvm::Expected<std::unique_ptr<Target>> createHostTarget(const CompileOptions &options, llvm::StringRef suffix);
llvm::Expected<std::unique_ptr<Target>> createCudaTarget(const CompileOptions &options, llvm::StringRef suffix);

} // namespace tx

#endif // TX_LIB_PIPELINE_TARGETS_H
