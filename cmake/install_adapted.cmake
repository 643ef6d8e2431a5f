# Run by the installation: what depends on its prefix, or on what is there already. `config` is the folder of the sources.
set(etc /etc)
if(NOT "$ENV{SYSCONFDIR}" STREQUAL "")
  set(etc $ENV{SYSCONFDIR})
endif()

# A configuration that is there is its owner's, and so is the question where its users are.
if(NOT EXISTS "$ENV{DESTDIR}${etc}/pgsluice/pgsluice.yaml")
  set(mode PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ)
  file(INSTALL ${config}/minimal.yaml DESTINATION ${etc}/pgsluice RENAME pgsluice.yaml ${mode})
  if(NOT EXISTS "$ENV{DESTDIR}${etc}/pgsluice/userlist.txt")
    file(INSTALL ${config}/userlist.txt DESTINATION ${etc}/pgsluice ${mode})
  endif()
endif()

file(READ ${config}/pgsluice.service unit)
string(REPLACE /etc/pgsluice/ ${etc}/pgsluice/ unit "${unit}")
string(REPLACE /usr/sbin/ ${CMAKE_INSTALL_PREFIX}/sbin/ unit "${unit}")
string(REPLACE /usr/share/ ${CMAKE_INSTALL_PREFIX}/share/ unit "${unit}")
set(units ${CMAKE_INSTALL_PREFIX}/lib/systemd/system)
message(STATUS "Installing: $ENV{DESTDIR}${units}/pgsluice.service")
file(MAKE_DIRECTORY "$ENV{DESTDIR}${units}")
file(WRITE "$ENV{DESTDIR}${units}/pgsluice.service" "${unit}")
file(CHMOD "$ENV{DESTDIR}${units}/pgsluice.service" PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
