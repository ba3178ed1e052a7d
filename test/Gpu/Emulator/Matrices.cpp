//===- Matrices.cpp - ldmatrix, stmatrix and mma ------------------------------------------------------------------===//
//
// Fragments lie as the PTX ISA says: with group = lane / 4 and pair = lane % 4,
//   A (16 x 16)  registers 0..3: rows group, group + 8; columns 2 pair, then 8 more
//   B (16 x 8)   registers 0..1: rows 2 pair, then 8 more; column group
//   C (16 x 8)   registers 0..3: row group, columns 2 pair and 2 pair + 1; row group + 8
// A device adds products in an order that nobody promises: here all of them are
// added in double and rounded once.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "Floats.h"
#include "Lanes.h"

using namespace ptx;

namespace {

float half(uint64_t pair, unsigned which) { return widen(Bf16{static_cast<uint16_t>(pair >> 16 * which)}); }

/// D = A B + C; k = 16 or 8.
template <unsigned k> void multiply(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  constexpr unsigned kA = k / 4, kB = k / 8; // registers
  float a[16][k], b[k][8], c[16][8];
  auto operand = [&](unsigned i, unsigned lane) { return warp.slot(instruction.slots[i])[lane]; };
  forLanes(lanes, [&](unsigned lane) {
    const unsigned group = lane / 4, pair = lane % 4;
    for (unsigned i = 0; i < kA; ++i)
      for (unsigned e = 0; e < 2; ++e)
        a[group + 8 * (i % 2)][2 * pair + e + 8 * (i / 2)] = half(operand(4 + i, lane), e);
    for (unsigned i = 0; i < kB; ++i)
      for (unsigned e = 0; e < 2; ++e)
        b[2 * pair + e + 8 * i][group] = half(operand(4 + kA + i, lane), e);
    for (unsigned i = 0; i < 4; ++i)
      c[group + 8 * (i / 2)][2 * pair + i % 2] = unpack<float>(operand(4 + kA + kB + i, lane));
  });
  forLanes(lanes, [&](unsigned lane) {
    for (unsigned i = 0; i < 4; ++i) {
      const unsigned row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
      double sum = c[row][column];
      for (unsigned p = 0; p < k; ++p)
        sum += static_cast<double>(a[row][p]) * b[p][column];
      warp.slot(instruction.slots[i])[lane] = pack(static_cast<float>(sum));
    }
  });
}

/// Lane 8 m + r has the address of row r of matrix m: 16 bytes. Returns them all.
template <unsigned matrices> void rowsOf(Warp &warp, const Instruction &instruction, Use use, uint8_t *(&rows)[4][8]) {
  for (unsigned m = 0; m < matrices; ++m)
    for (unsigned r = 0; r < 8; ++r) {
      const unsigned lane = 8 * m + r;
      rows[m][r] = warp.access(instruction, lane, Space::Shared, warp.addressOf(instruction, lane), 16, use);
    }
}

template <unsigned matrices, bool transposed>
void loadMatrices(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint8_t *rows[4][8];
  rowsOf<matrices>(warp, instruction, Use::Read, rows);
  for (unsigned m = 0; m < matrices; ++m) {
    uint64_t *to = warp.slot(instruction.slots[m]);
    forLanes(lanes, [&](unsigned lane) {
      uint16_t elements[2];
      for (unsigned e = 0; e < 2; ++e) {
        const unsigned row = transposed ? 2 * (lane % 4) + e : lane / 4,
                       column = transposed ? lane / 4 : 2 * (lane % 4) + e;
        std::memcpy(&elements[e], rows[m][row] + 2 * column, 2);
      }
      to[lane] = uint32_t(elements[1]) << 16 | elements[0];
    });
  }
}

template <unsigned matrices, bool transposed>
void storeMatrices(Warp &warp, const Instruction &instruction, uint32_t lanes) {
  uint8_t *rows[4][8];
  rowsOf<matrices>(warp, instruction, Use::Write, rows);
  for (unsigned m = 0; m < matrices; ++m) {
    const uint64_t *from = warp.slot(instruction.slots[m]);
    forLanes(lanes, [&](unsigned lane) {
      for (unsigned e = 0; e < 2; ++e) {
        const unsigned row = transposed ? 2 * (lane % 4) + e : lane / 4,
                       column = transposed ? lane / 4 : 2 * (lane % 4) + e;
        const auto element = static_cast<uint16_t>(from[lane] >> 16 * e);
        std::memcpy(rows[m][row] + 2 * column, &element, 2);
      }
    });
  }
}

template <unsigned matrices> void addMoves(Table &table) {
  const std::string count = ".x" + std::to_string(matrices);
  table["ldmatrix.sync.aligned.m8n8" + count + ".shared.b16"] = {loadMatrices<matrices, false>, matrices, 0,
                                                                 Control::Warp};
  table["ldmatrix.sync.aligned.m8n8" + count + ".trans.shared.b16"] = {loadMatrices<matrices, true>, matrices, 0,
                                                                       Control::Warp};
  table["stmatrix.sync.aligned.m8n8" + count + ".shared.b16"] = {storeMatrices<matrices, false>, 0, matrices,
                                                                 Control::Warp};
  table["stmatrix.sync.aligned.m8n8" + count + ".trans.shared.b16"] = {storeMatrices<matrices, true>, 0, matrices,
                                                                       Control::Warp};
}

} // namespace

void ptx::addMatrices(Table &table) {
  addMoves<1>(table);
  addMoves<2>(table);
  addMoves<4>(table);
  table["mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32"] = {multiply<16>, 4, 10, Control::Warp};
  table["mma.sync.aligned.m16n8k8.row.col.f32.bf16.bf16.f32"] = {multiply<8>, 4, 7, Control::Warp};
}
