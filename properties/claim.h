/// A claim: a property, named as a sentence that is true of every correct subject. To add one, add a row to the file of
/// its kind (claims_*.cpp): what it needs, what it must have met, and a body that draws, runs and compares.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "case.h"
#include "met.h"
#include "subject.h"

namespace tileproof {

/// Which problems a claim is drawn from, within what the subject accepts.
struct Draws {
  std::vector<Domain> domains = {Domain::floating, Domain::integer, Domain::none};
  std::vector<Type> types = {Type::bf16, Type::fp16, Type::fp32};
  std::vector<std::string> profiles = {"ordinary"};
  std::int64_t n_multiple = 1;
  std::int64_t most_k = 4096;
  std::int64_t most_elements = 24576;
  std::vector<Problem> fixed = {};  // these and no others
};

struct Claim {
  std::string name;   // kind/sentence
  std::string hunts;  // the faults it is for
  std::vector<Operation> needs;
  std::vector<const ClassRow*> meets;
  Draws draws;
  std::function<void(Case&)> body;
};

/// Every claim, in the order of verdict tables.
const std::vector<Claim>& claims();

/// @throws Illegal for a name that is no claim
const Claim& claim_of(const std::string& name);

// The kinds, one a file.
std::vector<Claim> index_claims();
std::vector<Claim> value_claims();
std::vector<Claim> sense_claims();
std::vector<Claim> memory_claims();
std::vector<Claim> matmul_claims();
std::vector<Claim> format_claims();
std::vector<Claim> size_claims();

}  // namespace tileproof
