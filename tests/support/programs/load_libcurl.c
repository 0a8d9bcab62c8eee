/* The load with libcurl, as a careful C programmer would use it: a handle a thread, reused for all calls. */
#define _GNU_SOURCE
#include <curl/curl.h>

#include "load.h"

struct answer {
    char text[4096];
    size_t length;
};

static size_t keep(char *data, size_t size, size_t count, void *context)
{
    struct answer *answer = context;
    size_t room = sizeof answer->text - 1 - answer->length, more = size * count;
    memcpy(answer->text + answer->length, data, more < room ? more : room);
    answer->length += more < room ? more : room;
    return more;
}

/* Nothing was sent where these are what failed. */
static bool may_have_been_sent(CURLcode code)
{
    return code != CURLE_COULDNT_RESOLVE_HOST && code != CURLE_COULDNT_CONNECT && code != CURLE_SSL_CONNECT_ERROR;
}

static struct outcome perform(CURL *curl, long wanted, struct answer *answer)
{
    struct outcome outcome = {0};
    long status = 0;
    CURLcode code;
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, keep);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, answer);
    code = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (code != CURLE_OK) {
        snprintf(outcome.failure, sizeof outcome.failure, "%s", curl_easy_strerror(code));
        outcome.is_unknown = may_have_been_sent(code);
    } else if (status != wanted) {
        snprintf(outcome.failure, sizeof outcome.failure, "HTTP %ld", status);
        outcome.was_so = status == 400 || status == 404;
        outcome.is_unknown = status >= 500;
    }
    return outcome;
}

static struct outcome change(struct thread *thread, bool associate)
{
    CURL *curl = thread->caller;
    struct answer answer = {0};
    char url[512], body[128];
    snprintf(url, sizeof url, "%s/v1/%s/cloudservers/fpga_image/%s/association", endpoint, project_id,
             thread->fpga_id);
    snprintf(body, sizeof body, "{\"image\":{\"id\":\"%s\"}}", thread->ecs_id);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, associate ? "POST" : "DELETE");
    return perform(curl, 204, &answer);
}

static struct outcome list(struct thread *thread)
{
    CURL *curl = thread->caller;
    struct answer answer = {0};
    struct outcome outcome;
    char url[512];
    snprintf(url, sizeof url, "%s/v1/%s/cloudservers/fpga_image/associations?image_id=%s&page=1&size=100", endpoint,
             project_id, thread->ecs_id);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, NULL);
    curl_easy_setopt(curl, CURLOPT_HTTPGET, 1L);
    outcome = perform(curl, 200, &answer);
    outcome.shown = strstr(answer.text, thread->fpga_id) != NULL ? ASSOCIATED : APART;
    return outcome;
}

/* The handles live as long as the process. */
static void *new_handle(void)
{
    CURL *curl = curl_easy_init();
    struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
    size_t room = strlen(token) + 32;
    char *line = malloc(room);
    if (curl == NULL || line == NULL)
        return NULL;
    snprintf(line, room, "X-Auth-Token: %s", token);
    headers = curl_slist_append(headers, line);
    free(line);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_CAINFO, ca_file);
    return curl;
}

int main(int argc, char **argv)
{
    curl_global_init(CURL_GLOBAL_DEFAULT);
    return run_load(argc, argv, new_handle);
}
