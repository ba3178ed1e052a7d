//===- TestKernel.h - PTX around a few instructions -----------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_GPU_EMULATOR_TESTKERNEL_H
#define TX_TEST_GPU_EMULATOR_TESTKERNEL_H

#include "Emulator.h"

#include <cstring>

namespace ptx {

/// A kernel with 64-bit parameters p0, p1 in %d0, %d1, the thread's number in %t, and registers of each kind: %p0..,
/// %h0.. (16 bits), %r0.. (32), %d2.. (64).
inline std::string kernelOf(const std::string &body) {
  return ".version 7.8\n.target sm_90\n.address_size 64\n"
         ".visible .entry k(.param .u64 p0, .param .u64 p1)\n{\n"
         ".reg .pred %p<8>; .reg .b16 %h<16>; .reg .b32 %r<32>, %t; .reg .b64 %d<32>;\n"
         "ld.param.b64 %d0, [p0]; ld.param.b64 %d1, [p1]; mov.u32 %t, %tid.x;\n" +
         body + "\nret;\n}\n";
}

/// A kernel that runs on `in`, one result for each thread in `out`.
struct TestRun {
  Device device;
  std::string error;
  std::vector<uint64_t> out;

  TestRun(const std::string &body, const std::vector<uint64_t> &in, unsigned threads = 1, unsigned blocks = 1,
          unsigned outputs = 0) {
    outputs = outputs ? outputs : threads * blocks;
    uint64_t from = device.allocate(8 * in.size()), to = device.allocate(8 * outputs);
    std::memcpy(reinterpret_cast<void *>(from), in.data(), 8 * in.size());
    try {
      Module module(kernelOf(body));
      device.run(*module.find("k"), {{blocks, 1, 1}, {threads, 1, 1}, 0, {&from, &to}});
    } catch (const Error &caught) {
      error = caught.what();
    }
    out.resize(outputs);
    std::memcpy(out.data(), reinterpret_cast<void *>(to), 8 * outputs);
  }
};

} // namespace ptx

#endif // TX_TEST_GPU_EMULATOR_TESTKERNEL_H
