# The Debian package, made by CPack (scripts/package): what cmake/install.cmake installs, and what Debian wants beside it.
# Whoever publishes packages puts an address of theirs here, so that reports reach somebody.
set(PGSLUICE_MAINTAINER "pgsluice developers <pgsluice@example.org>" CACHE STRING "Maintainer field of the package")

set(debian ${PROJECT_SOURCE_DIR}/packaging/debian)
string(CONCAT variables
  "set(source \"${PROJECT_SOURCE_DIR}\")\n"
  "set(version \"${PROJECT_VERSION}\")\n"
  "set(maintainer \"${PGSLUICE_MAINTAINER}\")\n")
install(CODE "${variables}" COMPONENT debian EXCLUDE_FROM_ALL)
install(SCRIPT cmake/package_documents.cmake COMPONENT debian EXCLUDE_FROM_ALL)
install(FILES ${debian}/lintian-overrides DESTINATION share/lintian/overrides RENAME pgsluice
  COMPONENT debian EXCLUDE_FROM_ALL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME pgsluice)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_STRIP_FILES ON)
set(CPACK_COMPONENTS_ALL pgsluice debian)
set(CPACK_COMPONENTS_GROUPING ALL_COMPONENTS_IN_ONE)
set(CPACK_DEB_COMPONENT_INSTALL ON)

set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${PGSLUICE_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_SECTION database)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# The account is made by systemd-sysusers, which a container may have without systemd.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "systemd | systemd-standalone-sysusers | systemd-sysusers")
# Servers' certificates are verified with the system's authorities where the configuration names none.
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS ca-certificates)
set(CPACK_DEBIAN_PACKAGE_SUGGESTS postgresql-client)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "proxy and connection pool for PostgreSQL")
set(CPACK_DEBIAN_PACKAGE_DESCRIPTION
"pgsluice stands between services and PostgreSQL and speaks PostgreSQL's own
protocol on both sides. A service points its DSN at it and goes on as before;
the people who run the databases get one place for authentication, TLS,
connection pooling, routing, rules about statements, metrics and logs.

Connections are pooled by session, transaction or statement. In transaction
mode prepared statements work, and settings follow their client from server to
server. Results and COPY stream through, whatever their size, with flat
memory.")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${debian}/postinst ${debian}/prerm ${debian}/postrm ${debian}/conffiles)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
include(CPack)
