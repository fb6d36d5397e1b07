// The echo server of the examples of uWebSockets, without compression, on a free port that it prints.
#include <csignal>
#include <cstdio>

#include "App.h"

int main() {
    // Some of its writes raise it when a client has gone.
    std::signal(SIGPIPE, SIG_IGN);
    struct PerSocketData {};
    uWS::App()
        .ws<PerSocketData>("/*", {
            .compression = uWS::DISABLED,
            .maxPayloadLength = 64 * 1024 * 1024,
            .idleTimeout = 120,
            .maxBackpressure = 256 * 1024 * 1024,
            .message = [](auto *ws, std::string_view message, uWS::OpCode opCode) { ws->send(message, opCode); },
        })
        .listen("127.0.0.1", 0, [](auto *listener) {
            if (!listener) std::exit(1);
            std::printf("%d\n", us_socket_local_port(0, (us_socket_t *) listener));
            std::fflush(stdout);
        })
        .run();
}
