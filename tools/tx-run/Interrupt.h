//===- Interrupt.h - Ctrl-C finishes the step -----------------------------------------------------------*- C++ -*-===//
//
// The first SIGINT, SIGTERM or SIGHUP sets a mark. The work in progress (an iteration) is finished and saved, then
// looks at the mark and stops. If the work does not look in time (a long start, a library that hangs), the process
// prints a message and exits with 130. A second signal ends the process at once.
//
//   catchInterrupts();
//   Patience patience(60);
//   while (!interrupted()) { train(); patience.set(10 * seconds); }
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_INTERRUPT_H
#define TXRUN_INTERRUPT_H

namespace txrun {

/// Handles signals from now on. SIGPIPE and SIGXFSZ are ignored, so that write() returns an error. A SIGHUP that is
/// ignored already (nohup) stays ignored.
void catchInterrupts();

/// Looks at the mark: whether a signal has come. The time until the next look must come starts anew.
bool interrupted();

/// Whether the signal was SIGTERM, by which launchers end a run.
bool terminated();

/// How long the work may take from one look to the next once the mark is set, in seconds. It holds while the object
/// lives; without any Patience it is two seconds.
class Patience {
public:
  static constexpr unsigned endless = 0;

  explicit Patience(double seconds);
  ~Patience();
  Patience(const Patience &) = delete;
  Patience &operator=(const Patience &) = delete;
  void set(double seconds);

private:
  const unsigned before;
};

} // namespace txrun

#endif // TXRUN_INTERRUPT_H
