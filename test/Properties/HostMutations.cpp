//===- HostMutations.cpp - Bugs on the way to the host ------------------------------------------------------------===//

#include "HostMutations.h"

#include "Mutations.h"

#include "tx/Dialect/Step/IR/StepOps.h"
#include "tx/Dialect/Tx/IR/TxOps.h"
#include "tx/Memory/Passes.h"

#include <algorithm>
#include <map>

using namespace mlir;
using namespace tx;
using namespace txtest;

static func::FuncOp getMicrobatch(ModuleOp module) { return module.lookupSymbol<func::FuncOp>("microbatch"); }

static Segment segmentOf(Operation *op) { return cast<ScopedOpInterface>(op).getScope().getSegment(); }

//===--------------------------------------------------------------------------------------------------------------===//
// Programs
//===--------------------------------------------------------------------------------------------------------------===//

/// The harness gives an argument of this name the key of the microbatch before.
static bool replayUsesPreviousKey(ModuleOp module) {
  func::FuncOp function = getMicrobatch(module);
  std::vector<RecomputeOpInterface> replays;
  for (auto op : function.getOps<RecomputeOpInterface>())
    if (op.getReplayKey() && segmentOf(op) == Segment::Recompute)
      replays.push_back(op);
  if (replays.empty())
    return false;
  Value key = replays.front().getReplayKey();
  Builder builder(module.getContext());
  auto name = builder.getNamedAttr("tx.name", builder.getStringAttr("previous_key"));
  unsigned number = function.getNumArguments();
  if (failed(function.insertArgument(number, key.getType(), builder.getDictionaryAttr(name), function.getLoc())))
    return false;
  for (RecomputeOpInterface op : replays)
    op->replaceUsesOfWith(key, function.getArgument(number));
  return true;
}

/// An optimizer that updates a parameter as soon as its gradient is there.
static bool replayReadsUpdatedParameter(ModuleOp module) {
  func::FuncOp function = getMicrobatch(module);
  for (auto linear : function.getOps<LinearOp>()) {
    if (segmentOf(linear) != Segment::Recompute)
      continue;
    auto weight = linear.getWeight().getDefiningOp<LoadOp>();
    for (auto load : function.getOps<LoadOp>()) {
      if (load.getGlobal() != (weight.getGlobal() + ".grad").str())
        continue;
      OpBuilder builder(linear);
      Value old = weight.getResult();
      auto updated = AddOp::create(builder, linear.getLoc(), old.getType(), old, load.getResult(), linear.getScope());
      linear.getWeightMutable().assign(updated.getResult());
      return true;
    }
  }
  return false;
}

std::vector<ProgramMutation> txtest::getProgramMutations() {
  const std::map<std::string, const char *> killers = {{"gradients", "bits"},
                                                       {"saved-bytes", "saved-bytes"},
                                                       {"verify-joint", "launches"},
                                                       {"recompute-flops", "launches"}};
  std::vector<ProgramMutation> mutations;
  for (const Mutation &mutation : getMutations())
    mutations.push_back({mutation.name, killers.at(mutation.killer),
                         [&mutation](ModuleOp module) { return mutation.apply(getMicrobatch(module)); }});
  mutations.push_back({"replay-uses-previous-key", "bits", replayUsesPreviousKey});
  mutations.push_back({"replay-reads-updated-parameter", "bits", replayReadsUpdatedParameter});
  return mutations;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Addresses
//===--------------------------------------------------------------------------------------------------------------===//

namespace {

/// A tensor that has its bytes for itself, seen by no view.
struct Buffer {
  OpResult value;
  step::BufferAttr address;
  int64_t bytes, written, lastRead; ///< places in the block
};

} // namespace

static void setAddress(OpResult value, step::BufferAttr old, int64_t offset) {
  Operation *op = value.getOwner();
  auto addresses = llvm::to_vector(op->getAttrOfType<ArrayAttr>(kBuffersAttr));
  addresses[value.getResultNumber()] =
      step::BufferAttr::get(op->getContext(), old.getSegment(), offset, old.getType(), old.getStride());
  op->setAttr(kBuffersAttr, ArrayAttr::get(op->getContext(), addresses));
}

static std::vector<Buffer> getBuffers(func::FuncOp function) {
  std::map<Operation *, int64_t> places;
  for (Operation &op : function.front())
    places.emplace(&op, places.size());
  std::vector<Buffer> buffers;
  for (Operation &op : function.front()) {
    if (isa<ViewOpInterface, LoadOp>(op))
      continue;
    for (OpResult value : op.getResults()) {
      step::BufferAttr address = getBuffer(value);
      bool isSeen = llvm::any_of(value.getUsers(), [](Operation *user) { return isa<ViewOpInterface>(user); });
      if (isSeen || address.getSegment() != step::ArenaSegment::Transient)
        continue;
      int64_t lastRead = -1;
      for (Operation *user : value.getUsers())
        lastRead = std::max(lastRead, places.at(user));
      buffers.push_back({value, address, getByteSize(value.getType()), places.at(&op), lastRead});
    }
  }
  return buffers;
}

static bool reads(const Buffer &reader, const Buffer &buffer) {
  return llvm::is_contained(reader.value.getOwner()->getOperands(), buffer.value);
}

/// A tensor goes where another one lies that is needed later.
static bool shortenLifetime(ModuleOp module, unsigned variant) {
  std::vector<Buffer> buffers = getBuffers(getMicrobatch(module));
  for (const Buffer &kept : buffers) {
    auto next = llvm::find_if(buffers, [&](const Buffer &other) {
      return kept.written < other.written && other.written < kept.lastRead && other.bytes <= kept.bytes &&
             !reads(other, kept);
    });
    if (next == buffers.end() || variant-- != 0)
      continue;
    setAddress(next->value, next->address, kept.address.getOffset());
    return true;
  }
  return false;
}

/// A tensor begins in the last line of a neighbour that is alive with it.
static bool overlapBuffers(ModuleOp module, unsigned variant) {
  std::vector<Buffer> buffers = getBuffers(getMicrobatch(module));
  for (const Buffer &low : buffers)
    for (const Buffer &high : buffers) {
      int64_t end = low.address.getOffset() + int64_t(llvm::alignTo(low.bytes, TXRT_BUFFER_ALIGNMENT));
      bool areAlive = low.written < high.lastRead && high.written < low.lastRead && low.written != high.written;
      if (high.address.getOffset() != end || !areAlive || reads(high, low) || reads(low, high) || variant-- != 0)
        continue;
      setAddress(high.value, high.address, end - TXRT_BUFFER_ALIGNMENT);
      return true;
    }
  return false;
}

/// Queries are taken for keys, or keys for values, and the reverse.
static bool exchangeViews(ModuleOp module, unsigned variant) {
  auto slices = llvm::to_vector(getMicrobatch(module).getOps<SliceOp>());
  // Slices come in threes: queries, keys, values.
  size_t place = 3 * (variant / 2) + variant % 2;
  if (place + 1 >= slices.size())
    return false;
  SliceOp first = slices[place], second = slices[place + 1];
  step::BufferAttr a = getBuffer(first.getPart()), b = getBuffer(second.getPart());
  setAddress(cast<OpResult>(first.getPart()), a, b.getOffset());
  setAddress(cast<OpResult>(second.getPart()), b, a.getOffset());
  return true;
}

/// A gradient is summed up in place of a parameter's moment.
static bool moveAccumulator(ModuleOp module, unsigned variant) {
  for (auto gradient : getMicrobatch(module).getOps<LinearWeightGradOp>()) {
    if (variant-- != 0)
      continue;
    auto value = cast<OpResult>(gradient.getResult());
    step::BufferAttr address = getBuffer(value);
    for (auto global : module.getOps<GlobalOp>())
      if (global.getRole() == GlobalRole::Moment1 && global.getType() == value.getType()) {
        auto other = global->getAttrOfType<step::BufferAttr>(kBufferAttr);
        setAddress(value, address, other.getOffset());
        return true;
      }
  }
  return false;
}

std::vector<PlacementMutation> txtest::getPlacementMutations() {
  return {{"lifetime-shortened", shortenLifetime},
          {"live-buffers-overlap", overlapBuffers},
          {"views-exchanged", exchangeViews},
          {"accumulator-moved", moveAccumulator}};
}

//===--------------------------------------------------------------------------------------------------------------===//
// Launches of the step program
//===--------------------------------------------------------------------------------------------------------------===//

/// A kernel that writes a row in another type.
static void makeConversion(Block &program, StringRef name, RankedTensorType from, RankedTensorType to) {
  auto builder = OpBuilder::atBlockBegin(&program);
  Location loc = program.getParentOp()->getLoc();
  int64_t columns = from.getNumElements();
  auto kernel = step::KernelOp::create(builder, loc, name, KernelKind::Row, ArrayRef<int64_t>{1, columns},
                                       ArrayRef<int64_t>{0, 0}, /*immediates=*/0);
  Block &body = kernel.getBody().emplaceBlock();
  builder.setInsertionPointToEnd(&body);
  auto scope = ScopeAttr::get(builder.getContext(), Segment::Forward, -1, "");
  Value converted = BroadcastRowsOp::create(builder, loc, RankedTensorType::get({1, columns}, to.getElementType()),
                                            body.addArgument(from, loc), scope);
  step::YieldOp::create(builder, loc, converted);
}

static SmallVector<Attribute> getWrittenBuffers(Operation *op) {
  if (auto gemm = dyn_cast<step::GemmOp>(op))
    return {gemm.getC()};
  return llvm::to_vector(cast<step::LaunchOp>(op).getOutputs());
}

bool txtest::roundSavedValue(ModuleOp module) {
  auto program = *module.getOps<step::ProgramOp>().begin();
  auto entry = program.lookupSymbol<step::EntryOp>("microbatch");
  Operation *border = nullptr;
  llvm::DenseSet<Attribute> ofForward;
  step::BufferAttr saved;
  for (Operation &op : entry.getBody().front()) {
    SmallVector<Attribute> written = getWrittenBuffers(&op);
    if (segmentOf(&op) == Segment::Forward) {
      // The loss's kernel writes a gradient, which is no saved value.
      if (cast<ScopedOpInterface>(op).getScope().getPath() != "loss")
        ofForward.insert(written.begin(), written.end());
      else
        for (Attribute buffer : written)
          ofForward.erase(buffer);
      continue;
    }
    border = border ? border : &op;
    // What a product of backward reads whole.
    if (auto gemm = dyn_cast<step::GemmOp>(op)) {
      step::BufferAttr a = gemm.getA();
      if (a.getSegment() == step::ArenaSegment::Transient && a.getStride() == 0 && ofForward.contains(a)) {
        saved = a;
        break;
      }
    }
    for (Attribute buffer : written)
      ofForward.erase(buffer);
  }
  if (!saved)
    return false;

  OpBuilder builder(border);
  int64_t elements = saved.getType().getNumElements();
  auto wide = RankedTensorType::get({elements}, builder.getF32Type());
  auto narrow = RankedTensorType::get({elements}, builder.getBF16Type());
  int64_t scratch = program.getTransientBytes();
  program.setTransientBytes(scratch + llvm::alignTo(2 * elements, TXRT_BUFFER_ALIGNMENT));
  Block &body = program.getBody().front();
  makeConversion(body, "to_bf16", wide, narrow);
  makeConversion(body, "from_bf16", narrow, wide);
  auto launch = [&](StringRef kernel, step::BufferAttr from, step::BufferAttr to) {
    step::LaunchOp::create(builder, border->getLoc(), /*number=*/0, kernel, builder.getArrayAttr({from}),
                           builder.getArrayAttr({to}), ArrayRef<int32_t>(), /*flops=*/0,
                           cast<ScopedOpInterface>(border).getScope(), /*waits=*/nullptr, nullptr, nullptr);
  };
  auto address = [&](int64_t offset, RankedTensorType type) {
    return step::BufferAttr::get(builder.getContext(), saved.getSegment(), offset, type, /*stride=*/0);
  };
  launch("to_bf16", address(saved.getOffset(), wide), address(scratch, narrow));
  launch("from_bf16", address(scratch, narrow), address(saved.getOffset(), wide));
  step::numberLaunches(program);
  return true;
}

//===--------------------------------------------------------------------------------------------------------------===//
// Launches of an artifact
//===--------------------------------------------------------------------------------------------------------------===//

static bool dropLaunch(LaunchTable &table, StringRef entry, size_t index) {
  auto launches = table.launches(entry);
  std::rotate(launches.begin() + index, launches.begin() + index + 1, launches.end());
  --table.entry(entry).launch_count;
  return true;
}

/// Whether a launch writes exactly where another one reads.
static bool feeds(LaunchTable &table, const txrt_launch &writer, const txrt_launch &reader) {
  for (const txrt_buffer &from : table.operands(writer))
    for (const txrt_buffer &to : table.operands(reader))
      if (from.writes && !to.writes && from.segment == to.segment && from.offset == to.offset && from.bytes == to.bytes)
        return true;
  return false;
}

static bool swapLaunches(LaunchTable &table, StringRef entry, size_t index) {
  auto launches = table.launches(entry);
  if (index + 1 == launches.size() || !feeds(table, launches[index], launches[index + 1]))
    return false;
  std::swap(launches[index], launches[index + 1]);
  return true;
}

static bool isAccumulation(const txrt_launch &launch) {
  return launch.kind == TXRT_LAUNCH_GEMM && launch.phase == TXRT_PHASE_BACKWARD && launch.u.gemm.beta != 0;
}

static bool overwriteSum(LaunchTable &table, StringRef entry, size_t index) {
  txrt_launch &launch = table.launches(entry)[index];
  if (!isAccumulation(launch))
    return false;
  launch.u.gemm.beta = 0;
  return true;
}

static bool neverReset(LaunchTable &table, StringRef entry, size_t index) {
  txrt_launch &launch = table.launches(entry)[index];
  txrt_gemm_launch &gemm = launch.u.gemm;
  if (!isAccumulation(launch) || gemm.buffers[TXRT_GEMM_RESET] != launch.buffer_count)
    return false;
  gemm.buffers[TXRT_GEMM_RESET] = 0;
  --launch.buffer_count;
  return true;
}

/// Another site of dropout, be it in forward, backward or recomputation.
static bool moveSite(LaunchTable &table, StringRef entry, size_t index) {
  txrt_launch &launch = table.launches(entry)[index];
  if (launch.kind != TXRT_LAUNCH_KERNEL || !launch.u.kernel.immediate_count)
    return false;
  launch.u.kernel.immediates[0] ^= 1;
  return true;
}

std::vector<LaunchMutation> txtest::getLaunchMutations() {
  std::vector<std::string> training = {"microbatch", "step"};
  std::vector<std::string> all = {"microbatch", "apply", "step", "evaluate", "predict"};
  return {{"launch-dropped", all, dropLaunch},
          {"launches-swapped", all, swapLaunches},
          {"accumulation-overwrites", {"microbatch"}, overwriteSum},
          {"accumulation-never-resets", training, neverReset},
          {"dropout-site-moved", training, moveSite}};
}
