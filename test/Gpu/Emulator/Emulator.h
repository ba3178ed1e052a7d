//===- Emulator.h - Runs PTX on the CPU -----------------------------------------------------------------*- C++ -*-===//
//
// An oracle for tests: what kernels compute, and that they do nothing which a GPU would punish. No model of speed,
// caches or the device's own approximations.
//
//   ptx::Module module(text);                   // parsed and checked as a whole
//   ptx::Device device;
//   uint64_t x = device.allocate(1024);
//   device.run(*module.find("scale"), {{4, 1, 1}, {64, 1, 1}, 0, {&x}});
//
// An error (ptx::Error) names kernel, instruction, thread and address. Errors are:
// accesses out of bounds, not aligned or to shared memory that nobody wrote; reads of
// registers that nobody wrote; races (two threads, one of them writing, without a
// barrier between them, or of two blocks); barriers and warp-wide instructions that
// not all reach, and barriers where chance says who meets; instructions that are
// unknown here; f32 sums and products that an assembler may contract.
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TX_TEST_GPU_EMULATOR_EMULATOR_H
#define TX_TEST_GPU_EMULATOR_EMULATOR_H

#include <array>
#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace ptx {

struct Error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct Kernel;

/// A module of PTX text.
class Module {
public:
  explicit Module(const std::string &text);
  ~Module();
  Module(Module &&);
  /// Null if there is none of the name.
  const Kernel *find(const std::string &name) const;

private:
  std::vector<std::unique_ptr<Kernel>> kernels;
};

struct Launch {
  std::array<unsigned, 3> grid = {1, 1, 1}, block = {1, 1, 1};
  unsigned sharedBytes = 0; // dynamic
  /// Where each parameter's value is, as in cuLaunchKernel.
  std::vector<const void *> parameters;
};

/// How many parameters a kernel takes, and how many bytes each has.
const std::vector<unsigned> &parameterSizes(const Kernel &kernel);
/// What a kernel has of shared memory beside what a launch brings.
unsigned staticSharedBytes(const Kernel &kernel);
/// Of a block, as its .maxntid says; 0 if it says nothing.
unsigned maxThreads(const Kernel &kernel);

class Memory;

class Device {
public:
  Device();
  ~Device();

  /// Aligned to 256 bytes, all of them 0xff. The address is the host's too.
  uint64_t allocate(size_t bytes);
  void release(uint64_t address);
  /// Whether all of these bytes are one allocation's.
  bool contains(uint64_t address, size_t bytes) const;
  void run(const Kernel &kernel, const Launch &launch);

  /// Races cost time and memory to find.
  bool findsRaces = true;
  /// Of warps, so far.
  uint64_t instructions() const { return executed; }
  /// Of global memory, by all threads so far; what a cache would save counts.
  uint64_t bytesRead() const { return moved[0]; }
  uint64_t bytesWritten() const { return moved[1]; }

private:
  std::unique_ptr<Memory> memory;
  uint64_t executed = 0, moved[2] = {0, 0};
};

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_EMULATOR_H
