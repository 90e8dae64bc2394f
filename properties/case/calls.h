/// The data of a case's calls, calls of PyTorch operators over them, and the expected results.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "properties/case/case.h"
#include "properties/subjects/operators.h"

namespace tileproof {

/// Data that depend on the problem alone, drawn for the whole matrix. The matmul's sums are exact: see
/// whole_activations().
CallData data_of(const Problem&, Operation);
/// Data of a case's problem, counted in its coverage.
CallData drawn_data(Case&, Operation);
/// Other data of the same sizes, for alternate inputs and for experts beside the first.
/// @param which  1 or more
CallData other_data(const Case&, Operation, std::uint64_t which);

/// Activations -1, 0 and 1, with at most sixteen in a row that are not 0. With weights that are whole numbers -8..7,
/// every sum is a whole number of at most 128, exact in fp32 in any order and exact in bf16: one wrong code or one lost
/// term shows.
Matrix<std::uint16_t> whole_activations(const Problem&);
/// Bits of a scale, and of a zero that adds a number, for a small whole number. Of groups that have factors of their
/// own above one number, the factor says it: of the scale 1, of the subtracted -1.
std::uint32_t whole_scale(const Problem&, int number);
std::uint32_t whole_zero(const Problem&, int number);
/// The last input of the scheme's formula that leaves a weight to its code and scale: a zero of 0, the zero point
/// nearest to 0, or a factor of 1.
std::uint32_t no_zero(const Problem&);
Parameters unit_scales(const Problem&);
Matrix<std::uint32_t> whole_products(const Problem&, const Matrix<std::uint16_t>& activations,
                                     const Matrix<std::uint8_t>& codes);

/// The specified result of an operation over packed weights; of a matmul, only over data as data_of() gives them.
Result specified_result(const Problem&, Operation, const CallData&);
/// Requires a result to be as specified.
/// @throws Failure
void expect_specified(Case&, Operation, const CallData&, const Result&);

/// @param capabilities  of the subject, whose operators may have arguments of their own; the default: tinygemm's
OperatorCall legal_call(const Problem&, Operation, const CallData&, const Capabilities& capabilities = {});
/// The smallest problem of a mapped library, which has one format and one scheme.
Problem smallest_problem(const Capabilities&);

/// The variants of a call that has nothing to do: "no-rows", "no-columns" and the like.
std::vector<std::string> empty_variants(Operation);
/// A call with one size set to 0.
/// @param variant  one of empty_variants()
OperatorCall empty_call(const Problem&, Operation, const std::string& variant, const Capabilities&);

/// "packed_w = int32 [1, 2, 32, 1], group_size = 32"
std::string text_of(const OperatorCall&);

/// Requires the legal call's result to be as specified in type, sizes and every element.
/// @throws Failure
void expect_specified(Case&, Operation, const CallData&, const OperatorResult&);
/// Like expect_specified(), for a problem that is not the case's own.
void expect_specified_of(Case&, const Problem&, Operation, const CallData&, const OperatorResult&);
/// Requires the type and sizes of the legal call's result to be as specified.
/// @throws Failure
void expect_form(Case&, Operation, const OperatorResult&);
/// Requires an empty call's result to have the form of a full one: its type, sizes and device, and contiguous strides
/// if the full result is contiguous.
/// @param full  the result of a call that has something to do
/// @throws Failure
void expect_form_of_empty(const Case&, Operation, const std::string& variant, const OperatorResult& empty,
                          const OperatorResult& full);
/// The specified sizes of a legal call's result.
Sizes sizes_of_result(const Problem&, Operation, const Capabilities&);
/// Requires two results of the same call to be equal in type, sizes and every element.
/// @throws Failure
void expect_same(Case&, const OperatorResult& got, const OperatorResult& expected);

}  // namespace tileproof
