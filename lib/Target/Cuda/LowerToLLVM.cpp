//===- LowerToLLVM.cpp - GPU threads to LLVM IR -------------------------------------------------------------------===//
//
// Lowers to the LLVM and NVVM dialects in one conversion with all patterns, as for the host.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "LowerToLLVM.h"

#include "mlir/Conversion/ArithToLLVM/ArithToLLVM.h"
#include "mlir/Conversion/ControlFlowToLLVM/ControlFlowToLLVM.h"
#include "mlir/Conversion/GPUToNVVM/GPUToNVVMPass.h"
#include "mlir/Conversion/LLVMCommon/TypeConverter.h"
#include "mlir/Conversion/MathToLLVM/MathToLLVM.h"
#include "mlir/Conversion/MemRefToLLVM/MemRefToLLVM.h"
#include "mlir/Conversion/SCFToControlFlow/SCFToControlFlow.h"
#include "mlir/Conversion/VectorToLLVM/ConvertVectorToLLVM.h"
#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/GPU/GPUToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/NVVM/NVVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"

using namespace mlir;

void tx::cuda::loadLoweringDialects(MLIRContext *context) {
  DialectRegistry registry;
  registry.insert<LLVM::LLVMDialect, NVVM::NVVMDialect, cf::ControlFlowDialect>();
  registerBuiltinDialectTranslation(registry);
  registerGPUDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  registerNVVMDialectTranslation(registry);
  context->appendDialectRegistry(registry);
  context->loadDialect<LLVM::LLVMDialect, NVVM::NVVMDialect, cf::ControlFlowDialect>();
}

std::unique_ptr<llvm::Module> tx::cuda::gpuToLLVM(gpu::GPUModuleOp module, llvm::LLVMContext &context) {
  LowerToLLVMOptions options(module.getContext());
  options.useBarePtrCallConv = true;
  LLVMTypeConverter converter(module.getContext(), options);
  configureGpuToNVVMTypeConverter(converter);
  RewritePatternSet patterns(module.getContext());
  populateSCFToControlFlowConversionPatterns(patterns);
  cf::populateControlFlowToLLVMConversionPatterns(converter, patterns);
  arith::populateArithToLLVMConversionPatterns(converter, patterns);
  // These patterns have a higher benefit than those of populateGpuToNVVMConversionPatterns, which call libdevice.
  populateMathToLLVMConversionPatterns(converter, patterns, /*approximateLog1p=*/true, /*benefit=*/2);
  populateFinalizeMemRefToLLVMConversionPatterns(converter, patterns);
  populateVectorToLLVMConversionPatterns(converter, patterns);
  populateGpuToNVVMConversionPatterns(converter, patterns);
  ConversionTarget target(*module.getContext());
  configureGpuToNVVMConversionLegality(target);
  // The GPU-to-NVVM patterns would call libdevice for these ops too, but PTX has instructions for them.
  target.addLegalOp<LLVM::FAbsOp, LLVM::FCeilOp, LLVM::FFloorOp, LLVM::RoundEvenOp, LLVM::SqrtOp>();
  if (failed(applyPartialConversion(module, target, std::move(patterns))))
    return nullptr;
  // The loop annotations of BlockEmitter arrive as a discardable attribute, which the translation to LLVM IR ignores;
  // make it an inherent one.
  module.walk([](LLVM::BrOp branch) {
    constexpr StringLiteral name = "llvm.loop_annotation";
    if (auto annotation = branch->getAttrOfType<LLVM::LoopAnnotationAttr>(name)) {
      branch->removeAttr(name);
      branch.setLoopAnnotationAttr(annotation);
    }
  });
  return translateModuleToLLVMIR(module, context, "gpu_kernels");
}
