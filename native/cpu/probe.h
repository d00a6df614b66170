// What the CPU and the operating system offer, by the names of isa.json.
#pragma once

namespace octavo {

// False for names of other architectures.
bool probe_isa(const char* name);

}  // namespace octavo
