"""chatgptt.h for asyncio: an async generator over the shared object that `make build/libchatgptt.so` builds.

    from chatgptt import ChatGptt

    async for text in ChatGptt.create_async_generator("gpt-4o", [{"role": "user", "content": "Why is the sky blue?"}]):
        print(text, end="", flush=True)

The call has the shape of the common Python providers, so that a program which used one changes its import. Many
generators may run at once in one loop; they share tokens, cookies and connections. Nothing but ctypes is needed; the
shared object is looked for beside this file, in build/, and where CHATGPTT_LIBRARY says. A host's name is looked up by
the C library, which blocks: give address="…" where that matters."""
import asyncio
import ctypes as c
import os

READ, WRITE, AGAIN, DONE, TEXT = 1, 2, 1, 2, 0
ROLES = {"user": 0, "assistant": 1, "system": 2, "developer": 2}


class _Error(c.Structure):
    _fields_ = [("code", c.c_int), ("http_status", c.c_int), ("sys_errno", c.c_int), ("tls_code", c.c_int),
                ("message", c.c_char * 256)]


class _On(c.Structure):
    _fields_ = [("fd", c.c_int), ("events", c.c_uint)]


class _Wait(c.Structure):
    _fields_ = [("on", _On * 2), ("count", c.c_int), ("timeout_ms", c.c_int), ("generation", c.c_uint)]


class _Options(c.Structure):        # the header's own struct, field by field; transport and hooks stay zero
    _fields_ = [("url", c.c_char_p), ("endpoint", c.c_char_p), ("dialect", c.c_int)] + [
        (name, c.c_char_p) for name in ("bot_id", "client_id", "model", "proxy", "user_agent", "address",
                                        "nonce_pattern", "post_id_pattern", "ca_file", "ca_pem")] + [
        ("insecure", c.c_bool), ("connect_timeout_ms", c.c_int), ("idle_timeout_ms", c.c_int),
        ("total_timeout_ms", c.c_int), ("max_redirects", c.c_int), ("max_page_bytes", c.c_size_t),
        ("max_header_bytes", c.c_size_t), ("max_event_bytes", c.c_size_t), ("max_reply_bytes", c.c_size_t),
        ("transport", c.c_void_p * 7), ("hooks", c.c_void_p * 6)]


class _Message(c.Structure):
    _fields_ = [("role", c.c_int), ("text", c.c_char_p), ("len", c.c_size_t)]


class _Request(c.Structure):
    _fields_ = [("prompt", c.c_char_p), ("messages", c.POINTER(_Message)), ("num_messages", c.c_size_t),
                ("model", c.c_char_p), ("conversation", c.c_void_p), ("on_tick", c.c_void_p), ("tick_user", c.c_void_p)]


class _Event(c.Structure):
    _fields_ = [("kind", c.c_int), ("text", c.POINTER(c.c_char)), ("len", c.c_size_t)]


def _load():
    here = os.path.dirname(os.path.abspath(__file__))
    places = [os.environ.get("CHATGPTT_LIBRARY"), os.path.join(here, "libchatgptt.so"),
              os.path.join(here, "..", "build", "libchatgptt.so"), "libchatgptt.so"]
    for place in filter(None, places):
        try:
            lib = c.CDLL(place)
            break
        except OSError:
            continue
    else:
        raise ImportError("libchatgptt.so is not there: make build/libchatgptt.so, or set CHATGPTT_LIBRARY")
    for name, result, *arguments in (
            ("open", c.c_void_p, c.POINTER(_Options), c.POINTER(_Error)), ("close", None, c.c_void_p),
            ("start", c.c_void_p, c.c_void_p, c.POINTER(_Request)), ("finish", None, c.c_void_p),
            ("step", c.c_int, c.c_void_p, c.POINTER(_Event)), ("want", _Wait, c.c_void_p),
            ("client_error", c.POINTER(_Error), c.c_void_p), ("stream_error", c.POINTER(_Error), c.c_void_p),
            ("code_name", c.c_char_p, c.c_int), ("model", c.c_char_p, c.c_size_t)):
        function = getattr(lib, "chatgptt_" + name)
        function.restype, function.argtypes = result, arguments
    return lib


_lib = _load()


class ChatGpttError(RuntimeError):
    """`code` is the header's name for it, such as E_RATE_LIMITED; `status` the HTTP status behind it, or 0."""

    def __init__(self, error):
        self.code, self.status = _lib.chatgptt_code_name(error.code).decode(), error.http_status
        super().__init__("%s: %s" % (self.code, error.message.decode()))


class _Client:
    """Owns a chatgptt_client; its generators hold it, so that it ends with the last of them."""

    def __init__(self, url, settings):
        options, error = _Options(), _Error()
        options.url = url.encode()
        for name, value in settings.items():
            setattr(options, name, value.encode() if isinstance(value, str) else value)
        self.handle = _lib.chatgptt_open(options, error)
        if not self.handle:
            raise ChatGpttError(error)

    def __del__(self):
        if getattr(self, "handle", None):
            _lib.chatgptt_close(self.handle)


async def _wait(stream):
    """Until one of the stream's descriptors is ready, or its time has come."""
    want, loop = _lib.chatgptt_want(stream), asyncio.get_running_loop()
    ready = loop.create_future()
    wake = lambda: ready.done() or ready.set_result(None)
    timer = None if want.timeout_ms < 0 else loop.call_later(want.timeout_ms / 1000, wake)
    on = want.on[:want.count]
    for one in on:
        if one.events & READ: loop.add_reader(one.fd, wake)
        if one.events & WRITE: loop.add_writer(one.fd, wake)
    try:
        await ready
    finally:
        for one in on:
            if one.events & READ: loop.remove_reader(one.fd)
            if one.events & WRITE: loop.remove_writer(one.fd)
        if timer: timer.cancel()


class ChatGptt:
    url = "https://chatgptt.me"
    working = supports_stream = supports_system_message = supports_message_history = True
    models = []
    while _lib.chatgptt_model(len(models)):
        models.append(_lib.chatgptt_model(len(models)).decode())
    default_model = models[0]
    _clients = {}

    @classmethod
    def client(cls, **settings):
        key = (cls.url,) + tuple(sorted(settings.items()))
        if key not in cls._clients:
            cls._clients[key] = _Client(settings.pop("url", cls.url), settings)
        return cls._clients[key]

    @classmethod
    async def create_async_generator(cls, model, messages, proxy=None, **settings):
        """The answer in pieces. `settings`: fields of chatgptt_options (url, ca_file, total_timeout_ms, …)."""
        client = cls.client(**dict(settings, **({"proxy": proxy} if proxy else {})))
        texts = [message["content"].encode() for message in messages]
        list_type = _Message * len(messages)
        listed = list_type(*(_Message(ROLES[m["role"]], text, len(text)) for m, text in zip(messages, texts)))
        request = _Request(messages=listed, num_messages=len(messages), model=model.encode() if model else None)
        stream, event = _lib.chatgptt_start(client.handle, request), _Event()
        if not stream:
            raise ChatGpttError(_lib.chatgptt_client_error(client.handle).contents)
        try:
            while True:
                code = _lib.chatgptt_step(stream, event)
                if code == AGAIN:
                    await _wait(stream)
                elif code == DONE:
                    return
                elif code < 0:
                    raise ChatGpttError(_lib.chatgptt_stream_error(stream).contents)
                elif event.kind == TEXT:
                    yield event.text[:event.len].decode()
        finally:
            _lib.chatgptt_finish(stream)
