// Builders for the messages of both directions, and their description as text.
#pragma once

#include <support/client_messages.hpp>
#include <support/describe.hpp>
#include <support/server_messages.hpp>
