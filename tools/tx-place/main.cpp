//===- main.cpp - tx-place ----------------------------------------------------------------------------------------===//
//
// Places the buffers of a CSV file, in the format of MiniMalloc's benchmarks, with the placement that gives a step its
// addresses.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "TxVersion.inc"

#include "tx/Plan/Placement.h"
#include "tx/Support/InputLimits.h"
#include "tx/Support/Tool.h"
#include "tx/Support/UserError.h"
#include "tx/Target/Artifact.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"

using namespace tx;

static constexpr char kHelp[] = R"(usage: tx-place FILE.csv [--capacity N] [-o OUT.csv] [FLAGS]

Gives buffers with known lifetimes their offsets in one arena, as tx-compile does for the
tensors of a step. FILE.csv is in the format of MiniMalloc's benchmarks: the first line
names the columns, each further line has a buffer.

  id         any name
  lower      when it begins to live
  upper      when it has ended: the buffer lives in [lower, upper)
  size       bytes
  alignment  bytes, optional: what the offset is a multiple of, and the size is rounded
             up to; 1 without this column

OUT.csv has the columns as they were given, then `offset`. No two buffers that live at one
time share a byte. The same file gives the same offsets on every machine.

Flags
  --capacity N  bytes of the arena. The search ends at the first placement that fits. If
                the best one is higher, nothing is written and the exit status is 1.
                Without this flag the arena is as low as the search gets.
  -o OUT.csv    where the placement goes; without this flag only the height is printed
  --effort N    the most steps of the search, about 10^8 a second; default 2000000000.
                Most instances take none: a greedy order fits.
  --help        this text
  --version     the version

Exit status: 0 placed, 1 over the capacity or a bad FILE.csv, 2 a bad command line,
7 a file that cannot be read or written.

Examples
  tx-place A.1048576.csv --capacity 1048576 -o A.placed.csv
  tx-place A.1048576.csv
)";

namespace {

struct Options {
  std::string input, output;
  plan::PlacementOptions placement;
  const char *print = nullptr; ///< a text to print instead of a placement
};

constexpr int64_t kDefaultEffort = 2'000'000'000;
constexpr uint64_t kMostInputBytes = uint64_t(1) << 30;

} // namespace

static llvm::Expected<int64_t> parseCount(llvm::StringRef flag, llvm::StringRef text) {
  int64_t count;
  if (text.getAsInteger(10, count) || count < 0)
    return badUsage(flag + " takes a number that is not negative; found '" + text + "'");
  return count;
}

/// Takes `--flag VALUE` and `--flag=VALUE`.
static llvm::Expected<Options> parseOptions(llvm::ArrayRef<llvm::StringRef> arguments) {
  Options options;
  options.placement.effort = kDefaultEffort;
  for (size_t i = 0; i < arguments.size(); ++i) {
    llvm::StringRef argument = arguments[i];
    if (argument == "--help" || argument == "-h" || argument == "--version") {
      options.print = argument == "--version" ? "tx " TX_VERSION "\n" : kHelp;
      return options;
    }
    if (!argument.starts_with("-")) {
      if (!options.input.empty())
        return badUsage("takes one file; found '" + options.input + "' and '" + argument + "'");
      options.input = argument.str();
      continue;
    }
    auto [flag, value] = argument.split('=');
    if (flag != "--capacity" && flag != "--effort" && flag != "-o")
      return badUsage("unknown flag '" + flag + "'; known: --capacity, -o, --effort, --help, --version");
    if (flag == argument) {
      if (++i == arguments.size())
        return badUsage(flag + " needs a value");
      value = arguments[i];
    }
    if (flag == "-o") {
      options.output = value.str();
      if (value.empty())
        return badUsage("-o takes the name of a file");
      continue;
    }
    llvm::Expected<int64_t> count = parseCount(flag, value);
    if (!count)
      return count.takeError();
    if (flag == "--capacity")
      options.placement.capacity = *count;
    else
      options.placement.effort = *count;
  }
  if (options.input.empty())
    return badUsage("needs a file of buffers: tx-place FILE.csv --capacity N -o OUT.csv (--help says more)");
  if (!options.output.empty() && llvm::sys::fs::equivalent(options.input, options.output))
    return badUsage("-o would overwrite the input; name another file");
  return options;
}

static llvm::Error run(llvm::ArrayRef<llvm::StringRef> arguments) {
  llvm::Expected<Options> options = parseOptions(arguments);
  if (!options)
    return options.takeError();
  if (options->print) {
    llvm::outs() << options->print;
    return llvm::Error::success();
  }
  llvm::Expected<std::unique_ptr<llvm::MemoryBuffer>> file = readRegularFile(options->input, kMostInputBytes);
  if (!file)
    return file.takeError();
  std::string text = (*file)->getBuffer().str();
  plan::PlacementCsv csv = plan::readPlacementCsv(text, options->input);
  if (csv.error)
    return badInput(*csv.error);
  if (std::optional<std::string> fault = plan::verifyBuffers(csv.buffers))
    return badInput(options->input + ": " + *fault);

  plan::Placement placement = plan::place(csv.buffers, options->placement);
  if (std::optional<std::string> fault = plan::verifyPlacement(csv.buffers, placement))
    return badInput(options->input + ": the placement is wrong, please report this: " + *fault);
  std::string bytes = llvm::utostr(placement.height), live = llvm::utostr(placement.lowerBound);
  if (options->placement.capacity && placement.height > *options->placement.capacity)
    return badInput(options->input + ": the best placement found takes " + bytes + " bytes, more than --capacity " +
                    llvm::utostr(*options->placement.capacity) + "; none takes fewer than the " + live +
                    " that live at one time");
  if (!options->output.empty()) {
    std::string placed = plan::addOffsetColumn(text, placement.offsets);
    if (llvm::Error error = writeFileAtomically(options->output, {placed.data(), placed.size()}))
      return badFile(llvm::toString(std::move(error)));
  }
  llvm::outs() << "placed " << csv.buffers.size() << " buffers in " << bytes << " bytes; at most " << live
               << " live at one time\n";
  return llvm::Error::success();
}

int main(int argc, char **argv) { return runTool(argc, argv, run); }
