// The fake driver refuses what a driver refuses: else a test on it says nothing.

#include "CudaSession.h"

#include "backends/cuda/Device.h"

#include <functional>

using namespace txrt::cuda;

namespace {

enum : Result {
  InvalidValue = 1,
  OutOfResources = 701,
  CaptureUnsupported = 900,
  CaptureInvalidated = 901,
  CapturedEvent = 907,
};

/// A kernel with 4 KiB of its own shared memory, beside what a launch brings.
const char *const code = "//\n.version 7.8\n.target sm_80\n.address_size 64\n"
                         ".extern .shared .align 16 .b8 all[];\n"
                         ".visible .entry k() .maxntid 256, 1, 1\n{\n"
                         ".reg .b32 %r<3>;\n.shared .align 16 .b8 own[4096];\n"
                         "mov.b32 %r1, own; mov.b32 %r2, all; ret;\n}\n";

struct FakeDriver : testing::Test {
  FakeDriver() : driver(Driver::get()), context(driver, 0), stream(driver), module(driver) {
    driver.streamCreate(&stream, StreamNonBlocking);
    EXPECT_EQ(driver.moduleLoadDataEx(&module, code, 0, nullptr, nullptr), Success);
    EXPECT_EQ(driver.moduleGetFunction(&function, module, "k"), Success);
  }
  Result launch(unsigned x, unsigned y, unsigned z, unsigned threads, unsigned shared = 0, unsigned threadsZ = 1) {
    return driver.launchKernel(function, x, y, z, threads, 1, threadsZ, shared, stream, nullptr, nullptr);
  }
  const Driver &driver;
  DeviceContext context;
  OwnedStream stream;
  OwnedModule module;
  Function function = nullptr;
};

} // namespace

// The driver's reference manual, cuThreadExchangeStreamCaptureMode: a thread that captures does nothing that the
// capture can not see. What it refuses costs the capture.
TEST_F(FakeDriver, RefusesInACapture) {
  DevicePointer address = 0;
  OwnedEvent event(driver);
  void *memory = nullptr;
  char byte;
  ASSERT_EQ(driver.memAlloc(&address, 256), Success);
  ASSERT_EQ(driver.memHostAlloc(&memory, 8, 0), Success);
  ASSERT_EQ(driver.eventCreate(&event, 0), Success);
  Module other = nullptr;
  const std::pair<const char *, std::function<Result()>> calls[] = {
      {"allocate",
       [&] {
         DevicePointer more;
         return driver.memAlloc(&more, 256);
       }},
      {"free", [&] { return driver.memFree(address); }},
      {"allocate on the host",
       [&] {
         void *more;
         return driver.memHostAlloc(&more, 8, 0);
       }},
      {"free on the host", [&] { return driver.memFreeHost(memory); }},
      {"copy and wait", [&] { return driver.memcpyDtoH(&byte, address, 1); }},
      {"load", [&] { return driver.moduleLoadDataEx(&other, code, 0, nullptr, nullptr); }},
      {"unload", [&] { return driver.moduleUnload(module); }},
      {"wait", [&] { return driver.streamSynchronize(stream); }},
      {"ask", [&] { return driver.streamQuery(stream); }},
  };
  for (const auto &[what, call] : calls) {
    SCOPED_TRACE(what);
    OwnedGraph graph(driver);
    ASSERT_EQ(driver.streamBeginCapture(stream, CaptureThreadLocal), Success);
    EXPECT_EQ(call(), CaptureUnsupported);
    EXPECT_EQ(driver.streamEndCapture(stream, &graph), CaptureInvalidated);
    EXPECT_EQ(static_cast<Graph>(graph), nullptr);
    EXPECT_EQ(driver.streamSynchronize(stream), Success); // the stream is itself again
  }
  // What is only queued is captured.
  OwnedGraph graph(driver);
  float milliseconds;
  ASSERT_EQ(driver.streamBeginCapture(stream, CaptureThreadLocal), Success);
  EXPECT_EQ(driver.memsetD8Async(address, 1, 256, stream), Success);
  EXPECT_EQ(driver.eventRecord(event, stream), Success);
  EXPECT_EQ(driver.eventElapsedTime(&milliseconds, event, event), CapturedEvent);
  EXPECT_EQ(driver.streamEndCapture(stream, &graph), Success);
  EXPECT_EQ(driver.memFree(address), Success);
  EXPECT_EQ(driver.memFreeHost(memory), Success);
}

// The CUDA programming guide's table of compute capabilities.
TEST_F(FakeDriver, SharedMemoryOfEachArchitecture) {
  const std::pair<const char *, int> architectures[] = {{"80", 163}, {"86", 99},   {"89", 99},
                                                        {"90", 227}, {"100", 227}, {"120", 99}};
  for (auto [capability, most] : architectures) {
    SCOPED_TRACE(capability);
    Setting set("FAKE_CUDA_CAPABILITY", capability);
    const int free = (most - 4) << 10; // beside the kernel's own
    EXPECT_EQ(driver.funcSetAttribute(function, MaxDynamicSharedSizeBytes, free + 1), InvalidValue);
    EXPECT_EQ(driver.funcSetAttribute(function, MaxDynamicSharedSizeBytes, free), Success);
    EXPECT_EQ(launch(1, 1, 1, 32, static_cast<unsigned>(free)), Success);
    EXPECT_EQ(launch(1, 1, 1, 32, static_cast<unsigned>(free) + 1), InvalidValue);
    // 48 KiB in all without asking.
    EXPECT_EQ(driver.funcSetAttribute(function, MaxDynamicSharedSizeBytes, 0), Success);
    EXPECT_EQ(launch(1, 1, 1, 32, 44 << 10), Success);
    EXPECT_EQ(launch(1, 1, 1, 32, (44 << 10) + 1), InvalidValue);
  }
}

TEST_F(FakeDriver, GridsAndBlocks) {
  EXPECT_EQ(launch(70000, 1, 1, 1), Success);
  EXPECT_EQ(launch(1, 65535, 1, 1), Success);
  EXPECT_EQ(launch(1, 65536, 1, 1), InvalidValue);
  EXPECT_EQ(launch(1, 1, 65536, 1), InvalidValue);
  EXPECT_EQ(launch(0x80000000, 1, 1, 1), InvalidValue);
  EXPECT_EQ(launch(0, 1, 1, 1), InvalidValue);
  EXPECT_EQ(launch(1, 1, 1, 0), InvalidValue);
  EXPECT_EQ(launch(1, 1, 1, 1025), InvalidValue);
  EXPECT_EQ(launch(1, 1, 1, 1, 0, 65), InvalidValue);
  EXPECT_EQ(launch(1, 1, 1, 32, 0, 64), InvalidValue); // 2048 threads
  EXPECT_EQ(launch(1, 1, 1, 256), Success);
  EXPECT_EQ(launch(1, 1, 1, 257), OutOfResources); // as its .maxntid says
}

TEST_F(FakeDriver, MemoryEnds) {
  Setting free("FAKE_CUDA_FREE", "1024");
  DevicePointer address = 0;
  EXPECT_EQ(driver.memAlloc(&address, 1025), OutOfMemory);
  EXPECT_EQ(driver.memAlloc(&address, 1024), Success);
  DevicePointer more = 0;
  EXPECT_EQ(driver.memAlloc(&more, 1), OutOfMemory);
  EXPECT_EQ(driver.memFree(address), Success);
}
