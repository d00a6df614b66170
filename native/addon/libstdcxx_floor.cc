// Keeps the addon loadable where Node 20 is: glibc 2.28, libstdc++ of gcc 8. Headers of newer compilers refer to two
// symbols that came later; defined here, the linker never asks the system for them.
#include <new>

#if defined(__linux__) && defined(__GLIBCXX__)

namespace std {

// GLIBCXX_3.4.29, used by std::vector and new[].
__attribute__((visibility("hidden"))) void __throw_bad_array_new_length() { throw std::bad_array_new_length(); }

}  // namespace std

// GLIBC_2.32, used by std::shared_ptr: false means that counts are always atomic.
extern "C" {
__attribute__((visibility("hidden"))) char __libc_single_threaded = 0;
}

#endif
