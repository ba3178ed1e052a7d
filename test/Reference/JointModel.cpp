//===- JointModel.cpp - A differentiated model on the reference ---------------------------------------------------===//

#include "JointModel.h"

#include "tx/Autodiff/Passes.h"
#include "tx/Dialect/Tx/IR/TxOps.h"

#include "mlir/Pass/PassManager.h"

#include <cmath>
#include <random>

using namespace mlir;
using namespace tx;

Batch tx::makeBatch(int64_t batch, int64_t sequence, int64_t vocabulary, uint64_t seed) {
  std::mt19937_64 random(seed);
  Batch result{Tensor::zeros({batch, sequence}), Tensor::zeros({batch, sequence})};
  for (size_t i = 0; i < result.tokens.values.size(); ++i) {
    result.tokens.values[i] = random() % vocabulary;
    result.targets.values[i] = i % 5 == 4 ? -100 : static_cast<double>(random() % vocabulary);
  }
  return result;
}

JointModel::JointModel(MLIRContext &context, OwningOpRef<ModuleOp> source) : module(std::move(source)), valid(false) {
  if (!module)
    return;
  PassManager passes(&context);
  passes.addPass(createTxAutodiffPass());
  passes.addPass(createTxVerifyJointPass());
  valid = succeeded(passes.run(*module));
  state = createState(*module, /*seed=*/0);
}

std::vector<std::string> JointModel::getParameters() {
  std::vector<std::string> names;
  for (auto global : module->getOps<GlobalOp>())
    if (global.getRole() == GlobalRole::Parameter)
      names.push_back(global.getSymName().str());
  return names;
}

void JointModel::fillParameters(uint64_t seed, double spread) {
  std::mt19937_64 random(seed);
  std::normal_distribution<double> normal(0, spread);
  for (auto global : module->getOps<GlobalOp>())
    if (global.getRole() == GlobalRole::Parameter)
      for (double &value : state[global.getSymName().str()].values)
        value = (global.getInit() == InitKind::Ones ? 1 : 0) + normal(random);
}

void JointModel::fillGradients(double value) {
  for (const std::string &name : getParameters())
    state[name + ".grad"].values.assign(state[name].values.size(), value);
}

std::optional<MicrobatchResult> JointModel::run(StringRef name, ArrayRef<Tensor> arguments) {
  auto results = interpret(getFunction(name), arguments, state);
  if (failed(results))
    return std::nullopt;
  return MicrobatchResult{(*results)[0].values[0], (*results)[1].values[0]};
}

std::optional<MicrobatchResult> JointModel::runLoss(const Batch &batch) {
  return run("loss", {batch.tokens, batch.targets, batch.key});
}

std::optional<MicrobatchResult> JointModel::runMicrobatch(const Batch &batch, double lossScale, bool first) {
  return run("microbatch", {batch.tokens, batch.targets, batch.key, Tensor::scalar(lossScale), Tensor::scalar(first)});
}

GradientError tx::compareWithDifferences(JointModel &model, const Batch &batch) {
  constexpr double kScale = 0.75; // not 1: the gradient has to be multiplied by it
  constexpr double kStep = 1e-5;  // truncation about 1e-10, rounding about 1e-11
  GradientError worst;
  worst.error = INFINITY;
  model.fillGradients(1e3);
  if (!model.runMicrobatch(batch, kScale))
    return worst;
  worst.error = 0;
  State &state = model.getState();
  for (const std::string &name : model.getParameters()) {
    std::vector<double> &values = state[name].values;
    const std::vector<double> gradient = state[name + ".grad"].values;
    for (size_t i = 0; i < values.size(); ++i) {
      double center = values[i];
      auto lossAt = [&](double value) {
        values[i] = value;
        return model.runLoss(batch)->lossSum;
      };
      double difference = kScale * (lossAt(center + kStep) - lossAt(center - kStep)) / (2 * kStep);
      values[i] = center;
      double error = std::abs(gradient[i] - difference) / (1 + std::abs(difference));
      worst.norm = std::hypot(worst.norm, gradient[i]);
      if (!(error <= worst.error)) {
        worst.error = error;
        worst.place = name + "[" + std::to_string(i) + "]: gradient " + std::to_string(gradient[i]) +
                      ", central difference " + std::to_string(difference);
      }
    }
  }
  return worst;
}
