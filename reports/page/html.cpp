#include "reports/page/html.h"

#include <algorithm>

#include "reports/text.h"

namespace tileproof::reports {

namespace {

/// Escapes text so that it is safe as an element's content and in an attribute between double quotes.
std::string escaped(std::string_view text) {
  constexpr std::string_view special = "<>&\"'";
  constexpr const char* references[] = {"&lt;", "&gt;", "&amp;", "&quot;", "&#39;"};
  std::string result;
  for (const char letter : visible(text)) {
    const std::size_t place = special.find(letter);
    result += place == std::string_view::npos ? std::string(1, letter) : references[place];
  }
  return result;
}

bool has_no_end(std::string_view tag) {
  constexpr std::string_view all[] = {"br", "hr", "meta", "rect", "line", "path", "polyline", "circle"};
  return std::find(std::begin(all), std::end(all), tag) != std::end(all);
}

}  // namespace

Markup::Markup(const std::string& text) : bytes_(escaped(text)) {}

Markup element(Name tag, const std::vector<Attribute>& attributes, const Markup& children) {
  Markup whole;
  whole.bytes_ = "<" + std::string(tag.text());
  for (const Attribute& attribute : attributes) {
    whole.bytes_ += " " + std::string(attribute.name.text()) + "=\"" + escaped(attribute.value) + "\"";
  }
  whole.bytes_ += has_no_end(tag.text()) ? "/>" : ">" + children.bytes_ + "</" + std::string(tag.text()) + ">";
  return whole;
}

Markup link_to(Name id, const Markup& children) {
  Markup whole;
  whole.bytes_ = "<a href=\"#" + std::string(id.text()) + "\">" + children.bytes_ + "</a>";
  return whole;
}

Markup table(const std::vector<Column>& columns, const std::vector<std::vector<Markup>>& rows) {
  const auto of_column = [&](std::size_t i) {
    return columns[i].is_number ? std::vector<Attribute>{{"class", "number"}} : std::vector<Attribute>{};
  };
  Markup titles, lines;
  for (std::size_t i = 0; i < columns.size(); ++i) titles += element("th", of_column(i), columns[i].title);
  for (const std::vector<Markup>& row : rows) {
    Markup cells;
    for (std::size_t i = 0; i < columns.size(); ++i) cells += element("td", of_column(i), row.at(i));
    lines += element("tr", cells);
  }
  return of_class("div", "wide", element("table", element("thead", element("tr", titles)) + element("tbody", lines)));
}

}  // namespace tileproof::reports
