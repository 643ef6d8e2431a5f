# Profile-guided optimisation (ADR 18), in two builds that scripts/profile makes one after the other:
#   count  the program counts how often it takes each branch
#   use    the compiler lays out the same sources by those counts
set(PGSLUICE_PROFILE "" CACHE STRING "count or use; empty for neither")
set(PGSLUICE_COUNTS ${PROJECT_SOURCE_DIR}/build/counts CACHE PATH "Folder of the counts, one for both")
# What a message passes. The other layers gain nothing by it, and compile faster without.
set(PGSLUICE_PROFILED_LAYERS net wire metrics protocol sql policy pool session)

if(PGSLUICE_PROFILE STREQUAL "count")
  add_link_options(-fprofile-generate)
elseif(PGSLUICE_PROFILE STREQUAL "use" AND NOT EXISTS ${PGSLUICE_COUNTS}/sources)
  message(FATAL_ERROR "there are no counts in ${PGSLUICE_COUNTS}: scripts/profile makes them, and this build")
elseif(NOT PGSLUICE_PROFILE MATCHES "^(use)?$")
  message(FATAL_ERROR "PGSLUICE_PROFILE is 'count' or 'use', and not '${PGSLUICE_PROFILE}'")
endif()

function(profile_layer name sources)
  if(NOT PGSLUICE_PROFILE OR NOT name IN_LIST PGSLUICE_PROFILED_LAYERS)
    return()
  endif()
  # Counts are found by the object's path below the build folder, which is another one in each build.
  set(options -fprofile-prefix-path=${CMAKE_BINARY_DIR})
  if(PGSLUICE_PROFILE STREQUAL "count")
    list(APPEND options -fprofile-generate=${PGSLUICE_COUNTS} -fprofile-update=prefer-atomic)
  else()
    # What the load never ran is compiled as without counts, instead of for size: it may be somebody else's daily load.
    list(APPEND options -fprofile-use=${PGSLUICE_COUNTS} -fprofile-partial-training -Wno-missing-profile
         -Wno-coverage-mismatch)
    set_source_files_properties(${sources} PROPERTIES OBJECT_DEPENDS ${PGSLUICE_COUNTS}/sources)
  endif()
  target_compile_options(pgsluice_${name} PRIVATE ${options})
  # ccache 4.7 does not know of the prefix, and would answer with an object made by other counts.
  set_target_properties(pgsluice_${name} PROPERTIES CXX_COMPILER_LAUNCHER "")
endfunction()
