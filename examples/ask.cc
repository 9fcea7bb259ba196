/* ask.cc - a question, its answer as it comes, in C++11 and later:

       ask URL QUESTION...        c++ ask.cc -lmbedtls -lmbedx509 -lmbedcrypto */
#define CHATGPTT_IMPLEMENTATION
#include "chatgptt.h"
#include <iostream>
#include <memory>
#include <stdexcept>
#include <string>

/* The wrapper: a client and a stream end with their scope, errors are exceptions, texts are strings. */
namespace chat {

struct error : std::runtime_error {
    chatgptt_code code;
    explicit error(const chatgptt_error &e) : std::runtime_error(e.message), code(e.code) {}
};

class stream {
public:
    explicit stream(chatgptt_stream *s) : stream_(s, chatgptt_finish) {}
    /* The next piece of the answer; false: it is whole. Remarks of the site beside it are passed over. */
    bool next(std::string &piece) {
        chatgptt_event event;
        for (;;) {
            chatgptt_code code = chatgptt_next(stream_.get(), &event);
            if (code == CHATGPTT_DONE) return false;
            if (code < 0) throw error(*chatgptt_stream_error(stream_.get()));
            if (event.kind != CHATGPTT_TEXT) continue;
            piece.assign(event.text, event.len);
            return true;
        }
    }

private:
    std::unique_ptr<chatgptt_stream, void (*)(chatgptt_stream *)> stream_;
};

class client {
public:
    explicit client(const chatgptt_options &options) : client_(nullptr, chatgptt_close) {
        chatgptt_error why;
        client_.reset(chatgptt_open(&options, &why));
        if (!client_) throw error(why);
    }
    stream ask(const std::string &question) {
        chatgptt_request request = chatgptt_request();
        request.prompt = question.c_str();
        chatgptt_stream *s = chatgptt_start(client_.get(), &request);
        if (!s) throw error(*chatgptt_client_error(client_.get()));
        return stream(s);
    }

private:
    std::unique_ptr<chatgptt_client, void (*)(chatgptt_client *)> client_;
};

}

int main(int argc, char **argv) try {
    chatgptt_options options = chatgptt_options();
    std::string question, piece;
    if (argc < 3) throw std::runtime_error("usage: ask URL QUESTION...");
    options.url = argv[1];
    for (int i = 2; i < argc; i++) question += (i > 2 ? " " : "") + std::string(argv[i]);
    chat::client client(options);
    chat::stream answer = client.ask(question);
    while (answer.next(piece)) std::cout << piece << std::flush;
    std::cout << std::endl;
} catch (const std::exception &e) {
    std::cerr << "ask: " << e.what() << std::endl;
    return 1;
}
