//===- Interrupt.h - Ctrl-C finishes the step -----------------------------------------------------------*- C++ -*-===//
//
// The first SIGINT, SIGTERM or SIGHUP sets a mark that the work looks at, so that an iteration is finished and saved.
// Work that does not look at it in time (a start, a library that hangs) is left: the process says so and ends with 130.
// The second signal ends it at once.
//
//   catchInterrupts();
//   Patience patience(60);
//   while (!interrupted()) { train(); patience.set(10 * seconds); }
//
//===--------------------------------------------------------------------------------------------------------------===//

#ifndef TXRUN_INTERRUPT_H
#define TXRUN_INTERRUPT_H

namespace txrun {

/// From now on. SIGPIPE and SIGXFSZ become errors of write. A SIGHUP that is ignored already (nohup) stays so.
void catchInterrupts();

/// Looks: whether the mark is set. The time until the next look begins again.
bool interrupted();

/// Whether it was SIGTERM: what launchers end a run with.
bool terminated();

/// How long the work in hand may take from one look to the next, once the mark is set; outside of all it is a moment.
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
