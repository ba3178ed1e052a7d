//===- CompileOptions.h - What tx-compile was asked for -------------------------------------------------*- C++ -*-===//
//
// The whole command line as data; the pipeline reads nothing else.
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

/// The recompute flags as they were written. What they mean, and whether they fit together and the model, is Remat's to
/// say.
struct RecomputeOptions {
  std::optional<std::string> granularity, method, numLayers;
  std::optional<std::vector<std::string>> modules;  ///< empty: given without a name
  std::optional<std::vector<std::string>> layers;   ///< `0`, `2-5`
  std::optional<std::vector<std::string>> saveOnly; ///< names of values
  bool activations = false;                         ///< --recompute-activations
};

/// AdamW's constants; they are compiled into the step.
struct OptimizerOptions {
  double weightDecay = 0.01, clipGrad = 1.0;
  double adamBeta1 = 0.9, adamBeta2 = 0.999, adamEps = 1e-8;
};

/// How many ranks run the step, and what each has of it.
struct ParallelOptions {
  int64_t dataParallelSize = 1;
};

struct OutputOptions {
  enum class Print { Nothing, Help, MegatronHelp, Markdown, Version };

  std::string compileTo;      ///< a phase, printed to stdout; empty: none
  std::string artifactFile;   ///< -o
  std::string reportFile;     ///< --report
  std::string verifyTwinFile; ///< --verify-twin: the same step under policy none
  std::string target = "host";
  std::string targetCpu; ///< empty: this machine's
  std::string ptxas;     ///< empty: where it usually is; none: PTX alone
  bool printModelConfig = false;
  Print print = Print::Nothing; ///< instead of compiling
};

/// What a plug-in, or a person, adds to the passes.
struct PluginOptions {
  std::vector<std::string> files;       ///< --load-pass-plugin
  std::vector<std::string> addedPasses; ///< --add-passes-after: `remat:pipeline`
};

/// What a GPU's libraries may do beside products.
struct LibraryOptions {
  /// auto: cuDNN where it can; fused: cuDNN or nothing; else: never.
  AttentionBackend attention = AttentionBackend::Auto;
  bool deterministicAttention = true; ///< cuDNN's backward adds in one order
  bool biasGradients = true;          ///< cuBLASLt sums them with a weight's
  bool activations = false;           ///< cuBLASLt computes GELU beside a product
};

struct CompileOptions {
  /// The preset or file that was given; empty if flags say everything.
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
  /// The flags with an effect that were given, in their order.
  std::vector<llvm::StringRef> given;
  /// What a person should know, a line each: what was ignored, for example.
  std::vector<std::string> notes;
};

/// Parses the arguments after the program's name and reads the config that they name. A module is read later, by
/// `loadModel`.
llvm::Expected<CompileOptions> parseCommandLine(llvm::ArrayRef<llvm::StringRef> arguments);

/// The `model` phase: built from the config, or parsed and verified.
llvm::Expected<mlir::OwningOpRef<mlir::ModuleOp>> loadModel(mlir::MLIRContext &context, const CompileOptions &options);

} // namespace tx

#endif // TX_FRONTEND_COMPILEOPTIONS_H
