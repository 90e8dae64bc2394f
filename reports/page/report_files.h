/// Writes the files beside the page: a pull request comment, CI test results, and data. Internal to reports/.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "reports/page/section.h"

namespace tileproof::reports {

std::string report_markdown(const ReportContext&);
std::string report_junit(const ReportContext&);
nlohmann::json report_json(const ReportContext&);

}  // namespace tileproof::reports
