#include "AddWaits.h"

#include "tx/Plan/Waits.h"

#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace tx;

static plan::LaunchBytes getBytes(step::LaunchOpInterface launch) {
  plan::LaunchBytes bytes{launch.getLane(), {}};
  for (auto [index, buffer] : llvm::enumerate(launch.getAllBuffers()))
    bytes.ranges.push_back({static_cast<unsigned>(buffer.getSegment()), buffer.getOffset(),
                            buffer.getOffset() + buffer.getExtent(), launch.writesBuffer(index)});
  return bytes;
}

void tx::addWaits(step::ProgramOp program) {
  Builder builder(program.getContext());
  for (auto entry : program.getBody().getOps<step::EntryOp>()) {
    auto launches = llvm::to_vector(entry.getBody().getOps<step::LaunchOpInterface>());
    std::vector<plan::LaunchBytes> bytes;
    for (step::LaunchOpInterface launch : launches)
      bytes.push_back(getBytes(launch));
    for (auto [launch, waits] : llvm::zip(launches, plan::findWaits(bytes))) {
      SmallVector<int64_t> numbers;
      for (int place : waits)
        if (place >= 0)
          numbers.push_back(launches[place].getNumberAttr().getInt());
      if (!numbers.empty())
        launch.setWaitsAttr(builder.getDenseI64ArrayAttr(numbers));
    }
  }
}
