/// The catalogue: every property, a file for each kind.
#pragma once

#include <vector>

#include "properties/case/property.h"

namespace tileproof {

/// Every property, in the order of the verdict tables.
const std::vector<Property>& properties();

// One function for each kind, each in a file of its own.
std::vector<Property> index_properties();
std::vector<Property> words_properties();
std::vector<Property> value_properties();
std::vector<Property> arithmetic_properties();
std::vector<Property> sense_properties();
std::vector<Property> memory_properties();
std::vector<Property> batch_properties();
std::vector<Property> matmul_properties();
std::vector<Property> format_properties();
std::vector<Property> size_properties();
std::vector<Property> acceptance_properties();
std::vector<Property> stride_properties();
std::vector<Property> stream_properties();
std::vector<Property> launch_properties();
std::vector<Property> eager_properties();
std::vector<Property> domains_properties();
std::vector<Property> oracle_properties();
std::vector<Property> state_properties();
std::vector<Property> threads_properties();

}  // namespace tileproof
