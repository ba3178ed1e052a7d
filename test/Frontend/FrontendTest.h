//===- FrontendTest.h - What the frontend's tests share -------------------------------------------------*- C++ -*-===//

#ifndef TX_TEST_FRONTEND_FRONTENDTEST_H
#define TX_TEST_FRONTEND_FRONTENDTEST_H

#include "tx/Frontend/CompileOptions.h"
#include "tx/Support/UserError.h"

#include "gtest/gtest.h"

namespace tx {

/// The message and the exit status of an error.
struct Failure {
  std::string message;
  int exitCode;
};

inline Failure take(llvm::Error error) {
  Failure failure{"", 0};
  llvm::handleAllErrors(std::move(error), [&](const UserError &info) {
    failure = {info.message(), static_cast<int>(info.getExitCode())};
  });
  return failure;
}

inline llvm::Expected<CompileOptions> parse(std::vector<llvm::StringRef> arguments) {
  return parseCommandLine(arguments);
}

/// What a command line fails with; no message if it does not.
inline Failure failureOf(std::vector<llvm::StringRef> arguments) {
  llvm::Expected<CompileOptions> options = parse(std::move(arguments));
  return options ? Failure{"", 0} : take(options.takeError());
}

/// The options of a command line that must be good.
inline CompileOptions parsed(std::vector<llvm::StringRef> arguments) {
  llvm::Expected<CompileOptions> options = parse(std::move(arguments));
  if (options)
    return *options;
  ADD_FAILURE() << take(options.takeError()).message;
  return {};
}

/// Whether a note holds the words.
inline bool hasNote(const std::vector<std::string> &notes, llvm::StringRef words) {
  for (llvm::StringRef note : notes)
    if (note.contains(words))
      return true;
  return false;
}

#define EXPECT_HOLDS(text, words) EXPECT_NE(std::string(text).find(words), std::string::npos) << (text)

} // namespace tx

#endif // TX_TEST_FRONTEND_FRONTENDTEST_H
