"""Who may include whom: the architecture as a table.

Each folder lists the project headers (by prefix of the include path) and the
system headers (by exact name or prefix ending in /) that its files may
include.  Headers of the C library are allowed everywhere, except that pure
folders may not have those that reach for the operating system.
"""

C_PURE = {
    "ctype.h", "errno.h", "inttypes.h", "limits.h", "math.h", "stdalign.h",
    "stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h",
    "string.h", "strings.h", "iconv.h",
}
C_SYSTEM = C_PURE | {
    "arpa/inet.h", "fcntl.h", "getopt.h", "netdb.h", "netinet/in.h",
    "netinet/tcp.h", "poll.h", "signal.h", "sys/random.h", "sys/resource.h",
    "sys/socket.h", "sys/stat.h", "sys/time.h", "sys/types.h", "sys/uio.h",
    "sys/un.h", "time.h", "unistd.h", "pthread.h",
}

UNISTRING = {"unicase.h", "unictype.h", "uninorm.h", "unistr.h", "unitypes.h",
             "uniwidth.h"}
CRYPTO = {"mbedtls/aes.h", "mbedtls/base64.h", "mbedtls/md.h",
          "mbedtls/sha256.h", "mbedtls/version.h"}
GENERATED = {"stanza.pb-c.h", "channel.pb-c.h", "admin.pb-c.h",
             "federation.pb-c.h"}
PROTOBUF = {"protobuf-c/protobuf-c.h"}
MAPS = {"uthash.h", "utlist.h", "utarray.h"}

# folder -> (project include prefixes, other headers, is pure)
FOLDERS = {
    "common/base": (["base/"], C_PURE | CRYPTO | MAPS, True),
    "common/xmpp": (["base/", "xmpp/"],
                    C_PURE | GENERATED | PROTOBUF | MAPS | UNISTRING |
                    # inet_pton and inet_ntop only convert text
                    {"idn2.h", "arpa/inet.h"}, True),
    "common/chan": (["base/", "xmpp/", "chan/"],
                    C_PURE | GENERATED | PROTOBUF | MAPS, True),
    "common/io": (["base/", "chan/", "io/"],
                  C_SYSTEM | GENERATED | MAPS, False),
    "edge-proxy/core": (["base/", "xmpp/", "chan/", "edge-proxy/core/"],
                        C_PURE | GENERATED | MAPS | {"arpa/inet.h"}, True),
    "edge-proxy": (["base/", "xmpp/", "chan/", "io/", "edge-proxy/"],
                   C_SYSTEM | GENERATED | MAPS, False),
    "fe-gateway/core": (["base/", "xmpp/", "chan/", "fe-gateway/core/"],
                        C_PURE | GENERATED | MAPS | {"arpa/inet.h"}, True),
    "fe-gateway": (["base/", "xmpp/", "chan/", "io/", "fe-gateway/"],
                   C_SYSTEM | GENERATED | MAPS | {"dlfcn.h", "pwd.h"}, False),
    # the other end of one socket: no loop, no TLS
    "deploy/fedctl": (["base/", "xmpp/", "chan/admin_", "chan/federation_",
                       "io/federation_",
                       "deploy/fedctl/"],
                      C_SYSTEM | GENERATED | UNISTRING, False),
}

# third-party header prefix -> files that may include it (fnmatch patterns)
ONLY_IN = {
    "uv.h": ["common/io/*", "edge-proxy/*.[ch]", "fe-gateway/*.[ch]"],
    "mbedtls/aes.h": ["common/base/digest.c"],
    "mbedtls/base64.h": ["common/base/digest.c"],
    "mbedtls/md.h": ["common/base/digest.c"],
    "mbedtls/sha256.h": ["common/base/digest.c"],
    "mbedtls/version.h": ["common/base/digest.c", "common/io/tls_*"],
    "mbedtls/": ["common/io/tls_*"],
    "psa/": ["common/io/tls_*"],
    "libxml/": ["edge-proxy/core/xml_*.c", "edge-proxy/core/xml_*.h",
                "fe-gateway/core/pidf*.c", "deploy/fedctl/migrate_xml.c"],
    "sofia-sip/": ["fe-gateway/sip_adapter*", "fe-gateway/sip_loop*"],
    # the TLS of the SIP library, and only where it is mended
    "openssl/": ["fe-gateway/sip_tls_compat.c"],
    "dlfcn.h": ["fe-gateway/sip_tls_compat.c", "fe-gateway/sip_accept.c"],
    "unbound.h": ["common/io/dns_resolver.c"],
    "sqlite3.h": ["fe-gateway/store_sqlite*.c"],
    "libpq-fe.h": ["fe-gateway/store_postgres*.c"],
    "cyaml/": ["common/io/host_*", "common/io/federation_yaml*", "edge-proxy/edge_config*",
               "fe-gateway/gateway_config*"],
    "yaml.h": ["common/io/host_*"],
    "systemd/": ["common/io/daemon*"],
    "jansson.h": ["deploy/fedctl/*"],
}

BANNED = [
    "strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol",
    "atof", "gets", "alloca", "strncpy", "strncat", "assert", "rand",
    "srand", "system", "popen", "setjmp", "longjmp",
    # they may ask a directory over the network, and nothing goes on meanwhile
    "getpwuid", "getpwuid_r", "getpwnam", "getpwnam_r",
]

# undefined symbols that a pure object must not have (fnmatch patterns)
IMPURE_SYMBOLS = [
    "socket", "connect", "bind", "listen", "accept*", "send", "sendto",
    "sendmsg", "recv", "recvfrom", "recvmsg", "read", "write", "open",
    "open64", "openat*", "fopen*", "close", "poll", "ppoll", "epoll_*",
    "select", "time", "gettimeofday", "clock_gettime", "nanosleep", "sleep",
    "usleep", "getrandom", "random", "rand", "arc4random*", "pthread_create",
    "fork", "execve", "getenv", "sqlite3_*", "uv_*", "mbedtls_ssl_*", "mbedtls_x509*",
    "mbedtls_net_*", "nta_*", "su_*", "nua_*", "ub_*", "sd_*", "cyaml_*",
]

# unit tests, replay and fuzzers link without these
IO_LIBRARIES = ("libuv", "libsofia", "libmbedtls", "libmbedx509",
                "libunbound", "libcyaml", "libsystemd", "libssl", "libsqlite3")

FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 70
