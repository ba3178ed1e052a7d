//===- None.cpp - Keep all that backward uses ---------------------------------------------------------------------===//

#include "Regions.h"

void tx::chooseNone(const RematInput &, const RematPolicy &, RematPlan &) {}
