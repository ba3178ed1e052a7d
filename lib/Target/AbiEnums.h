//===- AbiEnums.h - The compiler's enumerations as numbers of the ABI -----------------------------------*- C++ -*-===//
//
// The dialects' enumerations have the numbers that txrt/abi.h gives them, so a conversion is a cast. The assertions
// below check the numbers when the compiler is built; test/Target/AbiEnumsTest.cpp compares the names.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_LIB_TARGET_ABIENUMS_H
#define TX_LIB_TARGET_ABIENUMS_H

#include "tx/Dialect/Step/IR/StepOps.h"

#include "txrt/abi.h"

namespace tx {

constexpr txrt_phase toAbi(Segment segment) { return static_cast<txrt_phase>(segment); }
constexpr txrt_segment toAbi(step::ArenaSegment segment) { return static_cast<txrt_segment>(segment); }
constexpr txrt_gemm_operand toAbi(step::GemmRole role) { return static_cast<txrt_gemm_operand>(role); }
constexpr txrt_collective toAbi(CollectiveKind kind) { return static_cast<txrt_collective>(kind); }
constexpr txrt_lane toAbi(Lane lane) { return static_cast<txrt_lane>(lane); }

#define TX_SAME(ours, theirs) static_assert(static_cast<uint32_t>(ours) == static_cast<uint32_t>(theirs))
TX_SAME(Segment::Forward, TXRT_PHASE_FORWARD);
TX_SAME(Segment::Backward, TXRT_PHASE_BACKWARD);
TX_SAME(Segment::Recompute, TXRT_PHASE_RECOMPUTE);
TX_SAME(Segment::Optimizer, TXRT_PHASE_OPTIMIZER);

TX_SAME(Lane::Compute, TXRT_LANE_COMPUTE);
TX_SAME(Lane::Copies, TXRT_LANE_COPIES);
TX_SAME(Lane::Collectives, TXRT_LANE_COLLECTIVES);
TX_SAME(getMaxEnumValForLane() + 1, TXRT_LANE_COUNT);

TX_SAME(step::ArenaSegment::Persistent, TXRT_SEGMENT_PERSISTENT);
TX_SAME(step::ArenaSegment::Argument, TXRT_SEGMENT_ARGUMENT);
TX_SAME(step::ArenaSegment::Saved, TXRT_SEGMENT_SAVED);
TX_SAME(step::ArenaSegment::Transient, TXRT_SEGMENT_TRANSIENT);
TX_SAME(step::getMaxEnumValForArenaSegment() + 1, TXRT_SEGMENT_COUNT);

TX_SAME(step::GemmRole::A, TXRT_GEMM_A);
TX_SAME(step::GemmRole::B, TXRT_GEMM_B);
TX_SAME(step::GemmRole::C, TXRT_GEMM_C);
TX_SAME(step::GemmRole::Reset, TXRT_GEMM_RESET);
TX_SAME(step::GemmRole::Bias, TXRT_GEMM_BIAS);
TX_SAME(step::GemmRole::SumsA, TXRT_GEMM_SUMS_A);
TX_SAME(step::GemmRole::SumsB, TXRT_GEMM_SUMS_B);
TX_SAME(step::GemmRole::Scratch, TXRT_GEMM_SCRATCH);
TX_SAME(step::GemmRole::ScaleA, TXRT_GEMM_SCALE_A);
TX_SAME(step::GemmRole::ScaleB, TXRT_GEMM_SCALE_B);
TX_SAME(step::GemmRole::ScaleC, TXRT_GEMM_SCALE_C);
TX_SAME(step::GemmRole::AmaxC, TXRT_GEMM_AMAX_C);
TX_SAME(step::GemmRole::GroupOffsets, TXRT_GEMM_GROUP_OFFSETS);
TX_SAME(step::getMaxEnumValForGemmRole() + 1, TXRT_GEMM_OPERANDS);

TX_SAME(CollectiveKind::AllReduce, TXRT_ALL_REDUCE);
TX_SAME(CollectiveKind::AllGather, TXRT_ALL_GATHER);
TX_SAME(CollectiveKind::ReduceScatter, TXRT_REDUCE_SCATTER);
TX_SAME(CollectiveKind::AllToAll, TXRT_ALL_TO_ALL);
TX_SAME(CollectiveKind::Broadcast, TXRT_BROADCAST);
TX_SAME(CollectiveKind::Reduce, TXRT_REDUCE);
TX_SAME(CollectiveKind::SendRecv, TXRT_SEND_RECV);
TX_SAME(getMaxEnumValForCollectiveKind() + 1, TXRT_COLLECTIVE_COUNT);

TX_SAME(GlobalRole::Parameter, TXRT_ROLE_PARAMETER);
TX_SAME(GlobalRole::Gradient, TXRT_ROLE_GRADIENT);
TX_SAME(GlobalRole::Moment1, TXRT_ROLE_MOMENT1);
TX_SAME(GlobalRole::Moment2, TXRT_ROLE_MOMENT2);
TX_SAME(GlobalRole::Master, TXRT_ROLE_MASTER);
TX_SAME(getMaxEnumValForGlobalRole() + 1, TXRT_ROLE_COUNT);
TX_SAME(InitKind::Zeros, TXRT_INIT_ZEROS);
TX_SAME(InitKind::Ones, TXRT_INIT_ONES);
TX_SAME(InitKind::Normal, TXRT_INIT_NORMAL);
TX_SAME(getMaxEnumValForInitKind() + 1, TXRT_INIT_COUNT);
TX_SAME(AxisKind::Batch, TXRT_AXIS_BATCH);
TX_SAME(AxisKind::Sequence, TXRT_AXIS_SEQUENCE);
TX_SAME(AxisKind::Tensor, TXRT_AXIS_TENSOR);
TX_SAME(AxisKind::Expert, TXRT_AXIS_EXPERT);
TX_SAME(AxisKind::Stage, TXRT_AXIS_STAGE);
TX_SAME(getMaxEnumValForAxisKind() + 1, TXRT_AXIS_COUNT);
#undef TX_SAME

} // namespace tx

#endif // TX_LIB_TARGET_ABIENUMS_H
