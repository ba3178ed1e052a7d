// A program in C++ on the installed compiler: prints the stages of the way.

#include "tx/Pipeline/Pipelines.h"

#include "llvm/Support/raw_ostream.h"

int main() {
  for (llvm::StringRef name : tx::getStageNames())
    llvm::outs() << name << '\n';
}
