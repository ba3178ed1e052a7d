//===- FakeNccl.cpp - Collectives between processes by files --------------------------------------------*- C++ -*-===//
//
// What the cuda backend uses of NCCL: ranks are processes with a fake GPU each, and
// meet in a folder that the unique id names. What a rank gives to a group of
// collectives is a file, and the group is done when all ranks' are there; what it
// sends to another is one that the other takes away. Sums are taken in the order of ranks, in f32, which the real
// library does not promise. Calls return at once, as those of a communicator that does not block.
//
//   FAKE_NCCL_DIR=/tmp         where the folders are
//   FAKE_NCCL_VERSION=22809
//   FAKE_NCCL_FAIL=1:100       rank 1 has an error when its 100th group runs
//   FAKE_NCCL_HANG=1:100       or never comes to its end
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "FakeNccl.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sys/stat.h>
#include <unistd.h>
#include <vector>

using namespace txrt::cuda::nccl;
using fake::exists, fake::publish;
using txrt::cuda::Stream;

extern "C" {
Result ncclGroupStart();
Result ncclGroupEnd();
}

namespace {

enum Kind : uint32_t { AllReduce, AllGather, ReduceScatter, Broadcast, Reduce, Send, Recv };

struct Part {
  Kind kind;
  const void *from;
  void *to;
  size_t count;
  DataType type;
  int peer; // or root
};

/// What a file has for each collective of a group: this, and its bytes.
struct Head {
  uint32_t kind;
  int32_t root;
  uint64_t bytes;
};
struct Given {
  Head head;
  std::string bytes;
};

size_t elementBytes(DataType type) { return type == U8 ? 1 : type == BF16 ? 2 : 4; }

std::string readAll(const std::string &path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

std::vector<Given> parse(const std::string &text) {
  std::vector<Given> all;
  for (size_t at = 0; at + sizeof(Head) <= text.size();) {
    Given given;
    memcpy(&given.head, &text[at], sizeof given.head);
    given.bytes = text.substr(at + sizeof(Head), given.head.bytes);
    at += sizeof(Head) + given.head.bytes;
    all.push_back(std::move(given));
  }
  return all;
}

/// "rank:number" of the environment.
bool isMeant(const char *name, int rank, uint64_t number) {
  const char *text = getenv(name);
  int wantedRank;
  unsigned long long wanted;
  return text && sscanf(text, "%d:%llu", &wantedRank, &wanted) == 2 && wantedRank == rank && wanted == number;
}

} // namespace

namespace {

struct Group {
  Comm comm = nullptr;
  Stream stream = nullptr;
  std::vector<Part> parts;
};
thread_local Group open;
thread_local int depth = 0;

/// Of a group that runs.
struct Progress {
  bool isBegun = false;
  std::vector<std::string> awaited; // the files of its receives
};

bool isCollective(const Part &part) { return part.kind != Send && part.kind != Recv; }

bool hasCollectives(const std::vector<Part> &parts) { return std::any_of(parts.begin(), parts.end(), isCollective); }

size_t givenBytes(const Part &part, const ncclComm &comm) {
  const size_t bytes = part.count * elementBytes(part.type);
  return part.kind == ReduceScatter                         ? bytes * size_t(comm.ranks)
         : part.kind == Broadcast && part.peer != comm.rank ? 0
                                                            : bytes;
}

void give(const std::vector<Part> &parts, ncclComm &comm, Progress &progress) {
  std::string text;
  for (const Part &part : parts) {
    const Head head = {part.kind, part.peer, givenBytes(part, comm)};
    const std::string bytes(static_cast<const char *>(part.from), part.from ? head.bytes : 0);
    if (part.kind == Send)
      publish(comm.message(comm.rank, part.peer, comm.sent[part.peer]++), bytes);
    else if (part.kind == Recv)
      progress.awaited.push_back(comm.message(part.peer, comm.rank, comm.received[part.peer]++));
    else
      text += std::string(reinterpret_cast<const char *>(&head), sizeof head) + bytes;
  }
  if (!hasCollectives(parts))
    return;
  publish(comm.file(std::to_string(++comm.groups), comm.rank), text);
  // All have come to the group before this one, and so have read what was before.
  if (comm.groups >= 2)
    unlink(comm.file(std::to_string(comm.groups - 2), comm.rank).c_str());
}

bool refuse(ncclComm &comm, const std::string &why) {
  comm.error = 5; // ncclInvalidUsage
  comm.lastError = why;
  return false;
}

template <typename T, typename Widen, typename Narrow>
void sum(const std::vector<const Given *> &from, size_t begin, const Part &part, Widen widen, Narrow narrow) {
  for (size_t i = 0; i < part.count; ++i) {
    decltype(widen(T())) total = {};
    for (const Given *given : from) {
      T value;
      memcpy(&value, &given->bytes[(begin + i) * sizeof(T)], sizeof value);
      total = given == from.front() ? widen(value) : total + widen(value);
    }
    static_cast<T *>(part.to)[i] = narrow(total);
  }
}

void sum(const std::vector<const Given *> &from, size_t begin, const Part &part) {
  auto same = [](auto value) { return value; };
  if (part.type == F32)
    sum<float>(from, begin, part, same, same);
  else if (part.type == BF16)
    sum<uint16_t>(from, begin, part, fake::widen, fake::narrow);
  else
    sum<uint32_t>(from, begin, part, same, same);
}

/// A collective: every rank has it at the same place of its group.
void take(const Part &part, const ncclComm &comm, const std::vector<const Given *> &from) {
  const size_t bytes = part.count * elementBytes(part.type);
  if (part.kind == AllReduce || (part.kind == Reduce && part.peer == comm.rank))
    sum(from, 0, part);
  else if (part.kind == ReduceScatter)
    sum(from, part.count * size_t(comm.rank), part);
  else if (part.kind == Broadcast)
    memcpy(part.to, from[size_t(part.peer)]->bytes.data(), bytes);
  for (size_t r = 0; part.kind == AllGather && r < from.size(); ++r)
    memcpy(static_cast<char *>(part.to) + r * bytes, from[r]->bytes.data(), bytes);
}

bool takeMessage(const Part &part, ncclComm &comm, const std::string &path) {
  const std::string bytes = readAll(path);
  unlink(path.c_str());
  if (bytes.size() != part.count * elementBytes(part.type))
    return refuse(comm, "a receive has another size than its send");
  memcpy(part.to, bytes.data(), bytes.size());
  return true;
}

/// Once all have given theirs.
bool finish(const std::vector<Part> &parts, ncclComm &comm, const Progress &progress) {
  std::vector<std::vector<Given>> all;
  for (int r = 0; hasCollectives(parts) && r < comm.ranks; ++r)
    all.push_back(parse(readAll(comm.file(std::to_string(comm.groups), r))));
  size_t message = 0, collective = 0;
  for (const Part &part : parts) {
    if (part.kind == Recv && !takeMessage(part, comm, progress.awaited[message++]))
      return false;
    if (!isCollective(part))
      continue;
    std::vector<const Given *> from;
    for (const std::vector<Given> &theirs : all) {
      if (collective >= theirs.size() || theirs[collective].head.kind != part.kind ||
          (part.kind != Broadcast && theirs[collective].bytes.size() != all[0][collective].bytes.size()))
        return refuse(comm, "ranks do not call the same");
      from.push_back(&theirs[collective]);
    }
    take(part, comm, from);
    ++collective;
  }
  return true;
}

/// When the stream comes to it, and again until all ranks have.
bool runGroup(const std::vector<Part> &parts, ncclComm &comm, Progress &progress) {
  if (comm.isAborted)
    return true;
  if (comm.error != Success)
    return false;
  if (!progress.isBegun) {
    progress.isBegun = true;
    if (isMeant("FAKE_NCCL_HANG", comm.rank, ++comm.runs))
      progress.awaited = {"never"};
    else if (isMeant("FAKE_NCCL_FAIL", comm.rank, comm.runs))
      return comm.lastError = "FAKE_NCCL_FAIL", comm.error = SystemError, false;
    else
      give(parts, comm, progress);
  }
  if (!std::all_of(progress.awaited.begin(), progress.awaited.end(), exists) ||
      (hasCollectives(parts) && !comm.allHave(std::to_string(comm.groups))) || !finish(parts, comm, progress))
    return false;
  fake::clock() += 2000;
  progress = {}; // a graph runs it again
  return true;
}

Result add(Comm comm, Stream stream, Part part) {
  const bool alone = depth == 0;
  const size_t bytes = part.count * elementBytes(part.type);
  if (!comm->mayUse(part.from, givenBytes(part, *comm)) ||
      !comm->mayUse(part.to, part.kind == AllGather ? bytes * size_t(comm->ranks) : bytes)) {
    comm->lastError = "a buffer is outside of what is registered";
    return 5;
  }
  if (alone)
    ncclGroupStart();
  if (!open.parts.empty() && (open.comm != comm || open.stream != stream))
    return 5;
  open.comm = comm, open.stream = stream;
  open.parts.push_back(part);
  return alone ? ncclGroupEnd() : Success;
}

} // namespace

extern "C" {

Result ncclGetVersion(int *version) {
  *version = static_cast<int>(fake::setting("FAKE_NCCL_VERSION", 22809));
  return Success;
}
const char *ncclGetErrorString(Result result) {
  return result == SystemError ? "unhandled system error" : "invalid usage";
}
const char *ncclGetLastError(Comm comm) { return comm ? comm->lastError.c_str() : ""; }

Result ncclGetUniqueId(UniqueId *id) {
  const char *parent = getenv("FAKE_NCCL_DIR");
  *id = {};
  snprintf(id->bytes, sizeof id->bytes, "%s/fake-nccl-XXXXXX", parent ? parent : "/tmp");
  return mkdtemp(id->bytes) ? Success : SystemError;
}

Result ncclCommInitRankConfig(Comm *comm, int ranks, UniqueId id, int rank, Config *config) {
  if (config->magic != 0xcafebeef || config->blocking != 0 || !fake::hasContext())
    return 4;
  *comm = new ncclComm;
  (*comm)->ranks = ranks, (*comm)->rank = rank, (*comm)->folder = id.bytes;
  publish((*comm)->file("join", rank), "");
  return InProgress;
}

Result ncclCommGetAsyncError(Comm comm, Result *result) {
  if (!comm->isJoined)
    comm->isJoined = comm->allHave("join");
  *result = comm->error != Success                       ? comm->error
            : !comm->isJoined || comm->awaitsWindows()   ? Result(InProgress)
            : comm->isLeaving && !comm->allHave("leave") ? Result(InProgress)
                                                         : Result(Success);
  return Success;
}

Result ncclCommFinalize(Comm comm) {
  if (!comm->registered.empty()) {
    fprintf(stderr, "what is registered would outlive its communicator\n");
    abort();
  }
  comm->isLeaving = true;
  publish(comm->file("leave", comm->rank), "");
  return InProgress;
}
Result ncclCommDestroy(Comm comm) {
  // The last of them takes the folder away.
  publish(comm->file("gone", comm->rank), "");
  if (comm->allHave("gone")) {
    for (int r = 0; r < comm->ranks; ++r) {
      for (uint64_t group : {comm->groups, comm->groups - 1})
        unlink(comm->file(std::to_string(group), r).c_str());
      for (const char *what : {"join", "leave", "gone"})
        unlink(comm->file(what, r).c_str());
      for (int window = 0; window < comm->windows; ++window)
        unlink(comm->file("window" + std::to_string(window), r).c_str());
    }
    rmdir(comm->folder.c_str());
  }
  delete comm;
  return Success;
}
Result ncclCommAbort(Comm comm) {
  comm->isAborted = true; // what is queued still names it
  return Success;
}

Result ncclGroupStart() {
  if (depth++ == 0)
    open = {};
  return Success;
}
Result ncclGroupEnd() {
  if (--depth != 0 || open.parts.empty())
    return Success;
  if (!open.comm->isJoined)
    return 5;
  auto progress = std::make_shared<Progress>();
  fake::attempt(open.stream,
                [parts = open.parts, comm = open.comm, progress] { return runGroup(parts, *comm, *progress); });
  return InProgress;
}

Result ncclAllReduce(const void *from, void *to, size_t count, DataType type, Operation, Comm comm, Stream stream) {
  return add(comm, stream, {AllReduce, from, to, count, type, 0});
}
Result ncclAllGather(const void *from, void *to, size_t count, DataType type, Comm comm, Stream stream) {
  return add(comm, stream, {AllGather, from, to, count, type, 0});
}
Result ncclReduceScatter(const void *from, void *to, size_t count, DataType type, Operation, Comm comm, Stream stream) {
  return add(comm, stream, {ReduceScatter, from, to, count, type, 0});
}
Result ncclBroadcast(const void *from, void *to, size_t count, DataType type, int root, Comm comm, Stream stream) {
  return add(comm, stream, {Broadcast, from, to, count, type, root});
}
Result ncclReduce(const void *from, void *to, size_t count, DataType type, Operation, int root, Comm comm,
                  Stream stream) {
  return add(comm, stream, {Reduce, from, to, count, type, root});
}
Result ncclSend(const void *from, size_t count, DataType type, int peer, Comm comm, Stream stream) {
  return add(comm, stream, {Send, from, nullptr, count, type, peer});
}
Result ncclRecv(void *to, size_t count, DataType type, int peer, Comm comm, Stream stream) {
  return add(comm, stream, {Recv, nullptr, to, count, type, peer});
}

} // extern "C"
