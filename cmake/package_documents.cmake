# Run by CPack: the documents of the package that Debian wants in forms of its own.
set(doc "$ENV{DESTDIR}${CMAKE_INSTALL_PREFIX}/share/doc/pgsluice")
file(MAKE_DIRECTORY ${doc})
set(stop_where_one_fails COMMAND_ERROR_IS_FATAL ANY)

execute_process(COMMAND python3 ${source}/scripts/lib/debian_changelog.py ${source}/CHANGELOG.md ${version} ${maintainer}
  OUTPUT_FILE ${doc}/changelog ${stop_where_one_fails})
execute_process(COMMAND gzip -9nf ${doc}/changelog ${stop_where_one_fails})

# The licence stands in LICENSE: a title, the holder, and the text.
file(READ ${source}/LICENSE licence)
string(REGEX MATCH "Copyright \\(c\\) ([^\n]+)\n\n(.*)$" found "${licence}")
set(holder "${CMAKE_MATCH_1}")
string(STRIP "${CMAKE_MATCH_2}" licence)
string(REPLACE "\n\n" "\n.\n" licence "${licence}")
string(REPLACE "\n" "\n " licence "${licence}")
file(WRITE ${doc}/copyright
  "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n"
  "Upstream-Name: pgsluice\n"
  "Comment: The program contains libpg_query and CLI11. Their terms are in the files\n"
  " libpg-query.copyright and libcli11.copyright beside this one.\n\n"
  "Files: *\nCopyright: ${holder}\nLicense: ISC\n ${licence}\n")

# What becomes part of the program, rather than a library that it depends on, brings its terms along.
file(COPY_FILE /usr/share/doc/libpg-query-dev/copyright ${doc}/libpg-query.copyright)
file(COPY_FILE /usr/share/doc/libcli11-dev/copyright ${doc}/libcli11.copyright)

file(GLOB made ${doc}/*copyright ${doc}/changelog.gz)
file(CHMOD ${made} PERMISSIONS OWNER_READ OWNER_WRITE GROUP_READ WORLD_READ)
