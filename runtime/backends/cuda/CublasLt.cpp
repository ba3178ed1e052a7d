#include "backends/cuda/CublasLt.h"
#include "backends/cuda/CublasLtApi.h"
#include "backends/cuda/Driver.h"

#include <cstring>
#include <map>
#include <vector>

using namespace txrt;
using namespace txrt::cuda;

namespace {

struct Library {
  // The names of the types are cuBLASLt's.
  using Status = lt::Status;
  using Handle = lt::Handle;
  using MatmulDesc = lt::MatmulDesc;
  using MatrixLayout = lt::MatrixLayout;
  using Preference = lt::Preference;
  using ComputeType = lt::ComputeType;
  using DataType = lt::DataType;
  using DescAttribute = lt::DescAttribute;
  using LayoutAttribute = lt::LayoutAttribute;
  using PreferenceAttribute = lt::PreferenceAttribute;
  using Algorithm = lt::Algorithm;
  using HeuristicResult = lt::HeuristicResult;
#define TXRT_MEMBER(member, type, symbol, ...) type (*member)(__VA_ARGS__);
  TXRT_CUBLASLT_FUNCTIONS(TXRT_MEMBER)
#undef TXRT_MEMBER

  Library();
  static const Library &get() {
    static const Library library;
    return library;
  }
  void check(lt::Status status, const char *what) const {
    if (status != lt::Success)
      fail(TXRT_DEVICE, "cuBLASLt: %s: %s", what, getStatusString(status));
  }
};

Library::Library() {
  void *library = openLibrary({"libcublasLt.so.13", "libcublasLt.so.12"},
                              "the cuda backend needs cuBLASLt 12 or 13");
#define TXRT_LOAD(member, type, function, ...)                                \
  member = reinterpret_cast<type (*)(__VA_ARGS__)>(                           \
      symbol(library, "cuBLASLt", #function));
  TXRT_CUBLASLT_FUNCTIONS(TXRT_LOAD)
#undef TXRT_LOAD
}

/// Everything that the choice of an algorithm may depend on. Addresses enter
/// by their alignment only, and that up to the alignment which every buffer
/// has: so a product has one algorithm, and one result, wherever its operands
/// lie, that is under every policy.
struct Key {
  txrt_gemm_launch gemm; // alpha and beta are zero
  uint32_t dtypes[3];
  uint32_t alignments[3];

  // As bytes, which all have meaning: there is no padding.
  bool operator<(const Key &other) const {
    return memcmp(this, &other, sizeof *this) < 0;
  }
};

static_assert(sizeof(Key) == sizeof(txrt_gemm_launch) + 24, "no padding");

/// How the launch's two batch dimensions become the library's one, and a loop.
struct Batch {
  uint64_t loops, count;
  uint64_t strideA, strideB, strideC;
};

Batch batchOf(const txrt_gemm_launch &g) {
  if (g.batch0 == 1)
    return {1, g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
  if (g.batch1 == 1)
    return {1, g.batch0, g.stride_a0, g.stride_b0, g.stride_c0};
  if (g.stride_a0 == g.batch1 * g.stride_a1 &&
      g.stride_b0 == g.batch1 * g.stride_b1 &&
      g.stride_c0 == g.batch1 * g.stride_c1)
    return {1, g.batch0 * g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
  return {g.batch0, g.batch1, g.stride_a1, g.stride_b1, g.stride_c1};
}

uint64_t elementBytes(uint32_t dtype) {
  return dtype == TXRT_DTYPE_BF16 ? 2 : 4;
}

lt::DataType typeOf(uint32_t dtype) {
  return dtype == TXRT_DTYPE_BF16 ? lt::BF16 : lt::F32;
}

/// One distinct product; the library's A is our B.
struct Product {
  lt::MatmulDesc desc = nullptr;
  lt::MatrixLayout a = nullptr, b = nullptr, c = nullptr;
  lt::Algorithm algorithm;
};

} // namespace

struct CublasLt::Impl {
  explicit Impl(const txrt_program &program)
      : program(program), library(Library::get()) {
    library.check(library.create(&handle), "create");
    library.check(library.preferenceCreate(&preference), "create");
    // Scratch would have to be in the arena, and the plan has none yet: only
    // algorithms that need none.
    uint64_t workspace = 0;
    library.check(library.preferenceSet(preference, lt::MaxWorkspaceBytes,
                                        &workspace, sizeof workspace),
                  "workspace");
    ofLaunch.resize(program.launch_count);
    for (uint32_t i = 0; i < program.launch_count; ++i)
      if (program.launches[i].kind == TXRT_LAUNCH_GEMM)
        ofLaunch[i] = &prepare(i);
  }

  ~Impl() {
    for (auto &item : products) {
      Product &p = item.second;
      library.matmulDescDestroy(p.desc);
      for (lt::MatrixLayout layout : {p.a, p.b, p.c})
        library.layoutDestroy(layout);
    }
    library.preferenceDestroy(preference);
    library.destroy(handle);
  }

  const txrt_buffer &operand(uint32_t index, int which) const {
    return program.buffers[program.launches[index].first_buffer + which];
  }

  Key keyOf(uint32_t index) const {
    Key key;
    const txrt_gemm_launch &g = program.launches[index].u.gemm;
    memcpy(&key.gemm, &g, sizeof g);
    key.gemm.alpha = key.gemm.beta = 0;
    const uint64_t step[] = {g.stride_a0, g.stride_b0, g.stride_c0};
    const bool loops = batchOf(g).loops > 1;
    for (int i = 0; i < 3; ++i) {
      const txrt_buffer &buffer = operand(index, i);
      key.dtypes[i] = buffer.dtype;
      uint32_t alignment = TXRT_BUFFER_ALIGNMENT;
      const uint64_t loopBytes =
          loops ? step[i] * elementBytes(buffer.dtype) : 0;
      while (buffer.offset % alignment || loopBytes % alignment)
        alignment /= 2;
      key.alignments[i] = alignment;
    }
    return key;
  }

  lt::MatrixLayout layout(uint32_t dtype, uint64_t rows, uint64_t columns,
                          uint64_t leading, uint64_t count, uint64_t stride) {
    lt::MatrixLayout result = nullptr;
    // The row-major matrix is its own transpose in column-major terms.
    library.check(library.layoutCreate(&result, typeOf(dtype), columns, rows,
                                       static_cast<int64_t>(leading)),
                  "layout");
    const int32_t batch = static_cast<int32_t>(count);
    const int64_t offset = static_cast<int64_t>(stride);
    library.check(
        library.layoutSet(result, lt::BatchCount, &batch, sizeof batch),
        "batch");
    library.check(library.layoutSet(result, lt::StridedBatchOffset, &offset,
                                    sizeof offset),
                  "batch");
    return result;
  }

  Product &prepare(uint32_t index) {
    Key key = keyOf(index);
    auto [at, isNew] = products.try_emplace(key);
    Product &p = at->second;
    if (!isNew)
      return p;
    const txrt_gemm_launch &g = program.launches[index].u.gemm;
    const Batch batch = batchOf(g);
    library.check(library.matmulDescCreate(&p.desc, lt::Compute32F, lt::F32),
                  "descriptor");
    const lt::Operation ours[] = {
        g.transpose_b ? lt::Transposed : lt::Plain,
        g.transpose_a ? lt::Transposed : lt::Plain};
    library.check(library.matmulDescSet(p.desc, lt::TransA, &ours[0],
                                        sizeof ours[0]),
                  "transpose");
    library.check(library.matmulDescSet(p.desc, lt::TransB, &ours[1],
                                        sizeof ours[1]),
                  "transpose");
    p.a = layout(key.dtypes[1], g.transpose_b ? g.n : g.k,
                 g.transpose_b ? g.k : g.n, g.ldb, batch.count, batch.strideB);
    p.b = layout(key.dtypes[0], g.transpose_a ? g.k : g.m,
                 g.transpose_a ? g.m : g.k, g.lda, batch.count, batch.strideA);
    p.c = layout(key.dtypes[2], g.m, g.n, g.ldc, batch.count, batch.strideC);
    const std::pair<lt::PreferenceAttribute, uint32_t> alignments[] = {
        {lt::MinAlignmentA, key.alignments[1]},
        {lt::MinAlignmentB, key.alignments[0]},
        {lt::MinAlignmentC, key.alignments[2]},
        {lt::MinAlignmentD, key.alignments[2]}};
    for (auto [attribute, bytes] : alignments)
      library.check(
          library.preferenceSet(preference, attribute, &bytes, sizeof bytes),
          "alignment");
    lt::HeuristicResult found;
    int count = 0;
    lt::Status status =
        library.algoGetHeuristic(handle, p.desc, p.a, p.b, p.c, p.c,
                                 preference, 1, &found, &count);
    if (status != lt::Success || count == 0 || found.state != lt::Success)
      fail(TXRT_DEVICE,
           "%s: cuBLASLt has no algorithm for launch %u (%s): %s",
           program.name, index,
           printable(program.strings + program.launches[index].name).c_str(),
           library.getStatusString(status));
    p.algorithm = found.algorithm;
    return p;
  }

  const txrt_program &program;
  const Library &library;
  lt::Handle handle = nullptr;
  lt::Preference preference = nullptr;
  std::map<Key, Product> products;
  std::vector<const Product *> ofLaunch;
};

CublasLt::CublasLt(const txrt_program &program)
    : impl(std::make_unique<Impl>(program)) {}
CublasLt::~CublasLt() = default;

void CublasLt::launch(uint32_t index, DevicePointer arena, float beta,
                      Stream stream) {
  const txrt_gemm_launch &g = impl->program.launches[index].u.gemm;
  const Product &p = *impl->ofLaunch[index];
  const uint64_t step[] = {g.stride_a0, g.stride_b0, g.stride_c0};
  for (uint64_t i = 0, loops = batchOf(g).loops; i < loops; ++i) {
    void *address[3];
    for (int o = 0; o < 3; ++o) {
      const txrt_buffer &buffer = impl->operand(index, o);
      address[o] = reinterpret_cast<void *>(
          arena + impl->program.segment_base[buffer.segment] + buffer.offset +
          i * step[o] * elementBytes(buffer.dtype));
    }
    impl->library.check(
        impl->library.matmul(impl->handle, p.desc, &g.alpha, address[1], p.a,
                             address[0], p.b, &beta, address[2], p.c,
                             address[2], p.c, &p.algorithm, nullptr, 0,
                             stream),
        "matmul");
  }
}

std::string CublasLt::description() const {
  size_t version = impl->library.getVersion();
  return format("cuBLASLt %zu.%zu.%zu", version / 10000, version / 100 % 100,
                version % 100);
}
