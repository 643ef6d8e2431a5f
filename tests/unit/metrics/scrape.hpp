// A strict reader of the text exposition format, for tests: every oddity is a problem.
#pragma once

#include <map>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace pgsluice::metrics::testing {

struct ScrapedFamily {
    std::string help, type;
    std::set<std::string> labels;           // names, of all samples together, `le` left out
    std::map<std::string, double> samples;  // by name and labels as printed: pgsluice_x_bucket{le="5e-05"}
};

struct Scrape {
    std::map<std::string, ScrapedFamily> families;
    std::vector<std::string> problems;

    explicit Scrape(const std::string& text) {
        std::istringstream lines(text);
        std::string current;
        for (std::string line; std::getline(lines, line);) {
            if (line.rfind("# HELP ", 0) == 0) {
                current = line.substr(7, line.find(' ', 7) - 7);
                const bool is_new = families.try_emplace(current).second;
                if (!is_new) problems.push_back("twice: " + current);
                if (line.size() > 8 + current.size()) families[current].help = line.substr(8 + current.size());
            } else if (line.rfind("# TYPE ", 0) == 0) {
                if (line.substr(7, current.size()) != current) problems.push_back("TYPE without HELP: " + line);
                families[current].type = line.substr(8 + current.size());
            } else {
                read_sample(current, line);
            }
        }
    }

    // -1 where there is no such sample.
    double value(const std::string& sample) const {
        for (const auto& [name, family] : families) {
            if (const auto found = family.samples.find(sample); found != family.samples.end()) return found->second;
        }
        return -1;
    }

  private:
    void read_sample(const std::string& current, const std::string& line) {
        const auto space = line.rfind(' ');
        const std::string sample = line.substr(0, space);
        std::string name = sample.substr(0, sample.find('{'));
        ScrapedFamily& family = families[current];
        if (family.type == "histogram") {
            for (const std::string suffix : {"_bucket", "_sum", "_count"}) {
                if (name == current + suffix) name = current;
            }
        }
        if (name != current) problems.push_back("sample of no family: " + line);
        if (!family.samples.emplace(sample, std::stod(line.substr(space + 1))).second)
            problems.push_back("twice: " + sample);
        for (auto at = sample.find('{'); at != std::string::npos; at = sample.find("\",", at + 1)) {
            const auto start = at + (sample[at] == '{' ? 1u : 2u);
            const std::string label = sample.substr(start, sample.find('=', start) - start);
            if (label != "le" && !label.empty() && label != "}") family.labels.insert(label);
        }
    }
};

}  // namespace pgsluice::metrics::testing
