/* The header in a file that a socket library for small systems filled with macros: lwIP names its functions
   so, with LWIP_COMPAT_SOCKETS and LWIP_POSIX_SOCKETS_IO_NAMES. The system's headers are read before. */
#include "system.h"
#ifndef CHATGPTT_NO_TLS
#include <mbedtls/ssl.h>
#include <mbedtls/x509_crt.h>
#include <mbedtls/ctr_drbg.h>
#endif
#ifndef CHATGPTT_NO_NET
int lwip_socket(int domain, int type, int protocol);
int lwip_connect(int s, const struct sockaddr *name, socklen_t len);
int lwip_setsockopt(int s, int level, int option, const void *value, socklen_t len);
int lwip_getsockopt(int s, int level, int option, void *value, socklen_t *len);
ssize_t lwip_recv(int s, void *mem, size_t len, int flags);
ssize_t lwip_send(int s, const void *data, size_t size, int flags);
ssize_t lwip_read(int s, void *mem, size_t len);
ssize_t lwip_write(int s, const void *data, size_t size);
int lwip_poll(struct pollfd *fds, nfds_t count, int timeout);
int lwip_close(int s);
int lwip_fcntl(int s, int cmd, int val);
int lwip_getaddrinfo(const char *node, const char *service, const struct addrinfo *hints,
                     struct addrinfo **res);
void lwip_freeaddrinfo(struct addrinfo *ai);
#endif
#define accept(s, addr, addrlen)                    lwip_accept(s, addr, addrlen)
#define bind(s, name, namelen)                      lwip_bind(s, name, namelen)
#define shutdown(s, how)                            lwip_shutdown(s, how)
#define getpeername(s, name, namelen)               lwip_getpeername(s, name, namelen)
#define getsockname(s, name, namelen)               lwip_getsockname(s, name, namelen)
#define setsockopt(s, level, optname, opval, len)   lwip_setsockopt(s, level, optname, opval, len)
#define getsockopt(s, level, optname, opval, len)   lwip_getsockopt(s, level, optname, opval, len)
#define closesocket(s)                              lwip_close(s)
#define connect(s, name, namelen)                   lwip_connect(s, name, namelen)
#define listen(s, backlog)                          lwip_listen(s, backlog)
#define recv(s, mem, len, flags)                    lwip_recv(s, mem, len, flags)
#define recvfrom(s, mem, len, flags, from, fromlen) lwip_recvfrom(s, mem, len, flags, from, fromlen)
#define send(s, data, size, flags)                  lwip_send(s, data, size, flags)
#define sendto(s, data, size, flags, to, tolen)     lwip_sendto(s, data, size, flags, to, tolen)
#define socket(domain, type, protocol)              lwip_socket(domain, type, protocol)
#define select(max, rs, ws, es, timeout)            lwip_select(max, rs, ws, es, timeout)
#define poll(fds, nfds, timeout)                    lwip_poll(fds, nfds, timeout)
#define read(s, mem, len)                           lwip_read(s, mem, len)
#define readv(s, iov, iovcnt)                       lwip_readv(s, iov, iovcnt)
#define write(s, dataptr, len)                      lwip_write(s, dataptr, len)
#define writev(s, iov, iovcnt)                      lwip_writev(s, iov, iovcnt)
#define close(s)                                    lwip_close(s)
#define fcntl(s, cmd, val)                          lwip_fcntl(s, cmd, val)
#define ioctl(s, cmd, argp)                         lwip_ioctl(s, cmd, argp)
#define getaddrinfo(node, service, hints, res)      lwip_getaddrinfo(node, service, hints, res)
#define freeaddrinfo(ai)                            lwip_freeaddrinfo(ai)
#define CHATGPTT_IMPLEMENTATION
#include "../../chatgptt.h"
