/*
 * A host that loads the library late, and whose memory runs out before one of its threads calls for the first time.
 *
 *     late LIBRARY ENDPOINT PROJECT_ID ECS_ID
 *
 * The token is in the environment. Prints the status of each thread's call.
 */
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

typedef int32_t associate(const char *, const char *, const char *, const char *, const char *);
typedef const char *last_error(void);

static associate *call;
static last_error *words;
static const char *endpoint, *token, *project_id, *ecs_id;
static sem_t go;

static void *first_call(void *status)
{
    sem_wait(&go);
    *(int32_t *)status = call(endpoint, token, project_id, "nothing", ecs_id);
    /* There may be no place for it, but it can be asked for. */
    if (words() == NULL)
        abort();
    return NULL;
}

int main(int argc, char **argv)
{
    void *library, *last = NULL, **block;
    int32_t status = -1, status_of_thread = -1;
    size_t size;
    struct rlimit limit;
    pthread_t thread;
    if (argc != 5 || (library = dlopen(argv[1], RTLD_NOW)) == NULL)
        return 1;
    *(void **)&call = dlsym(library, "fpga_associate");
    *(void **)&words = dlsym(library, "fpga_assoc_last_error");
    endpoint = argv[2];
    project_id = argv[3];
    ecs_id = argv[4];
    token = getenv("FPGA_TOKEN");
    sem_init(&go, 0, 0);
    status = call(endpoint, token, project_id, "nothing", ecs_id);
    if (pthread_create(&thread, NULL, first_call, &status_of_thread) != 0)
        return 1;
    getrlimit(RLIMIT_AS, &limit);
    limit.rlim_cur = 1;
    setrlimit(RLIMIT_AS, &limit);
    for (size = 1000; size >= 16; size /= 2)
        while ((block = malloc(size)) != NULL) {
            *block = last;
            last = block;
        }
    sem_post(&go);
    pthread_join(thread, NULL);
    printf("%d %d\n", (int)status, (int)status_of_thread);
    return 0;
}
