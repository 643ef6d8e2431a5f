// One file for two purposes: a log would be written over what is read, two logs would be cut into each other, and a
// password file that is also the configuration would be printed.
#include "checks.hpp"

#include <sys/stat.h>

#include <initializer_list>

namespace pgsluice::config {
namespace {

enum class Purpose : std::uint8_t { configuration, log, audit, users, tls };

struct Use {
    Purpose purpose;
    const std::string& path;
    const Node& node;
};

// Terminals, pipes and /dev/null may be shared. What is not there yet is compared by its name.
bool is_same_file(const std::string& a, const std::string& b) {
    struct stat one {
    }, other{};
    if (::stat(a.c_str(), &one) == 0 && ::stat(b.c_str(), &other) == 0)
        return S_ISREG(one.st_mode) && one.st_dev == other.st_dev && one.st_ino == other.st_ino;
    return place_of_file(a) == place_of_file(b);
}

class Uses {
  public:
    explicit Uses(Reader& reader) : reader_(reader) {}

    // An earlier use keeps the file, so that the problem stands at the later one. A PEM file may hold all that TLS
    // wants, and several clusters may have the same users.
    void add(Purpose purpose, const std::string& path, const Node& node) {
        if (path.empty()) return;
        for (const Use& before : uses_) {
            if (before.purpose == purpose || !is_same_file(before.path, path)) continue;
            const std::string& key = before.node.path;
            return reader_.problem(node, path + " is " +
                                             (key.empty() ? "a file of the configuration" : "the file of " + key) +
                                             " too; each wants a file of its own");
        }
        uses_.push_back({purpose, path, node});
    }

    void add_tls(const Node& section, std::initializer_list<std::pair<std::string_view, const std::string*>> files) {
        for (const auto& [key, path] : files) add(Purpose::tls, *path, node_of(section, key));
    }

  private:
    Reader& reader_;
    std::vector<Use> uses_;
};

}  // namespace

void check_files(Reader& reader, const Node& root, const Config& config,
                 const std::vector<std::string>& configuration) {
    Uses uses(reader);
    static const Node none;
    for (const std::string& file : configuration) uses.add(Purpose::configuration, file, none);
    const Node& auth = section_of(root, "auth");
    uses.add(Purpose::users, config.auth.source.users_file, node_of(auth, "users_file"));
    for_each_item(root, "listeners", config.listeners, [&](const Node& node, const Listener& listener) {
        const ListenerTls& tls = listener.tls;
        uses.add_tls(
            section_of(node, "tls"),
            {{"certificate", &tls.certificate}, {"private_key", &tls.private_key}, {"client_ca", &tls.client_ca}});
    });
    const auto add_client = [&](const Node& section, const ServerTls& tls) {
        uses.add_tls(section, {{"ca", &tls.ca}, {"certificate", &tls.certificate}, {"private_key", &tls.private_key}});
    };
    for_each_item(root, "clusters", config.clusters, [&](const Node& node, const Cluster& cluster) {
        uses.add(Purpose::users, cluster.source.users_file, node_of(node, "users_file"));
        add_client(section_of(node, "tls"), cluster.tls);
    });
    add_client(section_of(section_of(root, "peers"), "tls"), config.peers.tls);
    const HttpTls& http = config.admin_http.tls;
    uses.add_tls(section_of(section_of(section_of(root, "admin"), "http"), "tls"),
                 {{"certificate", &http.certificate}, {"private_key", &http.private_key}});
    uses.add(Purpose::log, config.log.file, node_of(section_of(root, "log"), "file"));
    uses.add(Purpose::audit, config.audit.file, node_of(section_of(root, "audit"), "file"));
}

}  // namespace pgsluice::config
