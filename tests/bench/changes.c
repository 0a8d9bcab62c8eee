/*
 * The changes of a plan with libcurl: it knows what to change, and each of its threads makes a part of the calls, one after another
 * on one kept connection. The time is that of all of it, from making the handles to the last answer.
 */
#include <pthread.h>

#include "handle.h"
#include "pairs.h"

#define MAX_THREADS 100

static struct work work;

static void *thread(void *first)
{
    const struct pair *pair = first, *end = pair + work.calls / work.threads;
    struct curl_slist *headers;
    CURL *curl = new_handle(&work, &headers);
    for (; pair < end; pair++)
        associate(&work, curl, pair->fpga_id, pair->ecs_id);
    curl_easy_cleanup(curl);
    curl_slist_free_all(headers);
    return NULL;
}

int main(int argc, char **argv)
{
    static pthread_t threads[MAX_THREADS];
    double wall, cpu;
    int i;
    work = read_work(argc, argv);
    if (work.threads < 1 || work.threads > MAX_THREADS || work.calls % work.threads != 0)
        fail("changes: the calls can't be shared out");
    read_pairs(work.calls);
    wall = wall_seconds();
    cpu = cpu_seconds();
    curl_global_init(CURL_GLOBAL_DEFAULT);
    for (i = 0; i < work.threads; i++)
        if (pthread_create(&threads[i], NULL, thread, &pairs[work.calls / work.threads * i]) != 0)
            fail("changes: no thread");
    for (i = 0; i < work.threads; i++)
        pthread_join(threads[i], NULL);
    printf("%.9f %.9f 0 0\n", wall_seconds() - wall, cpu_seconds() - cpu);
    curl_global_cleanup();
    return 0;
}
