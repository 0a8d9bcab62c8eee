/* libcurl, as a careful C programmer would use it: one easy handle a thread, reused for all calls. */
#include "handle.h"
#include "threads.h"

static void loop(const struct work *work, CURL *curl, struct curl_slist *headers, long calls)
{
    long i;
    double slowest = 0;
    (void)headers;
    for (i = 0; i < calls; i++) {
        double begun = work->threads > 1 ? wall_seconds() : 0;
        associate(work, curl, FPGA_ID, ECS_ID);
        if (work->threads > 1 && wall_seconds() - begun > slowest)
            slowest = wall_seconds() - begun;
    }
    note_slowest(slowest);
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
