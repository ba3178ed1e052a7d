// A launch's bytes are those that it reads and writes, each once. AdamW of a bf16 parameter reads its master: 30 bytes
// a parameter with f32 gradients, in f32 28; the scalars are 12 more.
// RUN: tx-compile %s -o %t.txa
// RUN: tx-run %t.txa --backend dryrun | FileCheck %s
// RUN: tx-compile %s --target=cuda:sm_90 --ptxas none -o %t.txa
// RUN: tx-run %t.txa --backend dryrun | FileCheck %s

tx.global @w parameter : tensor<8x4xf32>
tx.global @w.g gradient of @w : tensor<8x4xf32>
tx.global @w.m moment1 of @w : tensor<8x4xf32>
tx.global @w.v moment2 of @w : tensor<8x4xf32>
tx.global @n parameter : tensor<8x4xbf16>
tx.global @n.g gradient of @n : tensor<8x4xf32>
tx.global @n.m moment1 of @n : tensor<8x4xf32>
tx.global @n.v moment2 of @n : tensor<8x4xf32>
tx.global @n.master master of @n : tensor<8x4xf32>

// CHECK: entry @wide:
// CHECK-NEXT: {{[0-9]+}} kernel adamw:{{[a-z0-9_]+}} optimizer:
// CHECK-SAME: ; 0 f32 persistent{{[^ ]*}} (128) {{".*"}} 1 f32
// CHECK-SAME: bytes 908{{$}}
func.func @wide(%c: tensor<f32>, %lr: tensor<f32>, %t: tensor<i32>) {
  %p = tx.load @w : tensor<8x4xf32>
  %g = tx.load @w.g : tensor<8x4xf32>
  %m = tx.load @w.m : tensor<8x4xf32>
  %v = tx.load @w.v : tensor<8x4xf32>
  %p1, %m1, %v1 = tx.adamw %p, %g, %m, %v clip %c lr %lr step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<8x4xf32>, tensor<8x4xf32>
  tx.store %p1, @w : tensor<8x4xf32>
  tx.store %m1, @w.m : tensor<8x4xf32>
  tx.store %v1, @w.v : tensor<8x4xf32>
  return
}

// CHECK: entry @narrow:
// CHECK-NEXT: {{[0-9]+}} kernel adamw:{{[a-z0-9_]+}} optimizer:
// CHECK-SAME: ; 0 bf16 persistent{{[^ ]*}} (64) {{".*"}} unread 1 f32
// CHECK-SAME: bytes 972{{$}}
func.func @narrow(%c: tensor<f32>, %lr: tensor<f32>, %t: tensor<i32>) {
  %p = tx.load @n : tensor<8x4xbf16>
  %g = tx.load @n.g : tensor<8x4xf32>
  %m = tx.load @n.m : tensor<8x4xf32>
  %v = tx.load @n.v : tensor<8x4xf32>
  %w = tx.load @n.master : tensor<8x4xf32>
  %p1, %m1, %v1, %w1 = tx.adamw %p, %g, %m, %v master %w clip %c lr %lr step %t betas 0.9, 0.999 eps 1.0e-8 decay 0.1 in <optimizer, "adamw"> : tensor<8x4xbf16>, tensor<8x4xf32>, tensor<8x4xf32>
  tx.store %p1, @n : tensor<8x4xbf16>
  tx.store %m1, @n.m : tensor<8x4xf32>
  tx.store %v1, @n.v : tensor<8x4xf32>
  tx.store %w1, @n.master : tensor<8x4xf32>
  return
}
