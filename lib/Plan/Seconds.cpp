//===- Seconds.cpp - How long a step takes on a device ------------------------------------------------------------===//

#include "tx/Plan/Seconds.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/Support/ErrorHandling.h"

#include <algorithm>

using namespace tx;
using namespace tx::plan;

//===--------------------------------------------------------------------------------------------------------------===//
// One launch
//===--------------------------------------------------------------------------------------------------------------===//

static const char *getWorkName(Work work) {
  switch (work) {
  case Work::Row:
    return "row";
  case Work::Column:
    return "column";
  case Work::Flat:
    return "flat";
  case Work::Tile:
    return "tile";
  case Work::Product:
  case Work::View:
  case Work::Collective:
  case Work::Other:
    break;
  }
  llvm_unreachable("no kernel");
}

static int64_t getFlops(const Op &op) { return op.matrixFlops + op.vectorFlops; }

std::string tx::plan::getKernelKind(const Step &step, const Entry &entry, const Launch &launch) {
  auto isNarrow = [&](int value) { return step.types[entry.values[value].type].element == ElementType::BF16; };
  const std::string &kind = entry.ops[launch.main].kind;
  std::string name = getWorkName(launch.work);
  name += ' ';
  name += kind.substr(kind.find('.') + 1);
  if (llvm::any_of(launch.inputs, isNarrow) || llvm::any_of(launch.outputs, isNarrow))
    name += " bf16";
  return name;
}

int64_t tx::plan::getMovedBytes(const Entry &entry, const Launch &launch) {
  int64_t rows = launch.work == Work::Row ? entry.ops[launch.main].space.first : 0;
  auto bytesOf = [&](int value) {
    const Value &data = entry.values[value];
    return rows > 0 && data.rows > rows ? rows * data.columns * data.elementBytes : data.bytes;
  };
  int64_t bytes = 0;
  for (int value : launch.inputs) {
    auto reads = [&](int op) {
      return llvm::any_of(entry.ops[op].operands,
                          [&](const Operand &operand) { return operand.value == value && operand.isRead; });
    };
    if (llvm::any_of(launch.ops, reads))
      bytes += bytesOf(value);
  }
  for (int value : launch.outputs)
    bytes += bytesOf(value);
  return bytes;
}

double LaunchTimer::secondsOf(const Entry &entry, const Launch &launch) {
  switch (launch.work) {
  case Work::View:
  case Work::Other:
    return 0;
  case Work::Product:
    return secondsOfProduct(entry, entry.ops[launch.main]);
  case Work::Collective:
    return secondsOfCollective(entry.ops[launch.main]);
  case Work::Row:
  case Work::Column:
  case Work::Flat:
  case Work::Tile:
    return secondsOfKernel(entry, launch);
  }
  llvm_unreachable("all kinds are listed");
}

double LaunchTimer::secondsOfProduct(const Entry &entry, const Op &op) {
  const Product &product = *op.product;
  const double m = product.m, n = product.n, k = product.k, batch = product.batch0 * product.batch1;
  const ElementType type = getType(entry, product.a);
  const ProductKind kind = {type, product.transposeA, product.transposeB, batch > 1};
  const Samples::Sizes sizes = {m, n, k, batch};
  auto [known, isNew] = products.try_emplace({kind, sizes});
  auto &[seconds, source] = known->second;
  if (isNew) {
    const double flops = 2 * m * n * k * batch;
    auto samples = device.products.find(kind);
    if (samples == device.products.end()) {
      double bytes = entry.values[product.a].bytes + entry.values[product.b].bytes + entry.values[product.c].bytes;
      seconds = std::max(device.matrix.get(type).secondsOf(flops), device.secondsToMove(bytes)) + device.launchSeconds;
      source = TimeSource::Rates;
    } else if (std::optional<double> measured = samples->second.find(sizes)) {
      seconds = *measured;
      source = TimeSource::Measured;
    } else {
      seconds = samples->second.estimate(sizes, flops);
      source = TimeSource::Between;
    }
  }
  return product.bias < 0 || product.libraryAddsBias ? seconds : seconds + secondsOfBias(entry, product);
}

/// Of the kernel that writes the bias into C before the product adds to it; it is no launch of the plan.
double LaunchTimer::secondsOfBias(const Entry &entry, const Product &product) const {
  const Value &result = entry.values[product.c];
  std::string kind = "row broadcast_rows";
  if (getType(entry, product.c) == ElementType::BF16)
    kind += " bf16";
  const double elements = static_cast<double>(result.rows) * result.columns;
  if (std::optional<double> measured = findKernel(kind, elements, /*buffers=*/2))
    return *measured;
  return device.secondsToMove(result.bytes) + device.launchSeconds;
}

/// The time by what was measured of such kernels; nothing if none was.
std::optional<double> LaunchTimer::findKernel(const std::string &kind, double amount, double buffers) const {
  auto samples = device.kernels.find(kind);
  if (samples == device.kernels.end())
    return std::nullopt;
  const Samples::Sizes sizes = {amount, buffers, 1, 1};
  std::optional<double> measured = samples->second.find(sizes);
  return measured ? *measured : samples->second.estimate(sizes, amount);
}

double LaunchTimer::secondsOfKernel(const Entry &entry, const Launch &launch) const {
  double flops = 0;
  for (int op : launch.ops)
    flops += getFlops(entry.ops[op]);
  double bytes = getMovedBytes(entry, launch);
  if (!device.kernels.empty()) {
    double buffers = launch.inputs.size() + launch.outputs.size();
    if (std::optional<double> measured =
            findKernel(getKernelKind(step, entry, launch), flops > 0 ? flops : bytes, buffers))
      return *measured;
  }
  const Op &main = entry.ops[launch.main];
  double arithmetic = 0;
  if (launch.work == Work::Tile) {
    bool isBackward = main.segment == Segment::Backward;
    const TypedRates &rates = isBackward ? device.tilesBackward : device.tilesForward;
    ElementType type = launch.inputs.empty() ? ElementType::F32 : getType(entry, launch.inputs.front());
    arithmetic = rates.get(type).secondsOf(flops);
  } else {
    arithmetic = device.vector.get(ElementType::F32).secondsOf(flops);
  }
  return std::max(arithmetic, device.secondsToMove(bytes)) + device.launchSeconds;
}

double LaunchTimer::secondsOfCollective(const Op &op) const {
  if (op.ranks <= 1 || device.links.empty())
    return device.launchSeconds;
  auto joins = [&](const Link &link) { return link.ranks >= op.ranks; };
  auto found = llvm::find_if(device.links, joins);
  const Link &link = found == device.links.end() ? device.links.back() : *found;
  auto factor = link.factors.find(op.collective);
  double bytes = static_cast<double>(op.sentBytes) * (factor == link.factors.end() ? 1 : factor->second);
  return link.latencySeconds + link.rate.secondsOf(bytes) + device.launchSeconds;
}

int LaunchTimer::countProducts(TimeSource source) const {
  return llvm::count_if(products, [&](const auto &each) { return each.second.second == source; });
}

//===--------------------------------------------------------------------------------------------------------------===//
// An entry
//===--------------------------------------------------------------------------------------------------------------===//

Seconds &Seconds::operator+=(const Seconds &other) {
  forward += other.forward, backward += other.backward;
  recompute += other.recompute, optimizer += other.optimizer;
  return *this;
}

static double &getPart(Seconds &seconds, Segment segment) {
  switch (segment) {
  case Segment::Forward:
    return seconds.forward;
  case Segment::Backward:
    return seconds.backward;
  case Segment::Recompute:
    return seconds.recompute;
  case Segment::Optimizer:
    return seconds.optimizer;
  }
  llvm_unreachable("all segments are listed");
}

/// Adds the time of a launch to the parts of the step whose work it does, by their FLOPs.
static void addTime(Seconds &sum, double seconds, const Entry &entry, const Launch &launch) {
  double all = 0;
  for (int op : launch.ops)
    all += getFlops(entry.ops[op]);
  if (all <= 0) {
    getPart(sum, entry.ops[launch.main].segment) += seconds;
    return;
  }
  for (int number : launch.ops) {
    const Op &op = entry.ops[number];
    double gradients = op.segment == Segment::Forward ? op.gradientFlops : 0;
    sum.backward += seconds * gradients / all;
    getPart(sum, op.segment) += seconds * (getFlops(op) - gradients) / all;
  }
}

namespace {

/// Lets the launches of an entry run, each lane's one after another.
class Clocks {
public:
  Clocks(const Entry &entry, LaunchTimer &timer)
      : entry(entry), timer(timer), ready(entry.values.size()), readyBy(entry.values.size()) {}

  void run(const Launch &launch) {
    auto &[now, last] = lanes[static_cast<unsigned>(launch.lane)];
    double start = launch.work == Work::View ? 0 : now;
    const Launch *waited = nullptr;
    for (int value : launch.inputs)
      if (ready[value] > start)
        start = ready[value], waited = readyBy[value];
    double seconds = timer.secondsOf(entry, launch);
    for (int value : launch.outputs)
      ready[value] = start + seconds, readyBy[value] = launch.work == Work::View && waited ? waited : &launch;
    if (launch.work == Work::View) // its readers wait, not the lane
      return;
    if (launch.lane == Lane::Compute) {
      if (waited)
        addTime(sum, start - now, entry, *waited);
      addTime(sum, seconds, entry, launch);
    }
    now = start + seconds, last = &launch;
  }

  /// The time of all, when the other lanes have ended too.
  Seconds finish() {
    double end = lanes[static_cast<unsigned>(Lane::Compute)].now;
    for (const auto &[now, last] : lanes)
      if (now > end)
        addTime(sum, now - std::exchange(end, now), entry, *last);
    return sum;
  }

private:
  struct LaneClock {
    double now = 0;
    const Launch *last = nullptr;
  };

  const Entry &entry;
  LaunchTimer &timer;
  LaneClock lanes[kLaneCount];
  std::vector<double> ready; // by value: when it is there
  std::vector<const Launch *> readyBy;
  Seconds sum;
};

} // namespace

Seconds tx::plan::computeSeconds(const Entry &entry, const Schedule &schedule, LaunchTimer &timer) {
  Clocks clocks(entry, timer);
  for (const Launch &launch : schedule.launches)
    clocks.run(launch);
  return clocks.finish();
}
