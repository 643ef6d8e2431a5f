// Beast's own code and Asio's for TLS, compiled once for all: BOOST_BEAST_SEPARATE_COMPILATION and
// BOOST_ASIO_SEPARATE_COMPILATION keep them out of every other translation unit.
#include <boost/asio/ssl/impl/src.hpp>
#include <boost/beast/src.hpp>
