//===- Targets.cpp - The list of targets --------------------------------------------------------------------------===//

#include "Targets.h"

#include "tx/Support/UserError.h"

using namespace tx;

static constexpr struct {
  llvm::StringLiteral name, form;
  llvm::Expected<std::unique_ptr<Target>> (*create)(const CompileOptions &options, llvm::StringRef suffix);
} kTargets[] = {
    {"host", "host", createHostTarget},
    {"cuda", "cuda:ARCH[,ARCH...]", createCudaTarget},
};

llvm::Expected<std::unique_ptr<Target>> tx::createTarget(const CompileOptions &options) {
  auto [name, suffix] = llvm::StringRef(options.output.target).split(':');
  std::string known;
  for (const auto &target : kTargets) {
    if (name == target.name)
      return target.create(options, suffix);
    known += (known.empty() ? "" : " or ") + target.form.str();
  }
  return badUsage("--target takes " + known + "; found '" + options.output.target + "'");
}

llvm::Expected<plan::Device> tx::findDevice(const CompileOptions &options) {
  llvm::Expected<std::unique_ptr<Target>> target = createTarget(options);
  if (!target)
    return target.takeError();
  llvm::StringRef given = options.output.device;
  return plan::findDevice(given.empty() ? (*target)->getUsualDevice() : given);
}
