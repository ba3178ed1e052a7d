//===- TxOps.td - All ops of the dialect -----------------------------------------------------------*- tablegen -*-===//

#ifndef TX_OPS_TD
#define TX_OPS_TD

include "tx/Dialect/Tx/IR/TxStateOps.td"
include "tx/Dialect/Tx/IR/TxLayerOps.td"
include "tx/Dialect/Tx/IR/TxNormOps.td"
include "tx/Dialect/Tx/IR/TxRotaryOps.td"
include "tx/Dialect/Tx/IR/TxAttentionOps.td"
include "tx/Dialect/Tx/IR/TxTrainingOps.td"
include "tx/Dialect/Tx/IR/TxCollectiveOps.td"

#endif // TX_OPS_TD
