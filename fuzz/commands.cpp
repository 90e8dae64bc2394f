#include "commands.h"

namespace tileproof {

const std::vector<CommandRow>& commands() {
  static const std::vector<CommandRow> rows = {
      {"verify", "judge every subject this machine can run by every claim; table, records, verdict",
       "  tileproof verify --seed 1\n  tileproof verify --subject host --claim value/ --for 5m", set_up_verify},
      {"replay", "run one problem again: the line that a failure printed",
       "  tileproof replay --claim=bits/unpack_returns_every_packed_code --subject=host --n=8 --k=32 --seed=0x1\n"
       "  tileproof replay \"$(head -n 1 problems.txt)\"",
       set_up_replay},
      {"list", "name what there is: claims, subjects, faults or profiles",
       "  tileproof list claims\n  tileproof list subjects", set_up_list},
  };
  return rows;
}

}  // namespace tileproof
