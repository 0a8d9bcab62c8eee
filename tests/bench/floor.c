/* The floor: the same bytes over a plain socket, and nothing else. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "work.h"

static int connection;

static void run(const struct work *work, long calls)
{
    static char request[8192], answer[8192];
    const char *host = strstr(work->endpoint, "://") + 3;
    long i;
    int length = snprintf(request, sizeof request,
                          "POST /v1/" PROJECT_ID "/cloudservers/fpga_image/" FPGA_ID "/association HTTP/1.1\r\n"
                          "content-length: 55\r\nhost: %s\r\nuser-agent: " USER_AGENT "\r\n"
                          "accept: application/json\r\ncontent-type: application/json\r\n"
                          "x-auth-token: %s\r\n\r\n{\"image\":{\"id\":\"" ECS_ID "\"}}",
                          host, work->token);
    for (i = 0; i < calls; i++) {
        ssize_t got;
        if (send(connection, request, (size_t)length, MSG_NOSIGNAL) != length)
            fail("floor: send");
        got = recv(connection, answer, sizeof answer - 1, 0);
        if (got < 16)
            fail("floor: recv");
        answer[got] = '\0';
        if (strncmp(answer, "HTTP/1.1 204", 12) != 0 || strstr(answer, "\r\n\r\n") == NULL)
            fail("floor: another answer");
    }
}

int main(int argc, char **argv)
{
    struct work work = read_work(argc, argv);
    struct sockaddr_in address = { .sin_family = AF_INET };
    int yes = 1;
    address.sin_port = htons((unsigned short)atoi(strrchr(work.endpoint, ':') + 1));
    inet_pton(AF_INET, "127.0.0.1", &address.sin_addr);
    connection = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(connection, (struct sockaddr *)&address, sizeof address) != 0)
        fail("floor: connect");
    setsockopt(connection, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    if (work.threads == 0)
        run(&work, work.calls);
    else
        measure(&work, run);
    close(connection);
    return 0;
}
