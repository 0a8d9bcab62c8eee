/* libcurl, as a careful C programmer would use it: one easy handle a thread, reused for all calls. */
#include <curl/curl.h>

#include "threads.h"

static size_t ignore(char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    return size * count;
}

static void loop(const struct work *work, CURL *curl, struct curl_slist *headers, long calls)
{
    long i;
    char url[512];
    double slowest = 0;
    (void)headers;
    for (i = 0; i < calls; i++) {
        /* Each call has ids of its own, so that the URL and the body are made each time, as the library does. */
        char body[128];
        long status = 0;
        double begun = work->threads > 1 ? wall_seconds() : 0;
        snprintf(url, sizeof url, "%s/v1/%s/cloudservers/fpga_image/%s/association", work->endpoint, PROJECT_ID, FPGA_ID);
        snprintf(body, sizeof body, "{\"image\":{\"id\":\"%s\"}}", ECS_ID);
        curl_easy_setopt(curl, CURLOPT_URL, url);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
        if (curl_easy_perform(curl) != CURLE_OK)
            fail("libcurl: the call failed");
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
        if (status != 204)
            fail("libcurl: another status");
        if (work->threads > 1 && wall_seconds() - begun > slowest)
            slowest = wall_seconds() - begun;
    }
    note_slowest(slowest);
}

static CURL *new_handle(const struct work *work, struct curl_slist **headers)
{
    CURL *curl = curl_easy_init();
    size_t room = strlen(work->token) + 32;
    char *token = malloc(room);
    if (curl == NULL || token == NULL)
        fail("libcurl: no handle");
    snprintf(token, room, "X-Auth-Token: %s", work->token);
    *headers = curl_slist_append(NULL, "Content-Type: application/json");
    *headers = curl_slist_append(*headers, "Accept: application/json");
    *headers = curl_slist_append(*headers, token);
    free(token);
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, *headers);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, USER_AGENT);
    curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, 30000L);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, 10000L);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, ignore);
    if (work->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, work->ca_file);
    return curl;
}

static CURL *shared_curl;
static struct curl_slist *shared_headers;

static void run(const struct work *work, long calls)
{
    loop(work, shared_curl, shared_headers, calls);
}

/* Connections stay until all is measured, as the library's do. */
static CURL *handles[MAX_THREADS];
static struct curl_slist *lists[MAX_THREADS];
static int handle_count;

static void *thread(void *work)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    int own;
    pthread_mutex_lock(&lock);
    own = handle_count++;
    pthread_mutex_unlock(&lock);
    handles[own] = new_handle(work, &lists[own]);
    loop(work, handles[own], lists[own], ((struct work *)work)->calls);
    return NULL;
}

int main(int argc, char **argv)
{
    struct work work = read_work(argc, argv);
    curl_global_init(CURL_GLOBAL_DEFAULT);
    if (work.threads <= 1) {
        shared_curl = new_handle(&work, &shared_headers);
        if (work.threads == 0)
            run(&work, work.calls);
        else
            measure(&work, run);
        curl_easy_cleanup(shared_curl);
        curl_slist_free_all(shared_headers);
    } else {
        run_threads(&work, thread);
        while (handle_count-- > 0) {
            curl_easy_cleanup(handles[handle_count]);
            curl_slist_free_all(lists[handle_count]);
        }
    }
    curl_global_cleanup();
    return 0;
}
