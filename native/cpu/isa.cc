#include "cpu/isa.h"

#include <cstdlib>
#include <cstring>

#include "cpu/probe.h"

namespace octavo {
namespace {

struct Entry {
  IsaInfo info;
  const char* implied;  // names, separated by spaces
};

#define OCTAVO_ISA(name, arch, activations, compiled, implied) {{#name, arch, activations, compiled}, implied},
constexpr Entry kEntries[] = {
#include "cpu/isa_table.inc"
};
#undef OCTAVO_ISA
constexpr int kCount = static_cast<int>(sizeof(kEntries) / sizeof(kEntries[0]));

int index_of(const char* name, size_t length) {
  for (int i = 0; i < kCount; ++i) {
    const char* known = kEntries[i].info.name;
    if (std::strlen(known) == length && std::memcmp(known, name, length) == 0) return i;
  }
  return -1;
}

struct State {
  bool supported[kCount] = {};
  bool active[kCount] = {};
  int chosen = kCount - 1;
  std::string problem;
};

void activate(State& state, int index) {
  if (!state.supported[index]) return;
  state.active[index] = true;
  for (const char* p = kEntries[index].implied; *p != '\0';) {
    const size_t length = std::strcspn(p, " ");
    const int implied = index_of(p, length);
    if (implied >= 0) activate(state, implied);
    p += length + (p[length] == ' ' ? 1 : 0);
  }
}

State make_state() {
  State state;
  for (int i = 0; i < kCount; ++i) state.supported[i] = kEntries[i].info.compiled && probe_isa(kEntries[i].info.name);
  const char* forced = std::getenv("OCTAVO_ISA");
  int only = -1;
  if (forced != nullptr && *forced != '\0') {
    only = index_of(forced, std::strlen(forced));
    if (only < 0) {
      state.problem = std::string("OCTAVO_ISA=") + forced + ": expected one of";
      for (const Entry& entry : kEntries) state.problem += std::string(" ") + entry.info.name;
    } else if (!state.supported[only]) {
      state.problem = std::string("OCTAVO_ISA=") + forced + ": " +
                      (kEntries[only].info.compiled ? "this CPU lacks it" : "not in this build");
      only = -1;
    }
  }
  if (only >= 0) activate(state, only);
  else std::memcpy(state.active, state.supported, sizeof state.active);
  const int scalar = index_of("scalar", 6);
  state.active[scalar] = state.supported[scalar] = true;
  for (int i = kCount - 1; i >= 0; --i)
    if (state.active[i]) state.chosen = i;
  return state;
}

const State& state() {
  static const State* const made = new State(make_state());
  return *made;
}

}  // namespace

int isa_count() { return kCount; }
const IsaInfo& isa_info(int index) { return kEntries[index].info; }

bool isa_supported(const char* name) {
  const int i = index_of(name, std::strlen(name));
  return i >= 0 && state().supported[i];
}

bool isa_supported(Isa isa) { return state().supported[static_cast<int>(isa)]; }

const char* isa_reason(const char* name) {
  const int i = index_of(name, std::strlen(name));
  if (i < 0) return "unknown";
  if (!kEntries[i].info.compiled) return "not in this build";
  return state().supported[i] ? "" : "this CPU or operating system lacks it";
}

bool isa_active(const char* name) {
  const int i = index_of(name, std::strlen(name));
  return i >= 0 && state().active[i];
}

bool isa_active(Isa isa) { return state().active[static_cast<int>(isa)]; }

const IsaInfo& isa_chosen() { return kEntries[state().chosen].info; }
const std::string& isa_problem() { return state().problem; }

}  // namespace octavo
