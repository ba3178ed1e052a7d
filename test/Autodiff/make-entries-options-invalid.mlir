// Constants that no AdamW has.
// RUN: not tx-opt %s --tx-make-entries="clip-grad=-1" 2>&1 | FileCheck %s --check-prefix=CLIP
// RUN: not tx-opt %s --tx-make-entries="weight-decay=-1" 2>&1 | FileCheck %s --check-prefix=DECAY
// RUN: not tx-opt %s --tx-make-entries="adam-beta1=1" 2>&1 | FileCheck %s --check-prefix=BETA1
// RUN: not tx-opt %s --tx-make-entries="adam-beta2=-0.5" 2>&1 | FileCheck %s --check-prefix=BETA2
// RUN: not tx-opt %s --tx-make-entries="adam-eps=nan" 2>&1 | FileCheck %s --check-prefix=EPS

// CLIP: error: option clip-grad is -1, must be at least 0
// DECAY: error: option weight-decay is -1, must be at least 0
// BETA1: error: option adam-beta1 is 1, must be in [0, 1)
// BETA2: error: option adam-beta2 is -0.5, must be in [0, 1)
// EPS: error: option adam-eps is nan, must be at least 0

module {}
