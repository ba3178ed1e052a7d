//===- Describe.cpp - What an artifact is, for people -------------------------------------------------------------===//

#include "Describe.h"
#include "Error.h"
#include "train/Model.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <poll.h>
#include <unistd.h>

namespace txrun {

static std::string signature(const std::vector<TensorSpec> &tensors) {
  std::string text;
  for (const TensorSpec &tensor : tensors)
    text +=
        (text.empty() ? "" : ", ") + printable(tensor.name) + " " + dtypeName(tensor.dtype) + shapeText(tensor.shape);
  return text.empty() ? "nothing" : text;
}

void describe(const std::string &path, Console &console) {
  const OpenArtifact artifact(path);
  const Manifest &manifest = artifact.manifest();
  const ModelSpec &model = manifest.model;
  console.line(format("%s: %s, sha256 %s", printable(path, 200).c_str(), printable(manifest.compiler).c_str(),
                      artifact.digest()));
  uint64_t parameters = 0;
  for (const GlobalSpec *parameter : manifest.withRole(Role::Parameter))
    parameters += parameter->elements();
  if (artifact.batch) {
    const BatchSpec &batch = *artifact.batch;
    std::string config = "from IR";
    if (!model.type.empty())
      config = format("%s, %llu layers, head %s", printable(model.type).c_str(), (unsigned long long)model.numLayers,
                      model.tied ? "tied" : "untied");
    console.line(format("model: %s, vocabulary %llu, %.2f million parameters, micro batch "
                        "%llu x %llu",
                        config.c_str(), (unsigned long long)batch.vocabulary, double(parameters) * 1e-6,
                        (unsigned long long)batch.microBatch, (unsigned long long)batch.sequence));
  } else {
    console.line(printable(path, 200) + ": " + artifact.noBatch);
  }
  if (manifest.ranks > 1)
    console.line(format("ranks: %llu, each with its part of the batch", (unsigned long long)manifest.ranks));
  if (!manifest.policy.empty())
    console.line("recompute policy: " + printable(manifest.policy, 200));
  static const char *const segments[] = {"parameters, gradients, optimizer", "arguments", "saved",
                                         "activations and workspaces"};
  double total = 0;
  for (int i = 0; i < TXRT_SEGMENT_COUNT; ++i)
    total += double(manifest.segmentBytes[i]);
  console.line(format("memory: %s, planned peak %s", readableBytes(total).c_str(),
                      readableBytes(double(manifest.peakBytes)).c_str()));
  for (int i = 0; i < TXRT_SEGMENT_COUNT; ++i)
    if (manifest.segmentBytes[i])
      console.line(format("  %12s  %s", readableBytes(double(manifest.segmentBytes[i])).c_str(), segments[i]));
  for (const EntrySpec &entry : manifest.entries)
    console.line("entry " + printable(entry.name) + ": takes " + signature(entry.arguments) + "; gives " +
                 signature(entry.results));
}

/// Whether standard output is a pipe whose reader has gone.
static bool readerHasGone() {
  struct pollfd pipe = {STDOUT_FILENO, POLLOUT, 0};
  return ::poll(&pipe, 1, 0) == 1 && (pipe.revents & POLLERR);
}

/// Calls `print`, by which the runtime prints to standard output, and checks that all of it was written.
template <typename Print> static void printAll(Print print) {
  try {
    print();
    if (std::fflush(stdout))
      fail(TXRT_IO, "writing to standard output failed: %s", std::strerror(errno));
  } catch (const Failure &) {
    if (readerHasGone())
      throw OutputClosed();
    throw;
  }
}

void printMemoryMap(const std::string &path, const std::string &what) {
  const OpenArtifact artifact(path);
  printAll([&] {
    txrt_error error;
    check(txrt_artifact_print_memory_map(artifact.get(), what.c_str(), stdout, &error), error);
  });
}

void dryRun(const std::string &path, const std::string &entry) {
  txrt_options options = {};
  options.backend = "dryrun";
  options.threads = 1;
  const Model model(OpenArtifact(path), options);
  printAll([&] {
    for (const EntrySpec &spec : model.manifest().entries)
      if (entry.empty() || spec.name == entry)
        model.entry(spec.name).run();
  });
  if (!entry.empty())
    (void)model.entry(entry); // fails with a list of the entries if there is none of this name
}

} // namespace txrun
