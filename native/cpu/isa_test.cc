#include "cpu/isa.h"

#include "cpu/probe.h"
#include "test/check.h"

namespace octavo {

TEST(isa_table_is_consistent) {
  EXPECT(isa_count() > 1);
  EXPECT(isa_supported("scalar"));
  EXPECT(isa_active("scalar"));
  EXPECT(!isa_supported("no_such_isa"));
  EXPECT(isa_active(isa_chosen().name));
  for (int i = 0; i < isa_count(); ++i) {
    const IsaInfo& info = isa_info(i);
    EXPECT_EQ(isa_supported(info.name), info.compiled && probe_isa(info.name));
    EXPECT_EQ(isa_supported(info.name), *isa_reason(info.name) == '\0');
    if (isa_active(info.name)) EXPECT(isa_supported(info.name));
  }
}

}  // namespace octavo
