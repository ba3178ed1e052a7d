//===- Artifact.cpp - The launch table and the container ----------------------------------------------------------===//

#include "tx/Target/Artifact.h"

#include "AbiEnums.h"
#include "CodeUnit.h"
#include "Manifest.h"

#include "llvm/ADT/StringMap.h"
#include "llvm/Support/MathExtras.h"
#include "llvm/Support/SHA256.h"
#include "llvm/Support/raw_ostream.h"

using namespace mlir;
using namespace tx;

namespace {

/// Builds the tables of txrt/abi.h from a program, as they are written into the file.
class LaunchTable {
public:
  LaunchTable(step::ProgramOp program, const TargetCode &code) : code(code) {
    for (auto kernel : program.getOps<step::KernelOp>()) {
      kernelIndex[kernel.getSymName()] = {kernels.size(), kernel};
      kernels.push_back({addString(kernel.getSymName()),
                         static_cast<uint32_t>(kernel.getInputCount() + kernel.getOutputCount()),
                         static_cast<uint32_t>(kernel.getImmediates()), 0});
    }
    for (auto entry : program.getOps<step::EntryOp>()) {
      txrt_entry record{addString(entry.getSymName()), static_cast<uint32_t>(launches.size()), 0, 0};
      for (Operation &op : entry.getBody().front()) {
        if (auto launch = dyn_cast<step::LaunchOp>(op))
          addKernelLaunch(launch);
        else if (auto collective = dyn_cast<step::CollectiveOp>(op))
          addCollective(collective);
        else
          addGemm(cast<step::GemmOp>(op));
      }
      record.launch_count = launches.size() - record.first_launch;
      entries.push_back(record);
    }
  }

  std::vector<txrt_entry> entries;
  std::vector<txrt_launch> launches;
  std::vector<txrt_buffer> buffers;
  std::vector<txrt_kernel> kernels;
  std::vector<txrt_attention> attentions;
  std::string strings;

private:
  uint32_t addString(StringRef text) {
    auto [known, isNew] = stringOffsets.try_emplace(text, strings.size());
    if (isNew) {
      strings += text;
      strings += '\0';
    }
    return known->second;
  }

  txrt_launch begin(txrt_launch_kind kind, step::LaunchOpInterface op, const Twine &what, uint64_t flops) {
    ScopeAttr scope = cast<ScopedOpInterface>(op.getOperation()).getScope();
    txrt_launch launch{};
    launch.kind = kind;
    launch.phase = toAbi(scope.getSegment());
    launch.layer = scope.getLayer();
    launch.name = addString((scope.getPath() + ":" + what).str());
    launch.flops = flops;
    launch.lane = toAbi(op.getLane());
    if (DenseI64ArrayAttr waits = op.getWaitsAttr())
      for (int64_t number : waits.asArrayRef())
        launch.waits[launches[number].lane] = number + 1;
    addBuffers(launch, op);
    return launch;
  }

  void addBuffers(txrt_launch &launch, step::LaunchOpInterface op) {
    launch.first_buffer = buffers.size();
    for (auto [index, buffer] : llvm::enumerate(op.getAllBuffers()))
      buffers.push_back({toAbi(buffer.getSegment()), static_cast<uint32_t>(getDtype(buffer.getType().getElementType())),
                         static_cast<uint64_t>(buffer.getOffset()), static_cast<uint64_t>(buffer.getExtent()),
                         op.writesBuffer(index) ? 1u : 0u, 0});
    launch.buffer_count = buffers.size() - launch.first_buffer;
  }

  void addKernelLaunch(step::LaunchOp op) {
    auto [index, kernel] = kernelIndex.lookup(op.getKernel());
    txrt_launch launch = begin(TXRT_LAUNCH_KERNEL, op, op.getKernel(), op.getFlops());
    for (size_t input = 0; input < kernel.getInputCount(); ++input)
      buffers[launch.first_buffer + input].unread = !kernel.readsInput(input);
    launch.u.kernel.attention = addAttention(op);
    launch.u.kernel.kernel = index;
    launch.u.kernel.immediate_count = op.getImmediates().size();
    TargetCode::Division division = divisionOf(code, kernel, index);
    launch.u.kernel.units = division.units;
    launch.u.kernel.grain = division.grain;
    llvm::copy(op.getImmediates(), launch.u.kernel.immediates);
    launches.push_back(launch);
  }

  /// Adds a launch's attention to the table, where equal ones share a record. Returns 1 + the record's number, or 0 if
  /// the launch is no attention.
  uint32_t addAttention(step::LaunchOp op) {
    std::optional<step::AttentionAttr> attention = op.getAttention();
    if (!attention)
      return 0;
    txrt_attention record{};
    record.scale = static_cast<float>(attention->getScale().getValueAsDouble());
    record.soft_cap = static_cast<float>(attention->getSoftCap().getValueAsDouble());
    record.batch = attention->getBatch();
    record.queries = attention->getQueries();
    record.keys = attention->getKeys();
    record.heads = attention->getHeads();
    record.key_heads = attention->getKeyHeads();
    record.width = attention->getWidth();
    record.value_width = attention->getValueWidth();
    record.window = attention->getWindow();
    record.backward = attention->getBackward();
    record.causal = attention->getCausal();
    record.deterministic = attention->getDeterministic();
    SmallVector<step::BufferAttr> operands = op.getKernelBuffers();
    for (auto [which, index] : llvm::enumerate(attention->getOperands().asArrayRef())) {
      record.buffers[which] = index + 1;
      record.row_strides[which] = which == TXRT_ATTENTION_LSE ? 0 : operands[index].getRowStride();
    }
    if (op.getScratch())
      record.buffers[TXRT_ATTENTION_SCRATCH] = operands.size() + 1;
    auto isEqual = [&](const txrt_attention &other) { return memcmp(&other, &record, sizeof(record)) == 0; };
    auto known = llvm::find_if(attentions, isEqual);
    if (known == attentions.end())
      known = attentions.insert(attentions.end(), record);
    return known - attentions.begin() + 1;
  }

  void addGemm(step::GemmOp op) {
    uint64_t m = op.getM(), n = op.getN(), k = op.getK(), batch0 = op.getBatch0(), batch1 = op.getBatch1();
    txrt_launch launch = begin(TXRT_LAUNCH_GEMM, op, "gemm", 2 * m * n * k * batch0 * batch1);
    txrt_gemm_launch &gemm = launch.u.gemm;
    for (auto [index, role] : llvm::enumerate(op.getRoles()))
      gemm.buffers[toAbi(role.first)] = index + 1;
    gemm.m = m;
    gemm.n = n;
    gemm.k = k;
    gemm.batch0 = batch0;
    gemm.batch1 = batch1;
    auto matrix = [](uint64_t leading, ArrayRef<int64_t> strides, uint64_t repeat) {
      return txrt_gemm_matrix{leading, static_cast<uint64_t>(strides[0]), static_cast<uint64_t>(strides[1]), repeat};
    };
    gemm.a = matrix(op.getLda(), op.getStridesA(), op.getRepeatA());
    gemm.b = matrix(op.getLdb(), op.getStridesB(), op.getRepeatB());
    gemm.c = matrix(op.getLdc(), op.getStridesC(), /*repeat=*/1);
    gemm.transpose_a = op.getTransposeA();
    gemm.transpose_b = op.getTransposeB();
    gemm.alpha = static_cast<float>(op.getAlpha().convertToDouble());
    gemm.beta = static_cast<float>(op.getBeta().convertToDouble());
    launches.push_back(launch);
  }

  void addCollective(step::CollectiveOp op) {
    RankedTensorType type = op.getFrom().getType();
    txrt_launch launch =
        begin(TXRT_LAUNCH_COLLECTIVE, op, stringifyCollectiveKind(op.getKind()), type.getNumElements());
    launch.u.collective.collective = toAbi(op.getKind());
    launch.u.collective.axis = addString(op.getAxis());
    launch.u.collective.ranks = op.getRanks();
    launch.u.collective.stride = op.getStride();
    launch.u.collective.outer = op.getOuter();
    launch.u.collective.peer = static_cast<int32_t>(op.getPeer());
    launch.u.collective.wraps = op.getWraps();
    launch.u.collective.count = type.getNumElements();
    launch.u.collective.sent_bytes = op.getSent();
    launches.push_back(launch);
  }

  const TargetCode &code;
  llvm::StringMap<std::pair<uint32_t, step::KernelOp>> kernelIndex;
  llvm::StringMap<uint32_t> stringOffsets;
};

struct Section {
  txrt_section_kind kind;
  ArrayRef<char> bytes;
};

template <typename T> Section makeSection(txrt_section_kind kind, const T &table) {
  return {kind, ArrayRef<char>(reinterpret_cast<const char *>(table.data()), table.size() * sizeof(*table.data()))};
}

} // namespace

llvm::SmallVector<char, 0> tx::serializeArtifact(step::ProgramOp program, const TargetCode &code,
                                                 llvm::json::Object about) {
  LaunchTable table(program, code);
  llvm::SmallVector<char, 0> unit = buildCodeUnit(program, code);
  std::string manifest;
  llvm::raw_string_ostream(manifest) << llvm::json::Value(buildManifest(program, code, std::move(about)));

  std::vector<Section> sections = {
      makeSection(TXRT_SECTION_MANIFEST, manifest),       makeSection(TXRT_SECTION_ENTRIES, table.entries),
      makeSection(TXRT_SECTION_LAUNCHES, table.launches), makeSection(TXRT_SECTION_BUFFERS, table.buffers),
      makeSection(TXRT_SECTION_KERNELS, table.kernels),   makeSection(TXRT_SECTION_STRINGS, table.strings)};
  if (!table.attentions.empty())
    sections.push_back(makeSection(TXRT_SECTION_ATTENTIONS, table.attentions));
  sections.push_back(makeSection(TXRT_SECTION_CODE, unit));
  size_t count = sections.size();
  std::vector<txrt_section> directory;
  uint64_t offset = llvm::alignTo(sizeof(txrt_header) + count * sizeof(txrt_section), TXRT_SECTION_ALIGNMENT);
  for (const Section &section : sections) {
    directory.push_back({static_cast<uint32_t>(section.kind), 0, offset, section.bytes.size()});
    offset = llvm::alignTo(offset + section.bytes.size(), TXRT_SECTION_ALIGNMENT);
  }

  txrt_header header{};
  memcpy(header.magic, TXRT_MAGIC, sizeof(header.magic));
  header.abi_version = TXRT_ABI_VERSION;
  header.section_count = count;
  header.file_bytes = offset;

  llvm::SmallVector<char, 0> file(offset, 0);
  memcpy(file.data(), &header, sizeof(header));
  memcpy(file.data() + sizeof(header), directory.data(), count * sizeof(txrt_section));
  for (auto [section, entry] : llvm::zip(sections, directory))
    llvm::copy(section.bytes, file.data() + entry.offset);
  auto digest = llvm::SHA256::hash(ArrayRef<uint8_t>(reinterpret_cast<uint8_t *>(file.data()), file.size()));
  memcpy(file.data() + offsetof(txrt_header, digest), digest.data(), sizeof(header.digest));
  return file;
}
