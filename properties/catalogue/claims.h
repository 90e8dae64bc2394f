/// The catalogue: every claim, a file for each kind.
#pragma once

#include <vector>

#include "properties/case/claim.h"

namespace tileproof {

/// Every claim, in the order of verdict tables.
const std::vector<Claim>& claims();

// The kinds, one a file.
std::vector<Claim> index_claims();
std::vector<Claim> words_claims();
std::vector<Claim> value_claims();
std::vector<Claim> arithmetic_claims();
std::vector<Claim> sense_claims();
std::vector<Claim> memory_claims();
std::vector<Claim> batch_claims();
std::vector<Claim> matmul_claims();
std::vector<Claim> format_claims();
std::vector<Claim> size_claims();
std::vector<Claim> acceptance_claims();
std::vector<Claim> layout_claims();
std::vector<Claim> stream_claims();
std::vector<Claim> launch_claims();
std::vector<Claim> eager_claims();
std::vector<Claim> domains_claims();
std::vector<Claim> oracle_claims();
std::vector<Claim> state_claims();
std::vector<Claim> threads_claims();

}  // namespace tileproof
