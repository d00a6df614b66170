// How many threads this process may keep busy.
#pragma once

namespace octavo {

// Cores that the affinity mask and the cgroup's quota (version 1 and 2) allow; at least 1.
int usable_cores();

}  // namespace octavo
