#include "TestArtifact.h"
#include "core/Sha256.h"

#include <cstddef>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <iterator>

uint32_t TestArtifact::string(const std::string &text) {
  auto offset = static_cast<uint32_t>(strings.size());
  strings += text + '\0';
  return offset;
}

uint32_t TestArtifact::buffer(txrt_segment segment, txrt_dtype dtype, uint64_t offset, uint64_t size, bool writes) {
  buffers.push_back({uint32_t(segment), uint32_t(dtype), offset, size, writes, 0});
  return static_cast<uint32_t>(buffers.size() - 1);
}

uint32_t TestArtifact::kernel(const std::string &name, uint32_t bufferCount, uint32_t immediateCount) {
  kernels.push_back({string(name), bufferCount, immediateCount, 0});
  return static_cast<uint32_t>(kernels.size() - 1);
}

static txrt_launch &addLaunch(TestArtifact &artifact, txrt_launch_kind kind, const std::string &name,
                              uint32_t bufferCount) {
  txrt_launch launch = {};
  launch.kind = kind;
  launch.lane = kind == TXRT_LAUNCH_COLLECTIVE ? TXRT_LANE_COLLECTIVES : TXRT_LANE_COMPUTE;
  launch.layer = -1;
  launch.name = artifact.string(name);
  launch.first_buffer = static_cast<uint32_t>(artifact.buffers.size()) - bufferCount;
  launch.buffer_count = bufferCount;
  artifact.launches.push_back(launch);
  return artifact.launches.back();
}

txrt_launch &TestArtifact::kernelLaunch(const std::string &name, uint32_t kernel, uint32_t bufferCount, uint64_t units,
                                        uint64_t grain, std::vector<uint32_t> immediates) {
  txrt_launch &launch = addLaunch(*this, TXRT_LAUNCH_KERNEL, name, bufferCount);
  launch.flops = units;
  txrt_kernel_launch &k = launch.u.kernel;
  k.kernel = kernel;
  k.units = units;
  k.grain = grain;
  k.immediate_count = static_cast<uint32_t>(immediates.size());
  std::copy(immediates.begin(), immediates.end(), k.immediates);
  return launch;
}

txrt_launch &TestArtifact::gemmLaunch(const std::string &name, const txrt_gemm_launch &gemm,
                                      const std::vector<txrt_gemm_operand> &more) {
  std::vector<txrt_gemm_operand> roles = {TXRT_GEMM_A, TXRT_GEMM_B, TXRT_GEMM_C};
  roles.insert(roles.end(), more.begin(), more.end());
  txrt_launch &launch = addLaunch(*this, TXRT_LAUNCH_GEMM, name, static_cast<uint32_t>(roles.size()));
  launch.flops = 2 * gemm.m * gemm.n * gemm.k * gemm.batch0 * gemm.batch1;
  launch.u.gemm = gemm;
  for (uint32_t i = 0; i < roles.size(); ++i)
    launch.u.gemm.buffers[roles[i]] = i + 1;
  return launch;
}

txrt_gemm_launch plainGemm(uint64_t m, uint64_t n, uint64_t k) {
  txrt_gemm_launch g = {};
  g.m = m, g.n = n, g.k = k, g.batch0 = g.batch1 = 1;
  g.a = {k, 0, 0, 1}, g.b = {n, 0, 0, 1}, g.c = {n, 0, 0, 1};
  g.alpha = 1;
  return g;
}

txrt_launch &TestArtifact::collectiveLaunch(const std::string &name, const txrt_collective_launch &collective) {
  const uint32_t axis = string("dp");
  txrt_launch &launch = addLaunch(*this, TXRT_LAUNCH_COLLECTIVE, name, 2);
  launch.u.collective = collective;
  launch.u.collective.axis = axis;
  return launch;
}

void TestArtifact::waitFor(uint32_t launch) { launches.back().waits[launches[launch].lane] = launch + 1; }

void TestArtifact::entry(const std::string &name, uint32_t first) {
  auto count = static_cast<uint32_t>(launches.size()) - first;
  entries.push_back({string(name), first, count, 0});
}

void TestArtifact::addGpuCode() {
  backend = "cuda";
  gpuKernels.assign(kernels.size(), {32, 32, 0});
  gpuCode = std::string("cubin.ptx") + '\0';
  gpuImages = {{90, TXRT_GPU_CUBIN, 0, 6}, {80, TXRT_GPU_PTX, 6, 4}};
}

std::string TestArtifact::manifestText() const {
  if (!manifest.empty())
    return manifest;
  std::string text = "{\"format\": \"tx-artifact\", \"abi_version\": " + std::to_string(TXRT_ABI_VERSION) +
                     ", "
                     "\"compiler\": \"test\", \"target\": {\"backend\": \"" +
                     backend + "\", \"triple\": \"" + triple + "\", \"features\": [" + features + "]}, \"arena\": {";
  const char *names[] = {"persistent", "argument", "saved", "transient"};
  for (int s = 0; s < TXRT_SEGMENT_COUNT; ++s)
    text += std::string(s ? ", " : "") + "\"" + names[s] + "_bytes\": " + std::to_string(segments[s]);
  text += "}, \"globals\": [" + globals + "], \"entries\": [";
  for (size_t i = 0; i < entries.size(); ++i)
    text += std::string(i ? ", " : "") + "{\"name\": \"" + (strings.c_str() + entries[i].name) +
            "\", \"arguments\": [], \"results\": []}";
  return text + "]}";
}

void TestArtifact::declare() {
  functions.clear();
  operands.clear();
  functionNames.clear();
  for (size_t k = 0; k < kernels.size(); ++k) {
    txrt_function f = {};
    f.name = static_cast<uint32_t>(functionNames.size());
    functionNames += strings.c_str() + kernels[k].name;
    functionNames += '\0';
    f.first_operand = static_cast<uint32_t>(operands.size());
    f.operand_count = kernels[k].buffer_count;
    f.immediate_count = kernels[k].immediate_count;
    f.units = 1;
    operands.resize(operands.size() + f.operand_count);
    for (const txrt_launch &launch : launches)
      if (launch.kind == TXRT_LAUNCH_KERNEL && launch.u.kernel.kernel == k) {
        f.units = launch.u.kernel.units;
        for (uint32_t i = 0; i < f.operand_count; ++i) {
          const txrt_buffer &b = buffers[launch.first_buffer + i];
          operands[f.first_operand + i] = {b.dtype, uint16_t(b.writes), uint16_t(b.unread), b.bytes};
        }
        break;
      }
    functions.push_back(f);
  }
}

/// Applies the relocations of an object where its sections lie in the file, as the compiler does, and gives the place
/// of a function in it, or 0.
static uint64_t link(std::vector<uint8_t> &object, const std::string &function) {
  auto *bytes = object.data();
  auto *header = reinterpret_cast<Elf64_Ehdr *>(bytes);
  auto *sections = reinterpret_cast<Elf64_Shdr *>(bytes + header->e_shoff);
  uint64_t found = 0;
  for (int i = 0; i < header->e_shnum; ++i) {
    const Elf64_Shdr &s = sections[i];
    if (s.sh_type == SHT_SYMTAB) {
      auto *symbols = reinterpret_cast<Elf64_Sym *>(bytes + s.sh_offset);
      auto *names = reinterpret_cast<char *>(bytes + sections[s.sh_link].sh_offset);
      for (uint64_t j = 0; j < s.sh_size / sizeof(Elf64_Sym); ++j)
        if (ELF64_ST_TYPE(symbols[j].st_info) == STT_FUNC && function == names + symbols[j].st_name)
          found = sections[symbols[j].st_shndx].sh_offset + symbols[j].st_value;
    }
    if (s.sh_type != SHT_RELA || !(sections[s.sh_info].sh_flags & SHF_ALLOC))
      continue;
    auto *symbols = reinterpret_cast<Elf64_Sym *>(bytes + sections[s.sh_link].sh_offset);
    auto *entries = reinterpret_cast<Elf64_Rela *>(bytes + s.sh_offset);
    for (uint64_t j = 0; j < s.sh_size / sizeof(Elf64_Rela); ++j) {
      const Elf64_Sym &symbol = symbols[ELF64_R_SYM(entries[j].r_info)];
      const uint64_t place = sections[s.sh_info].sh_offset + entries[j].r_offset;
      auto distance = static_cast<int32_t>(int64_t(sections[symbol.st_shndx].sh_offset + symbol.st_value - place) +
                                           entries[j].r_addend);
      memcpy(bytes + place, &distance, sizeof distance);
    }
  }
  return found;
}

template <typename T> static std::vector<uint8_t> raw(const std::vector<T> &v) {
  auto *data = reinterpret_cast<const uint8_t *>(v.data());
  return std::vector<uint8_t>(data, data + v.size() * sizeof(T));
}

std::vector<uint8_t> TestArtifact::codeUnit() const {
  if (functions.empty() && !kernels.empty()) {
    TestArtifact declared = *this;
    declared.declare();
    return declared.codeUnit();
  }
  const bool isForGpu = !gpuImages.empty();
  std::vector<uint8_t> unit = elf;
  if (isForGpu)
    unit.assign(gpuCode.begin(), gpuCode.end());
  if (unit.empty())
    return {};
  std::vector<txrt_function> placed = functions;
  for (size_t i = 0; i < placed.size(); ++i) {
    if (isForGpu && i < gpuKernels.size())
      placed[i].gpu = gpuKernels[i];
    if (!isForGpu && placed[i].entry == 0)
      placed[i].entry = link(unit, functionNames.c_str() + placed[i].name);
  }
  unit.resize((unit.size() + 63) / 64 * 64);
  txrt_code_end end = {};
  end.code_bytes = unit.size();
  end.function_count = static_cast<uint32_t>(placed.size());
  end.operand_count = static_cast<uint32_t>(operands.size());
  end.image_count = static_cast<uint32_t>(gpuImages.size());
  end.name_bytes = static_cast<uint32_t>(functionNames.size());
  memcpy(end.magic, TXRT_CODE_MAGIC, sizeof end.magic);
  for (const std::vector<uint8_t> &part :
       {raw(placed), raw(operands), raw(gpuImages), std::vector<uint8_t>(functionNames.begin(), functionNames.end()),
        raw(std::vector<txrt_code_end>{end})})
    unit.insert(unit.end(), part.begin(), part.end());
  sealCode(unit.data(), unit.size());
  return unit;
}

std::vector<uint8_t> TestArtifact::bytes() const {
  std::string text = manifestText();
  std::vector<std::pair<uint32_t, std::vector<uint8_t>>> sections = {
      {TXRT_SECTION_MANIFEST, {text.begin(), text.end()}},
      {TXRT_SECTION_ENTRIES, raw(entries)},
      {TXRT_SECTION_LAUNCHES, raw(launches)},
      {TXRT_SECTION_BUFFERS, raw(buffers)},
      {TXRT_SECTION_KERNELS, raw(kernels)},
      {TXRT_SECTION_STRINGS, {strings.begin(), strings.end()}}};
  if (std::vector<uint8_t> unit = codeUnit(); !unit.empty())
    sections.push_back({TXRT_SECTION_CODE, unit});
  if (!attentions.empty())
    sections.push_back({TXRT_SECTION_ATTENTIONS, raw(attentions)});

  txrt_header header = {};
  memcpy(header.magic, TXRT_MAGIC, sizeof header.magic);
  header.abi_version = TXRT_ABI_VERSION;
  header.section_count = static_cast<uint32_t>(sections.size());
  std::vector<uint8_t> file(sizeof header + sections.size() * sizeof(txrt_section));
  memcpy(file.data(), &header, sizeof header);
  for (size_t i = 0; i < sections.size(); ++i) {
    file.resize((file.size() + 63) / 64 * 64);
    txrt_section section = {sections[i].first, 0, file.size(), sections[i].second.size()};
    memcpy(file.data() + sizeof header + i * sizeof section, &section, sizeof section);
    file.insert(file.end(), sections[i].second.begin(), sections[i].second.end());
  }
  seal(file);
  return file;
}

void sealCode(uint8_t *bytes, size_t size) {
  uint8_t *digest = bytes + size - sizeof(txrt_code_end) + offsetof(txrt_code_end, digest);
  memset(digest, 0, 32);
  txrt::Sha256 sha;
  sha.update(bytes, size);
  auto result = sha.finish();
  memcpy(digest, result.data(), result.size());
}

void seal(std::vector<uint8_t> &artifact) {
  uint64_t size = artifact.size();
  memcpy(artifact.data() + offsetof(txrt_header, file_bytes), &size, sizeof size);
  uint8_t *digest = artifact.data() + offsetof(txrt_header, digest);
  memset(digest, 0, 32);
  txrt::Sha256 sha;
  sha.update(artifact.data(), artifact.size());
  auto result = sha.finish();
  memcpy(digest, result.data(), result.size());
}

const std::vector<uint8_t> &testKernels() {
  static const std::vector<uint8_t> bytes = [] {
    std::ifstream file(TX_TEST_KERNELS, std::ios::binary);
    return std::vector<uint8_t>(std::istreambuf_iterator<char>(file), {});
  }();
  return bytes;
}

TestArtifact smallArtifact() {
  TestArtifact a;
  a.segments[TXRT_SEGMENT_PERSISTENT] = 128;
  a.segments[TXRT_SEGMENT_ARGUMENT] = 512;
  a.segments[TXRT_SEGMENT_TRANSIENT] = 256;
  a.elf = testKernels();
  a.globals = "{\"name\": \"c\", \"dtype\": \"f32\", \"shape\": [4, 5], "
              "\"segment\": \"persistent\", \"offset\": 0, \"bytes\": 80, \"role\": \"parameter\", "
              "\"init\": {\"kind\": \"zeros\"}}";
  uint32_t weigh = a.kernel("weigh", 2, 1);
  uint32_t bump = a.kernel("bump", 1, 2);

  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 0, 240, false);
  a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
  a.kernelLaunch("h.0.weigh", weigh, 2, 60, 7, {0}).layer = 0;
  a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_F32, 0, 240, true);
  a.kernelLaunch("bump", bump, 1, 60, 16, {1, 2}).phase = TXRT_PHASE_RECOMPUTE;
  a.entry("weigh", 0);

  txrt_gemm_launch g = plainGemm(4, 5, 3);
  g.beta = 1;
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 256, 48, false);
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 320, 60, false);
  a.buffer(TXRT_SEGMENT_PERSISTENT, TXRT_DTYPE_F32, 0, 80, true);
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_I1, 448, 1, false);
  a.gemmLaunch("lm_head.dW", g, {TXRT_GEMM_RESET}).phase = TXRT_PHASE_BACKWARD;
  a.entry("product", 2);
  a.declare();
  return a;
}

TestArtifact productWith(txrt_gemm_operand vector, uint64_t scratch) {
  TestArtifact a;
  a.segments[TXRT_SEGMENT_ARGUMENT] = 1024;
  a.segments[TXRT_SEGMENT_TRANSIENT] = scratch;
  std::vector<txrt_gemm_operand> more;
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 0, 48, false);
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 256, 60, false);
  a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 512, 80, true);
  if (vector != TXRT_GEMM_OPERANDS) {
    const uint64_t count = vector == TXRT_GEMM_SUMS_A ? 4 : 5;
    a.buffer(TXRT_SEGMENT_ARGUMENT, TXRT_DTYPE_F32, 768, 4 * count, vector != TXRT_GEMM_BIAS);
    more.push_back(vector);
  }
  if (scratch) {
    a.buffer(TXRT_SEGMENT_TRANSIENT, TXRT_DTYPE_BYTE, 0, scratch, true);
    more.push_back(TXRT_GEMM_SCRATCH);
  }
  a.gemmLaunch("product", plainGemm(4, 5, 3), more);
  a.entry("product", 0);
  a.addGpuCode();
  return a;
}

txrt_error openError(const std::vector<uint8_t> &bytes) {
  txrt_error error = {};
  txrt_artifact *artifact = nullptr;
  if (txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa", &artifact, &error) == TXRT_OK)
    txrt_artifact_close(artifact);
  return error;
}
