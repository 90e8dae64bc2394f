#include "properties/catalogue/claims.h"

namespace tileproof {

const std::vector<Claim>& claims() {
  static const std::vector<Claim> rows = [] {
    std::vector<Claim> all;
    for (const auto& kind :
         {index_claims, words_claims, value_claims, arithmetic_claims, sense_claims, memory_claims, batch_claims,
          matmul_claims, format_claims, size_claims, acceptance_claims, layout_claims, stream_claims, launch_claims,
          state_claims, threads_claims, eager_claims, domains_claims, oracle_claims}) {
      for (Claim& claim : kind()) all.push_back(std::move(claim));
    }
    return all;
  }();
  return rows;
}

}  // namespace tileproof
