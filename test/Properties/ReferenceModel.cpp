#include "ReferenceModel.h"

#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Frontend/CompileOptions.h"
#include "tx/Frontend/ModelBuilder.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Parser/Parser.h"

#include <cmath>

using namespace txtest;

ReferenceModel::ReferenceModel(const Flags &flags) {
  std::vector<llvm::StringRef> arguments(flags.begin(), flags.end());
  tx::CompileOptions options = llvm::cantFail(tx::parseCommandLine(arguments));
  batch = options.model.microBatchSize;
  sequence = options.model.seqLength;
  isNarrow = options.model.dtype == tx::DType::BF16;
  model.emplace(context, tx::buildModel(context, options.model));
}

ReferenceModel::ReferenceModel(const tx::GeneratedModel &generated)
    : batch(generated.batch), sequence(generated.sequence), isNarrow(false) {
  context.loadDialect<tx::TxDialect, mlir::func::FuncDialect>();
  model.emplace(context, mlir::parseSourceString<mlir::ModuleOp>(generated.text, &context));
}

template <typename T>
static tx::Tensor tensorOf(const RunResult &run, const std::string &name, llvm::ArrayRef<int64_t> shape) {
  std::vector<T> values = run.list<T>(name);
  return {llvm::SmallVector<int64_t, 4>(shape), std::vector<double>(values.begin(), values.end())};
}

static double distance(const std::vector<float> &found, const std::vector<double> &expected) {
  if (found.size() != expected.size())
    return INFINITY;
  double sum = 0;
  for (size_t i = 0; i < found.size(); ++i)
    sum += std::pow(found[i] - expected[i], 2);
  return std::sqrt(sum);
}

static double normOf(const std::vector<double> &values) {
  double sum = 0;
  for (double value : values)
    sum += value * value;
  return std::sqrt(sum);
}

std::string ReferenceModel::firstDifference(const RunResult &run) {
  for (int iteration = 1; iteration <= 2; ++iteration)
    if (std::string name = compareIteration(run, iteration); !name.empty())
      return name;
  return "";
}

std::string ReferenceModel::compareIteration(const RunResult &run, int iteration) {
  std::string prefix = std::to_string(iteration) + ".";
  std::string before = std::to_string(iteration - 1) + ".";
  tx::State &state = model->getState();
  for (const std::string &name : model->getParameters()) {
    std::vector<float> values = run.floats(before + name);
    state[name].values.assign(values.begin(), values.end());
  }
  for (int microbatch = 0; microbatch < 2; ++microbatch) {
    std::string name = prefix + std::to_string(microbatch) + ".";
    tx::Batch input{tensorOf<int32_t>(run, name + "tokens", {batch, sequence}),
                    tensorOf<int32_t>(run, name + "targets", {batch, sequence}),
                    tensorOf<uint32_t>(run, name + "key", {4})};
    auto result = model->runMicrobatch(input, lossScaleOf(batch, sequence),
                                       /*first=*/microbatch == 0);
    if (!result)
      return name + "parameters"; // of another model, or no numbers
    double error = run.scalar(name + "loss_sum") - result->lossSum;
    if (!(std::abs(error) <= lossBound() * result->lossSum))
      return name + "loss_sum";
    if (run.scalar(name + "valid_count") != result->validCount)
      return name + "valid_count";
  }
  double norm = 0;
  for (const std::string &name : model->getParameters())
    norm = std::hypot(norm, normOf(state[name + ".grad"].values));
  for (const std::string &name : model->getParameters()) {
    const std::vector<double> &expected = state[name + ".grad"].values;
    std::vector<float> found = run.list<float>(prefix + name + ".grad");
    // Some gradients are nothing but rounding: that of the keys' bias.
    double bound = gradientBound() * normOf(expected) + noise() * norm;
    if (!(distance(found, expected) <= bound))
      return prefix + name + ".grad";
  }
  return "";
}
