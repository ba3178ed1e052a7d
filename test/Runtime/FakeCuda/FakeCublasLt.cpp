//===- FakeCublasLt.cpp - Products in host memory -------------------------------------------------------*- C++ -*-===//
//
// cuBLASLt's column-major products of f32 and bf16, with f32 sums in the order of k. Where operands lie, and how
// aligned, is checked.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FakeCuda.h"

#include "backends/cuda/CublasLtApi.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <set>
#include <tuple>

using namespace txrt::cuda;
using txrt::cuda::lt::Status;

namespace txrt::cuda::lt {
struct MatmulDescOpaque {
  Operation a = Plain, b = Plain;
  uint32_t epilogue = 0;
  void *vector = nullptr;
};
struct MatrixLayoutOpaque {
  DataType type;
  uint64_t rows, columns;
  int64_t leading;
  int32_t count = 1;
  int64_t stride = 0;
};
struct PreferenceOpaque {
  uint32_t alignments[3] = {256, 256, 256}; // of A, B, C
  uint64_t workspace = 0;
  uint32_t schemes = 7;
};
} // namespace txrt::cuda::lt

namespace {

size_t elementBytes(const lt::MatrixLayout layout) { return layout->type == lt::F32 ? 4 : 2; }

float load(const void *matrix, const lt::MatrixLayout layout, size_t at) {
  if (layout->type == lt::F32)
    return static_cast<const float *>(matrix)[at];
  return fake::widen(static_cast<const uint16_t *>(matrix)[at]);
}

void store(void *matrix, const lt::MatrixLayout layout, size_t at, float value) {
  if (layout->type == lt::F32) {
    static_cast<float *>(matrix)[at] = value;
    return;
  }
  static_cast<uint16_t *>(matrix)[at] = fake::narrow(value);
}

size_t place(const lt::MatrixLayout layout, int64_t batch, uint64_t row, uint64_t column) {
  return static_cast<size_t>(batch * layout->stride) + column * static_cast<size_t>(layout->leading) + row;
}

/// A matrix as columns of f32, transposed or not.
void readColumns(std::vector<float> &result, const void *matrix, const lt::MatrixLayout layout, int64_t batch,
                 bool transposed) {
  const uint64_t rows = transposed ? layout->columns : layout->rows,
                 columns = transposed ? layout->rows : layout->columns;
  result.clear();
  for (uint64_t j = 0; j < columns; ++j)
    for (uint64_t i = 0; i < rows; ++i)
      result.push_back(load(matrix, layout, transposed ? place(layout, batch, j, i) : place(layout, batch, i, j)));
}

/// Whether a matrix lies in device memory, and where its algorithm may read it.
void checkPlace(const char *name, const void *matrix, const lt::MatrixLayout layout, uint32_t alignment) {
  const auto address = reinterpret_cast<uint64_t>(matrix);
  const size_t elements = place(layout, layout->count - 1, layout->rows - 1, layout->columns - 1) + 1;
  if (!fake::device().contains(address, elements * elementBytes(layout)))
    throw ptx::Error(std::string("cublasLtMatmul: matrix ") + name + " is out of bounds");
  if (address % alignment)
    throw ptx::Error(std::string("cublasLtMatmul: matrix ") + name +
                     " is less aligned than its algorithm was asked for");
}

// Algorithms are their number, what they were asked for, and a seal. The i-th needs i times 256 bytes of scratch, and
// takes less time the closer it is to FAKE_CUBLASLT_BEST. None gives sums beside a product if FAKE_CUBLASLT_SUMS is 0.
constexpr uint64_t algorithmCount = 24, seal = 42;

lt::HeuristicResult resultOf(uint64_t number, const uint32_t *alignments) {
  lt::HeuristicResult result = {};
  result.algorithm = {{number, alignments[0], alignments[1], alignments[2], seal}};
  result.workspaceBytes = number * 256;
  return result;
}

long timeOf(uint64_t number) {
  return 100 + 10 * std::labs(static_cast<long>(number) - fake::setting("FAKE_CUBLASLT_BEST", 0));
}

bool hasSums(uint32_t epilogue) { return epilogue >= lt::BiasGradientA; }

/// As the library's documentation asks: a place for the vector of an epilogue.
bool hasPlace(const lt::MatmulDesc desc) { return !desc->epilogue || desc->vector; }

int handles = 0;
/// Kernels that a context has: they come at their first call, and those that add to C are others than those that write
/// it.
std::set<std::tuple<uint64_t, uint32_t, int, int, int, int, bool>> loaded;

/// False in a capture: what is loaded then, it does not see.
bool load(const lt::Algorithm &algorithm, const lt::MatmulDesc desc, const lt::MatrixLayout a, const lt::MatrixLayout c,
          bool adds) {
  const bool isNew =
      loaded.insert({algorithm.data[0], desc->epilogue, desc->a, desc->b, a->type, c->type, adds}).second;
  return !isNew || fake::mayActUnseen();
}

bool fits(const lt::MatmulDesc desc, const lt::MatrixLayout a, const lt::MatrixLayout b, const lt::MatrixLayout c) {
  const bool ta = desc->a == lt::Transposed, tb = desc->b == lt::Transposed;
  for (const lt::MatrixLayout layout : {a, b, c})
    if (layout->leading < static_cast<int64_t>(layout->rows) || layout->count != c->count)
      return false;
  return (ta ? a->columns : a->rows) == c->rows && (tb ? b->rows : b->columns) == c->columns &&
         (ta ? a->rows : a->columns) == (tb ? b->columns : b->rows);
}

} // namespace

extern "C" {

size_t cublasLtGetVersion() { return static_cast<size_t>(fake::setting("FAKE_CUBLASLT_VERSION", 130100)); }
const char *cublasLtGetStatusString(Status) { return "said by the fake"; }
Status cublasLtCreate(lt::Handle *) {
  if (!fake::hasContext() || !fake::mayActUnseen())
    return 1;
  if (!fake::take(fake::BytesOfLibrary))
    return lt::AllocationFailed;
  ++handles;
  return 0;
}
Status cublasLtDestroy(lt::Handle) {
  fake::giveBack(fake::BytesOfLibrary);
  if (--handles == 0)
    loaded.clear();
  return 0;
}
Status cublasLtMatmulDescCreate(lt::MatmulDesc *desc, lt::ComputeType, lt::DataType) {
  *desc = new lt::MatmulDescOpaque;
  return 0;
}
Status cublasLtMatmulDescSetAttribute(lt::MatmulDesc desc, lt::DescAttribute attribute, const void *value, size_t) {
  if (attribute == lt::TransA)
    desc->a = *static_cast<const lt::Operation *>(value);
  else if (attribute == lt::TransB)
    desc->b = *static_cast<const lt::Operation *>(value);
  else if (attribute == lt::Epilogue)
    desc->epilogue = *static_cast<const uint32_t *>(value);
  else if (attribute == lt::BiasPointer)
    desc->vector = *static_cast<void *const *>(value);
  return 0;
}
Status cublasLtMatmulDescDestroy(lt::MatmulDesc desc) {
  delete desc;
  return 0;
}
Status cublasLtMatrixLayoutCreate(lt::MatrixLayout *layout, lt::DataType type, uint64_t rows, uint64_t columns,
                                  int64_t leading) {
  *layout = new lt::MatrixLayoutOpaque{type, rows, columns, leading};
  return 0;
}
Status cublasLtMatrixLayoutSetAttribute(lt::MatrixLayout layout, lt::LayoutAttribute attribute, const void *value,
                                        size_t) {
  if (attribute == lt::BatchCount)
    layout->count = *static_cast<const int32_t *>(value);
  else
    layout->stride = *static_cast<const int64_t *>(value);
  return 0;
}
Status cublasLtMatrixLayoutDestroy(lt::MatrixLayout layout) {
  delete layout;
  return 0;
}
Status cublasLtMatmulPreferenceCreate(lt::Preference *preference) {
  *preference = new lt::PreferenceOpaque;
  return 0;
}
Status cublasLtMatmulPreferenceSetAttribute(lt::Preference preference, lt::PreferenceAttribute attribute,
                                            const void *value, size_t) {
  if (attribute >= lt::MinAlignmentA && attribute <= lt::MinAlignmentC)
    preference->alignments[attribute - lt::MinAlignmentA] = *static_cast<const uint32_t *>(value);
  else if (attribute == lt::MaxWorkspaceBytes)
    preference->workspace = *static_cast<const uint64_t *>(value);
  else if (attribute == lt::ReductionSchemeMask)
    preference->schemes = *static_cast<const uint32_t *>(value);
  return 0;
}
Status cublasLtMatmulPreferenceDestroy(lt::Preference preference) {
  delete preference;
  return 0;
}
Status cublasLtMatmulAlgoGetHeuristic(lt::Handle, lt::MatmulDesc desc, lt::MatrixLayout a, lt::MatrixLayout b,
                                      lt::MatrixLayout c, lt::MatrixLayout, lt::Preference preference, int most,
                                      lt::HeuristicResult *results, int *count) {
  *count = 0;
  // Sums of parts in another type than f32 would be other numbers.
  if (!fits(desc, a, b, c) || preference->schemes != lt::SumInComputeType)
    return 0;
  if ((hasSums(desc->epilogue) && !fake::setting("FAKE_CUBLASLT_SUMS", 1)) || !hasPlace(desc))
    return 0;
  for (uint64_t i = 0; i < algorithmCount && *count < most; ++i)
    if (i * 256 <= preference->workspace)
      results[(*count)++] = resultOf(i, preference->alignments);
  return 0;
}

Status cublasLtMatmulAlgoCheck(lt::Handle, lt::MatmulDesc desc, lt::MatrixLayout a, lt::MatrixLayout b,
                               lt::MatrixLayout c, lt::MatrixLayout, const lt::Algorithm *algorithm,
                               lt::HeuristicResult *result) {
  if (!fits(desc, a, b, c) || algorithm->data[0] >= algorithmCount || algorithm->data[4] != seal)
    return 15;
  *result = {};
  result->algorithm = *algorithm;
  result->workspaceBytes = algorithm->data[0] * 256;
  return 0;
}

Status cublasLtMatmul(lt::Handle, lt::MatmulDesc desc, const void *alphaAt, const void *a, lt::MatrixLayout la,
                      const void *b, lt::MatrixLayout lb, const void *betaAt, const void *, lt::MatrixLayout, void *c,
                      lt::MatrixLayout lc, const lt::Algorithm *algorithm, void *workspace, size_t workspaceBytes,
                      Stream stream) {
  if (!fits(desc, la, lb, lc) || (workspaceBytes && !workspace) || reinterpret_cast<uintptr_t>(workspace) % 256 ||
      !hasPlace(desc))
    return 7;
  const float alpha = *static_cast<const float *>(alphaAt);
  const float beta = *static_cast<const float *>(betaAt);
  const bool ta = desc->a == lt::Transposed, tb = desc->b == lt::Transposed;
  const lt::Algorithm chosen = algorithm ? *algorithm : lt::Algorithm{{0, 2, 2, 2}};
  if (chosen.data[0] * 256 > workspaceBytes)
    return 7;
  if (!load(chosen, desc, la, lc, beta != 0))
    return 14;
  // Descriptions are copied when a product is queued.
  fake::run(stream, [=, la = *la, lb = *lb, lc = *lc, epilogue = desc->epilogue, vector = desc->vector]() mutable {
    checkPlace("A", a, &la, static_cast<uint32_t>(chosen.data[1]));
    checkPlace("B", b, &lb, static_cast<uint32_t>(chosen.data[2]));
    checkPlace("C", c, &lc, static_cast<uint32_t>(chosen.data[3]));
    fake::clock() += timeOf(chosen.data[0]);
    if (workspaceBytes) // as a library may
      memset(workspace, 0xee, workspaceBytes);
    const uint64_t m = lc.rows, k = ta ? la.rows : la.columns;
    // Kept, since steps are to allocate nothing.
    static std::vector<float> left, right, sums;
    sums.resize(m);
    for (int64_t batch = 0; batch < lc.count; ++batch) {
      readColumns(left, a, &la, batch, ta);
      readColumns(right, b, &lb, batch, tb);
      for (uint64_t i = 0; epilogue == lt::BiasGradientA && i < m; ++i) {
        float sum = 0;
        for (uint64_t p = 0; p < k; ++p)
          sum += left[p * m + i];
        store(vector, &lc, i, sum);
      }
      for (uint64_t j = 0; epilogue == lt::BiasGradientB && j < lc.columns; ++j) {
        float sum = 0;
        for (uint64_t p = 0; p < k; ++p)
          sum += right[j * k + p];
        store(vector, &lc, j, sum);
      }
      for (uint64_t j = 0; j < lc.columns; ++j) {
        // Each sum in the order of k.
        std::fill(sums.begin(), sums.end(), 0.0f);
        for (uint64_t p = 0; p < k; ++p)
          for (uint64_t i = 0; i < m; ++i)
            sums[i] += left[p * m + i] * right[j * k + p];
        for (uint64_t i = 0; i < m; ++i) {
          const size_t at = place(&lc, batch, i, j);
          float before = beta == 0 ? 0 : beta * load(c, &lc, at);
          float bias = epilogue == lt::Bias ? load(vector, &lc, i) : 0;
          store(c, &lc, at, alpha * sums[i] + before + bias);
        }
      }
    }
  });
  return 0;
}

} // extern "C"
