//===- CompileOptions.h - What tx-compile was asked for -------------------------------------------------*- C++ -*-===//
//
// tx-compile's whole command line as data. The pipeline reads no other settings.
//
//   llvm::Expected<CompileOptions> options = parseCommandLine({"gpt2-124m", "-o", "step.txa"});
//   mlir::MLIRContext context;
//   llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> module = loadModel(context, *options);
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_FRONTEND_COMPILEOPTIONS_H
#define TX_FRONTEND_COMPILEOPTIONS_H

#include "tx/Frontend/ModelConfig.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "llvm/ADT/ArrayRef.h"

#include <optional>
#include <string>
#include <vector>

namespace tx {

/// The recompute flags as the user wrote them. Remat decides what they mean, and whether they fit each other and the
/// model.
struct RecomputeOptions {
  std::optional<std::string> granularity, method, numLayers, memoryBudget, planFile, policy;
  std::optional<std::vector<std::string>> modules;  ///< an empty list: the flag was given without a name
  std::optional<std::vector<std::string>> layers;   ///< `0`, `2-5`
  std::optional<std::vector<std::string>> saveOnly; ///< names of values
  bool activations = false;                         ///< --recompute-activations
};

/// AdamW's constants, which are compiled into the step.
struct OptimizerOptions {
  double weightDecay = 0.01, clipGrad = 1.0;
  double adamBeta1 = 0.9, adamBeta2 = 0.999, adamEps = 1e-8;
};

/// How many ranks run the step, and which part of it each rank has.
struct ParallelOptions {
  int64_t dataParallelSize = 1;
};

struct OutputOptions {
  enum class Print { Nothing, Help, MegatronHelp, Families, Markdown, Version };

  std::string compileTo;      ///< --compile-to: the phase to print to stdout; empty: none
  std::string artifactFile;   ///< -o
  std::string reportFile;     ///< --report
  std::string verifyTwinFile; ///< --verify-twin: the file for the same step under policy none
  std::string target = "host";
  std::string planFile;  ///< --write-recompute-plan
  std::string device;    ///< --device: a preset's name or a .json file; empty: the target's usual one
  std::string targetCpu; ///< empty: the CPU of this machine
  std::string ptxas;     ///< path of ptxas; empty: look in the usual places; `none`: emit PTX only
  bool printModelConfig = false;
  bool timing = false;          ///< --timing: print the seconds of each stage
  Print print = Print::Nothing; ///< instead of compiling
};

/// Passes that a person adds, and the plug-ins that have them.
struct PluginOptions {
  std::vector<std::string> files;       ///< --load-pass-plugin
  std::vector<std::string> addedPasses; ///< --add-passes-after: `remat:pipeline`
};

/// What libraries of a GPU may compute besides plain products.
struct LibraryOptions {
  /// Who computes flash attention. auto: cuDNN where it can; fused: cuDNN, or an error; other values: generated
  /// kernels.
  AttentionBackend attention = AttentionBackend::Auto;
  bool deterministicAttention = true; ///< cuDNN's backward adds in one order
  bool biasGradients = true;          ///< cuBLASLt sums them with a weight's
};

struct CompileOptions {
  /// The preset or file that was given; empty if flags describe the whole model.
  std::string input;
  /// `input` is MLIR text (or bytecode, if that was allowed), and `model` is not filled.
  bool inputIsModule = false;
  bool allowBytecode = false;
  ModelConfig model; ///< resolved
  RecomputeOptions recompute;
  OptimizerOptions optimizer;
  ParallelOptions parallel;
  OutputOptions output;
  LibraryOptions libraries;
  PluginOptions plugins;
  /// The given flags that have an effect, in the order in which they were given.
  std::vector<llvm::StringRef> given;
  /// Notes for the user, one line each; for example which flags were ignored.
  std::vector<std::string> notes;
};

/// Parses the arguments after the program's name and reads the config that they name. A module is read later, by
/// `loadModel`.
llvm::Expected<CompileOptions> parseCommandLine(llvm::ArrayRef<llvm::StringRef> arguments);

/// Makes the module that compilation starts from: builds the `model` phase from the config, or parses and verifies the
/// input file.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> loadModel(mlir::MLIRContext &context, const CompileOptions &options);

} // namespace tx

#endif // TX_FRONTEND_COMPILEOPTIONS_H
