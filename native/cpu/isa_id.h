// An instruction set as a number: its place in native/isa.json. What a kernel says of itself.
#pragma once

#include <cstdint>

namespace octavo {

#define OCTAVO_ISA(name, arch, activations, compiled, implied) name,
enum class Isa : uint8_t {
#include "cpu/isa_table.inc"
};
#undef OCTAVO_ISA

}  // namespace octavo
