//===- CudaSession.h - Sessions on the fake GPU ---------------------------------------------------------*- C++ -*-===//

#ifndef TEST_RUNTIME_CUDASESSION_H
#define TEST_RUNTIME_CUDASESSION_H

#include "TestArtifact.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>

/// An environment variable, for the fake driver.
struct Setting {
  Setting(const char *name, const char *value) : name(name) { setenv(name, value, 1); }
  ~Setting() { unsetenv(name); }
  const char *name;
};

struct Session {
  explicit Session(const TestArtifact &a, const txrt_options &options = {}) {
    std::vector<uint8_t> bytes = a.bytes();
    if (txrt_artifact_open_memory(bytes.data(), bytes.size(), "test.txa", &artifact, &error))
      return;
    txrt_session_create(artifact, &options, &session, &error);
  }
  ~Session() {
    if (session)
      txrt_session_destroy(session);
    if (artifact)
      txrt_artifact_close(artifact);
  }
  template <typename T> void set(txrt_segment segment, uint64_t offset, const std::vector<T> &v) {
    ASSERT_EQ(txrt_session_write(session, segment, offset, v.size() * sizeof(T), v.data(), &error), TXRT_OK)
        << error.message;
  }
  std::vector<float> get(txrt_segment segment, uint64_t offset, uint64_t n) {
    std::vector<float> values(n);
    EXPECT_EQ(txrt_session_read(session, segment, offset, n * 4, values.data(), &error), TXRT_OK) << error.message;
    return values;
  }
  txrt_status run(int entry) { return txrt_session_run(session, entry, &error); }
  txrt_artifact *artifact = nullptr;
  txrt_session *session = nullptr;
  txrt_error error = {};
};

inline TestArtifact gpuArtifact() {
  TestArtifact a = smallArtifact();
  a.addGpuCode();
  return a;
}

/// Runs it on small whole numbers; the arguments afterwards.
inline std::vector<float> runProduct(Session &s) {
  std::vector<float> arguments(256, 0.0f);
  for (int i = 0; i < 12; ++i)
    arguments[i] = static_cast<float>(i % 5 - 2);
  for (int i = 0; i < 15; ++i)
    arguments[64 + i] = static_cast<float>(i % 7 - 3);
  for (int i = 0; i < 5; ++i)
    arguments[192 + i] = static_cast<float>(10 * i);
  for (int i = 0; i < 32; ++i)
    arguments[208 + i] = static_cast<float>(i % 9 - 4) / 4;
  s.set(TXRT_SEGMENT_ARGUMENT, 0, arguments);
  EXPECT_EQ(s.run(0), TXRT_OK) << s.error.message;
  return s.get(TXRT_SEGMENT_ARGUMENT, 0, 256);
}

/// What the last session warned of.
inline std::string &warnings() {
  static std::string text;
  return text;
}
inline void warn(const char *message) { warnings() += std::string(message) + "\n"; }

#endif // TEST_RUNTIME_CUDASESSION_H
