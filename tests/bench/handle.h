/* A handle of libcurl, as a careful C programmer would use it: reused for all calls of a thread. */
#ifndef HANDLE_H
#define HANDLE_H

#include <curl/curl.h>

#include "work.h"

static size_t ignore(char *data, size_t size, size_t count, void *unused)
{
    (void)data;
    (void)unused;
    return size * count;
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

/* Each call has ids of its own, so that the URL and the body are made each time, as the library does. */
static void associate(const struct work *work, CURL *curl, const char *fpga_id, const char *ecs_id)
{
    char url[512], body[128];
    long status = 0;
    snprintf(url, sizeof url, "%s/v1/%s/cloudservers/fpga_image/%s/association", work->endpoint, PROJECT_ID, fpga_id);
    snprintf(body, sizeof body, "{\"image\":{\"id\":\"%s\"}}", ecs_id);
    curl_easy_setopt(curl, CURLOPT_URL, url);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE, (long)strlen(body));
    if (curl_easy_perform(curl) != CURLE_OK)
        fail("libcurl: the call failed");
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    if (status != 204)
        fail("libcurl: another status");
}

#endif
