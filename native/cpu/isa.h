// Which instruction sets this process may use. Names are those of native/isa.json.
#pragma once

#include <string>

#include "cpu/isa_id.h"

namespace octavo {

struct IsaInfo {
  const char* name;
  const char* arch;         // "x64", "arm64", "arm", "any"
  const char* activations;  // "uint8" or "int8": what its kernels take without conversion
  bool compiled;            // in this binary
};

// Every entry of isa.json, in its order (best first within an architecture).
int isa_count();
const IsaInfo& isa_info(int index);
inline const char* isa_name(Isa isa) { return isa_info(static_cast<int>(isa)).name; }

// Compiled in, and this CPU and operating system can run it. For tests, which run every such kernel.
bool isa_supported(const char* name);
bool isa_supported(Isa isa);
// Why it is not compiled or not supported; "" where it is both.
const char* isa_reason(const char* name);

// Supported, and not ruled out by the environment variable OCTAVO_ISA, which names one instruction set and
// allows it and those it implies. Every dispatch asks this.
bool isa_active(const char* name);
bool isa_active(Isa isa);
// The best active instruction set.
const IsaInfo& isa_chosen();
// What is wrong with OCTAVO_ISA (an unknown name, one this CPU lacks); "" if nothing. Then OCTAVO_ISA is ignored.
const std::string& isa_problem();

}  // namespace octavo
