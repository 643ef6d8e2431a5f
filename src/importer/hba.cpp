#include "hba.hpp"

#include "files.hpp"
#include "hba_line.hpp"
#include "text.hpp"

#include <algorithm>
#include <bit>
#include <charconv>
#include <iterator>
#include <optional>
#include <set>
#include <span>
#include <string_view>

namespace pgsluice::importer {
namespace {

template <class Handle>
void each_line(const std::string& path, const Place& named_at, const std::string& option, Findings& findings,
               Handle handle) {
    const auto text = read_file(path);
    if (!text) return findings.add(Weight::broken, named_at, option, "could not read the file " + path);
    Place place{path, 0};
    for (const std::string_view line : lines_of(*text)) {
        ++place.line;
        handle(line, place);
    }
}

struct Names {
    bool all = false, sameuser = false, replication = false, has_star = false;
    std::vector<std::string> names;
};

constexpr int deepest_file = 10;

// What all lists of a file may take together. A file of names that is named again is read again, so a few short files
// can ask for any number.
struct Allowance {
    std::size_t names = 1'000'000;
    std::size_t lines = 1'000'000;  // of files of names

    bool is_used_up() const { return names == 0 || lines == 0; }
    // False where there are not as many left, and then none is.
    bool take(std::size_t count) {
        const bool is_enough = count < names;
        names = is_enough ? names - count : 0;
        return is_enough;
    }
};

// Adds the words of one list. False: PgBouncer understands one of them no more than we do, and skips the whole line; or
// the allowance is used up.
bool add_names(const Field& field, bool are_databases, const Place& place, int depth, Allowance& left, Names& out) {
    for (const Word& word : field) {
        if (left.is_used_up()) return false;
        if (word.is("all")) {
            out.all = true;
        } else if (are_databases && word.is("sameuser")) {
            out.sameuser = true;
        } else if (are_databases && word.is("replication")) {
            out.replication = true;
        } else if (!word.is_quoted &&
                   (word.text[0] == '+' || (are_databases && (word.text == "samerole" || word.text == "samegroup")))) {
            return false;
        } else if (!word.is_quoted && word.text[0] == '@') {
            // A list a line, of which what has no comma in front of it is ignored; an empty line is no list.
            const std::string path = file_beside(word.text.substr(1), place.file);
            const auto text = depth < deepest_file ? read_file(path) : std::nullopt;
            if (!text) return false;
            --left.lines;  // for the file itself, which may be empty
            for (const std::string_view line : lines_of(*text)) {
                if (left.is_used_up()) return false;
                --left.lines;
                const auto fields = fields_of(line);
                if (!fields || fields->empty() ||
                    !add_names((*fields)[0], are_databases, {path, 0}, depth + 1, left, out))
                    return false;
            }
        } else if (word.text == "*") {
            out.has_star = true;  // a name there, and everything in our rules
        } else {
            --left.names;
            out.names.push_back(word.text);
        }
    }
    return true;
}

// 255.255.0.0 -> 16
std::optional<unsigned> prefix_of(const Address& mask) {
    unsigned bits = 0;
    bool has_ended = false;
    for (std::size_t i = 0; i < (mask.family == Address::Family::ipv4 ? 4U : 16U); ++i) {
        const auto ones = static_cast<unsigned>(std::countl_one(mask.octets[i]));
        if (std::popcount(mask.octets[i]) != static_cast<int>(ones) || (has_ended && ones > 0)) return std::nullopt;
        has_ended = ones < 8;
        bits += ones;
    }
    return bits;
}

// Such a block matches nobody in PgBouncer: 10.0.0.9/8.
bool has_bits_behind(const Address& base, std::string_view block) {
    const std::size_t bits = base.family == Address::Family::ipv4 ? 32 : 128;
    std::size_t prefix = bits;
    const auto digits = block.substr(block.find('/') + 1);
    std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    for (std::size_t bit = prefix; bit < bits; ++bit) {
        if ((base.octets[bit / 8] >> (7 - bit % 8)) & 1) return true;
    }
    return false;
}

// The networks of "all", a block, or an address and its mask; how many fields they took is added to `at`.
std::optional<std::vector<Network>> networks_of(std::span<const Field> fields, std::size_t& at) {
    const std::string& text = fields[0][0].text;
    ++at;
    if (text == "all") return std::vector{*Network::parse("0.0.0.0/0"), *Network::parse("::/0")};
    std::string block = text;
    if (text.find('/') == std::string::npos) {
        const auto mask = fields.size() < 2 ? std::nullopt : Address::parse(fields[1][0].text);
        const auto prefix = mask ? prefix_of(*mask) : std::nullopt;
        if (!prefix) return std::nullopt;
        block += '/' + std::to_string(*prefix);
        ++at;
    }
    const auto network = Network::parse(block);
    const auto base = Address::parse(block.substr(0, block.find('/')));
    if (!network || !base || has_bits_behind(*base, block)) return std::nullopt;
    return std::vector{*network};
}

constexpr std::size_t most_rules = 20'000;

class HbaReader {
  public:
    HbaReader(const IdentMaps& maps, const HbaUsers& users, Findings& findings)
        : maps_(maps), users_(users), findings_(findings) {
        if (users.are_all) return;
        const std::set<std::string_view> known(users.names.begin(), users.names.end());
        std::copy_if(users.databases.begin(), users.databases.end(), std::back_inserter(called_like_databases_),
                     [&](const std::string& name) { return !known.contains(name); });
    }

    void line(std::string_view line, const Place& place) {
        if (left_.is_used_up()) return;
        const auto fields = fields_of(line);
        if (fields && fields->empty()) return;
        const bool is_done = fields && rule(*fields, place);
        // Lines behind it may reject whom those before it let in, so that what there is must not be used.
        if (left_.is_used_up())
            findings_.add(Weight::broken, place, "", "too many names: this line and those behind it are left out");
        else if (!is_done)
            findings_.add(Weight::note, place, "",
                          "left out: PgBouncer does not understand this line or matches nobody by it");
    }
    Hba take() { return std::move(out_); }

  private:
    bool rule(const std::vector<Field>& fields, const Place& place) {
        const std::string& type = fields[0][0].text;
        const bool is_local = type == "local";
        if ((!is_local && type != "host" && type != "hostssl" && type != "hostnossl") || fields.size() < 4)
            return false;
        config::AuthRule rule;
        if (type == "hostssl") rule.tls = config::TlsCondition::require;
        if (type == "hostnossl") rule.tls = config::TlsCondition::refuse;
        Names databases, users;
        if (!add_names(fields[1], true, place, 0, left_, databases) ||
            !add_names(fields[2], false, place, 0, left_, users))
            return false;
        if (databases.has_star || users.has_star)
            findings_.add(Weight::not_done, place, "", "the name \"*\" is left out: in rules it would mean everything");
        std::size_t at = 3;
        if (is_local) {
            rule.from = {*Network::parse("unix")};
        } else if (const auto networks = networks_of(std::span(fields).subspan(3), at)) {
            rule.from = *networks;
        } else {
            return false;
        }
        if (!users.all) rule.users = users.names;
        const auto method = method_of(std::span(fields).subspan(std::min(at, fields.size())), place);
        if (!method) return false;
        rule.method = method->method;
        // Over TCP there is no peer to ask, and PgBouncer refuses.
        if (rule.method == config::AuthMethod::peer && !is_local) rule.method = config::AuthMethod::reject;
        if (databases.replication) out_.names_replication = true;
        if (!users.all && users.names.empty()) return true;  // nobody but "*"
        const bool takes_a_map = rule.method == config::AuthMethod::peer || rule.method == config::AuthMethod::cert;
        if (method->map == nullptr || !takes_a_map) {
            add(rule, databases, place);
        } else {
            add_mapped(rule, databases, *method->map, place);
        }
        return true;
    }

    struct Method {
        config::AuthMethod method;
        const IdentMaps::mapped_type* map = nullptr;
    };

    // What cannot be asked for rejects.
    std::optional<Method> method_of(std::span<const Field> fields, const Place& place) {
        using enum config::AuthMethod;
        static const std::map<std::string, config::AuthMethod> methods{
            {"trust", trust}, {"reject", reject}, {"md5", md5},    {"password", password},          {"cert", cert},
            {"peer", peer},   {"ldap", reject},   {"pam", reject}, {"scram-sha-256", scram_sha_256}};
        const std::string& name = fields.empty() ? "" : fields[0][0].text;
        const auto found = methods.find(name);
        if (found == methods.end()) return std::nullopt;
        if (name == "ldap" || name == "pam") {
            findings_.add(Weight::not_done, place, "", "there is no method " + name + ", so this line rejects");
            return Method{reject};
        }
        Method out{found->second};
        for (const Field& option : fields.subspan(1)) {
            if (!option[0].text.starts_with("map=")) return std::nullopt;
            const auto map = maps_.find(option[0].text.substr(4));
            if (map == maps_.end()) {
                findings_.add(Weight::broken, place, "",
                              "there is no such map in auth_ident_file, so this line rejects");
                return Method{reject};
            }
            out.map = &map->second;
        }
        return out;
    }

    void add(const config::AuthRule& rule, const Names& databases, const Place& place) {
        if (databases.all || !databases.names.empty()) {
            out_.rules.push_back(rule);
            if (!databases.all) out_.rules.back().databases = databases.names;
        }
        if (!databases.sameuser || databases.all) return;
        if (!rule.users.empty()) return add_for_each(rule.users, rule, place);
        if (users_.are_all && users_.names.empty())
            findings_.add(Weight::not_done, place, "",
                          "\"sameuser\" needs the names of the users, and auth_file has none");
        if (!users_.are_all && users_.has_any_database)
            findings_.add(Weight::not_done, place, "",
                          "\"sameuser\" needs the names of the users: of those whom auth_query finds, it means only "
                          "those who are called like a database of [databases]");
        add_for_each(users_.names, rule, place);
        add_for_each(called_like_databases_, rule, place);
    }

    // Each in the database of his name.
    void add_for_each(const std::vector<std::string>& users, const config::AuthRule& rule, const Place& place) {
        if (!left_.take(users.size() * (1 + rule.map.size()))) return;
        config::AuthRule one = rule;
        for (const std::string& user : users) {
            if (out_.rules.size() >= most_rules)
                return findings_.add(Weight::broken, place, "", "too many rules: \"sameuser\" is one for each user");
            one.users = one.databases = {user};
            out_.rules.push_back(one);
        }
    }

    // One system user may be several users: a rule for each of those then, since ours maps to one. Whoever the line
    // means is refused behind them, as where the map has no line for him.
    void add_mapped(const config::AuthRule& rule, const Names& databases, const IdentMaps::mapped_type& lines,
                    const Place& place) {
        const auto is_for_all = [](const auto& line) { return line.second == "all"; };
        const auto for_all = static_cast<std::size_t>(std::count_if(lines.begin(), lines.end(), is_for_all));
        if (!left_.take(lines.size() + for_all * users_.names.size())) return;
        if (for_all != 0 && users_.names.empty())
            findings_.add(Weight::not_done, place, "", "\"all\" in a map needs the users of auth_file");
        else if (for_all != 0 && !users_.are_all)
            findings_.add(Weight::not_done, place, "",
                          "\"all\" in a map means the users of auth_file, and none of those whom auth_query finds");
        std::map<std::string, std::map<std::string, std::string>> by_user;
        for (const auto& [system, user] : lines) {
            if (user != "all") {
                by_user[user].emplace(system, user);
                continue;
            }
            for (const std::string& each : users_.names) by_user[each].emplace(system, each);
        }
        config::AuthRule one = rule;
        for (const auto& [user, map] : by_user) one.map.insert(map.begin(), map.end());
        std::size_t pairs = 0;
        for (const auto& [user, map] : by_user) pairs += map.size();
        if (!one.map.empty() && one.map.size() == pairs) return add(one, databases, place);
        // Each of these rules has a copy of the line's lists.
        const std::size_t each_takes = databases.names.size() + rule.from.size();
        const std::set<std::string_view> meant(rule.users.begin(), rule.users.end());
        for (const auto& [user, map] : by_user) {
            if (!meant.empty() && !meant.contains(user)) continue;
            if (!left_.take(each_takes)) return;
            one.users = {user};
            one.map = map;
            add(one, databases, place);
        }
        one = rule;
        one.method = config::AuthMethod::reject;
        add(one, databases, place);
    }

    const IdentMaps& maps_;
    const HbaUsers& users_;
    std::vector<std::string> called_like_databases_;  // whom auth_query may find, beside users_.names
    Findings& findings_;
    Allowance left_;
    Hba out_;
};

}  // namespace

IdentMaps read_ident(const std::string& path, Findings& findings) {
    IdentMaps out;
    each_line(path, {path, 0}, "auth_ident_file", findings, [&](std::string_view line, const Place& place) {
        const auto fields = fields_of(line);
        if (fields && fields->empty()) return;
        if (!fields || fields->size() != 3)
            return findings.add(Weight::broken, place, "auth_ident_file", "is no line of MAP SYSTEM-USER USER");
        out[(*fields)[0][0].text].emplace_back((*fields)[1][0].text, (*fields)[2][0].text);
    });
    return out;
}

Hba read_hba(const std::string& path, const IdentMaps& maps, const HbaUsers& users, Findings& findings) {
    HbaReader reader(maps, users, findings);
    each_line(path, {path, 0}, "auth_hba_file", findings,
              [&](std::string_view line, const Place& place) { reader.line(line, place); });
    return reader.take();
}

}  // namespace pgsluice::importer
