//===- ObjectLinkTest.cpp - What generated objects may not hold ---------------------------------------------------===//
//
// Each fault on purpose in a small object.
//
//===--------------------------------------------------------------------------------------------------------------===//

#include "../../../lib/Target/Host/ObjectLink.h"

#include "llvm/AsmParser/Parser.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Support/SourceMgr.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"

#include "gtest/gtest.h"

namespace {

/// An object of this IR; empty, with a test failure, if it is none.
llvm::SmallVector<char, 0> objectOf(const char *source, llvm::Reloc::Model relocations = llvm::Reloc::PIC_) {
  LLVMInitializeX86TargetInfo();
  LLVMInitializeX86Target();
  LLVMInitializeX86TargetMC();
  LLVMInitializeX86AsmPrinter();
  llvm::LLVMContext context;
  llvm::SMDiagnostic diagnostic;
  std::unique_ptr<llvm::Module> module = llvm::parseAssemblyString(source, diagnostic, context);
  llvm::SmallVector<char, 0> object;
  if (!module) {
    ADD_FAILURE() << diagnostic.getMessage().str();
    return object;
  }
  llvm::Triple triple("x86_64-unknown-linux-gnu");
  std::string error;
  const llvm::Target *target = llvm::TargetRegistry::lookupTarget(triple, error);
  if (!target) {
    ADD_FAILURE() << error;
    return object;
  }
  std::unique_ptr<llvm::TargetMachine> machine(
      target->createTargetMachine(triple, "x86-64-v3", "", llvm::TargetOptions(), relocations));
  module->setTargetTriple(triple);
  module->setDataLayout(machine->createDataLayout());
  llvm::raw_svector_ostream stream(object);
  llvm::legacy::PassManager codegen;
  machine->addPassesToEmitFile(codegen, stream, nullptr, llvm::CodeGenFileType::ObjectFile);
  codegen.run(*module);
  return object;
}

/// What the linker says of an object of this IR; empty if it is good.
std::string faultOf(const char *source, llvm::Reloc::Model relocations = llvm::Reloc::PIC_) {
  return llvm::toString(tx::host::linkObjects({{objectOf(source, relocations), ""}}).takeError());
}

TEST(ObjectLink, CodeWithItsOwnConstants) {
  EXPECT_EQ(faultOf("@table = internal constant [2 x float] [float 1.0, float 2.0]\n"
                    "define float @f(i64 %i) {\n %p = getelementptr float, ptr @table, i64 %i\n"
                    " %v = load float, ptr %p\n ret float %v\n}"),
            "");
}

TEST(ObjectLink, EqualConstantsOfTwoObjectsAreOnce) {
  auto object = objectOf("define float @f(float %x) {\n %y = fadd float %x, 2.5\n ret float %y\n}");
  auto other = objectOf("define float @f(float %x) {\n %y = fadd float %x, 3.5\n ret float %y\n}");
  auto linked = tx::host::linkObjects({{object, "first"}, {object, "second"}, {other, "third"}});
  ASSERT_TRUE(bool(linked)) << llvm::toString(linked.takeError());
  ASSERT_EQ(linked->functions.size(), 3u);
  EXPECT_EQ(linked->functions[0].name, "first");
  EXPECT_EQ(linked->functions[2].name, "third");
  llvm::StringRef file(linked->object.data(), linked->object.size());
  const float twoAndHalf = 2.5f, threeAndHalf = 3.5f;
  EXPECT_EQ(file.count(llvm::StringRef(reinterpret_cast<const char *>(&twoAndHalf), 4)), 1u);
  EXPECT_EQ(file.count(llvm::StringRef(reinterpret_cast<const char *>(&threeAndHalf), 4)), 1u);
}

TEST(ObjectLink, OneFunctionForEachName) {
  auto two = objectOf("define void @f() {\n ret void\n}\ndefine void @g() {\n ret void\n}");
  EXPECT_EQ(llvm::toString(tx::host::linkObjects({{two, "k"}}).takeError()),
            "generated code has 2 functions in the place of 'k'");
}

TEST(ObjectLink, Functions) {
  EXPECT_EQ(faultOf("declare float @expf(float)\n"
                    "define float @f(float %x) {\n %y = call float @expf(float %x)\n ret float %y\n}"),
            "generated code needs the function 'expf', and kernels stand alone");
}

TEST(ObjectLink, WritableData) {
  EXPECT_EQ(faultOf("@count = internal global i32 7\n"
                    "define void @f(i32 %n) {\n %a = load i32, ptr @count\n %b = add i32 %a, %n\n"
                    " store i32 %b, ptr @count\n ret void\n}"),
            "generated code has writable data in section .data");
}

TEST(ObjectLink, Constructors) {
  EXPECT_EQ(faultOf("@llvm.global_ctors = appending global [1 x { i32, ptr, ptr }]\n"
                    " [{ i32, ptr, ptr } { i32 65535, ptr @f, ptr null }]\n"
                    "define void @f() {\n ret void\n}"),
            "generated code has writable data in section .ctors");
}

TEST(ObjectLink, AbsoluteAddresses) {
  EXPECT_EQ(faultOf("@functions = constant [1 x ptr] [ptr @f]\ndefine void @f() {\n ret void\n}", llvm::Reloc::Static),
            "generated code has a relocation R_X86_64_64 in section .rela.rodata");
}

TEST(ObjectLink, NoObject) {
  std::string text = "nothing of the kind";
  EXPECT_NE(llvm::toString(tx::host::linkObjects({{{text.data(), text.size()}, ""}}).takeError()), "");
}

} // namespace
