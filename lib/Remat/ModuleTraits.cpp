//===- ModuleTraits.cpp - What is known of each recompute module --------------------------------------------------===//

#include "ModuleTraits.h"

using namespace tx;

// There is no `default:` so that the compiler warns until a new module is listed here.
bool tx::discardsOutput(RecomputeModule module) {
  switch (module) {
  case RecomputeModule::CoreAttn:
  case RecomputeModule::Mlp:
  case RecomputeModule::Moe:
  case RecomputeModule::SharedExperts:
  case RecomputeModule::Mhc:
    return false;
  case RecomputeModule::MlpAct:
  case RecomputeModule::Layernorm:
  case RecomputeModule::MoeAct:
  case RecomputeModule::MlaUpProj:
  case RecomputeModule::GdnNormOut:
  case RecomputeModule::GdpInProj:
  case RecomputeModule::GdpQkv:
  case RecomputeModule::QkNorm:
    return true;
  }
  return false;
}

const char *tx::getModelPart(RecomputeModule module) {
  switch (module) {
  case RecomputeModule::CoreAttn:
    return "attention";
  case RecomputeModule::Mlp:
    return "dense MLP";
  case RecomputeModule::MlpAct:
    return "dense MLP's activation";
  case RecomputeModule::Layernorm:
    return "norm in its layers";
  case RecomputeModule::Moe:
  case RecomputeModule::MoeAct:
    return "mixture of experts";
  case RecomputeModule::SharedExperts:
    return "mixture of experts with shared ones";
  case RecomputeModule::MlaUpProj:
    return "multi-latent attention";
  case RecomputeModule::GdnNormOut:
    return "gated delta net";
  case RecomputeModule::GdpInProj:
  case RecomputeModule::GdpQkv:
    return "gated delta product";
  case RecomputeModule::Mhc:
    return "hyper-connections";
  case RecomputeModule::QkNorm:
    return "norm of queries and keys";
  }
  return "such part";
}
