//===- Interrupt.h - Ctrl-C finishes the step -------------------*- C++ -*-===//

#ifndef TXRUN_INTERRUPT_H
#define TXRUN_INTERRUPT_H

namespace txrun {

/// From now on the first SIGINT or SIGTERM only sets a mark, the second one
/// ends the process with 130 at once. SIGPIPE and SIGXFSZ become errors of
/// write.
void catchInterrupts();

/// Whether the mark is set.
bool interrupted();

/// Whether it was SIGTERM: what launchers end a run with.
bool terminated();

} // namespace txrun

#endif // TXRUN_INTERRUPT_H
