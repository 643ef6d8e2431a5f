// Beast's own code, compiled once for all: BOOST_BEAST_SEPARATE_COMPILATION keeps it out of every other translation
// unit.
#include <boost/beast/src.hpp>
