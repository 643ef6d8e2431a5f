# What is installed, and where: the one list of `make install` and of the Debian package.
# SYSCONFDIR in the environment of `cmake --install` names another folder than /etc; DESTDIR works as everywhere.
set(CMAKE_INSTALL_DEFAULT_COMPONENT_NAME pgsluice)

find_program(HELP2MAN help2man)
# Sanitizers have words of their own for every program that ends, so their builds make no page.
if(HELP2MAN AND NOT PGSLUICE_SANITIZE)
  set(manual ${CMAKE_BINARY_DIR}/pgsluice.8.gz)
  add_custom_command(OUTPUT ${manual}
    COMMAND ${PROJECT_SOURCE_DIR}/packaging/manual $<TARGET_FILE:pgsluice> ${CMAKE_BINARY_DIR}/pgsluice.8
    COMMAND gzip -9nkf ${CMAKE_BINARY_DIR}/pgsluice.8
    DEPENDS pgsluice packaging/manual packaging/manual.include docs/operations.md
    COMMENT "Making the man page"
    VERBATIM)
  add_custom_target(manual ALL DEPENDS ${manual})
  install(FILES ${manual} DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
endif()

install(TARGETS pgsluice RUNTIME DESTINATION ${CMAKE_INSTALL_SBINDIR})
install(FILES config/pgsluice.sysusers DESTINATION lib/sysusers.d RENAME pgsluice.conf)
file(GLOB documents CONFIGURE_DEPENDS README.md CHANGELOG.md docs/*.md config/*.yaml)
install(FILES LICENSE ${documents} DESTINATION share/doc/pgsluice)
install(CODE "set(config ${PROJECT_SOURCE_DIR}/config)")
install(SCRIPT cmake/install_adapted.cmake)
