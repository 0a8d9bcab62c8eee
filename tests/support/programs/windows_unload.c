/*
 * A host on Windows that loads the library, and frees it while a call is on its way in another thread.
 *
 *     windows_unload service ENDPOINT CA_FILE PROJECT_ID FPGA_ID ECS_ID
 *
 * The service takes a second for its answer. Exits with 0 where all went well.
 */
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#include "fpga_associate.h"

#define DLL "fpga_associate.dll"

static const char *token, *project_id, *ecs_id;
static fpga_assoc_client *client;
static HANDLE has_begun;

static int32_t (*associate)(fpga_assoc_client *, const char *, const char *, const char *, const char *,
                            fpga_assoc_error **);
static const char *(*last_error)(void);

static void find(HMODULE library, const char *name, void *pointer)
{
    FARPROC found = GetProcAddress(library, name);
    if (found == NULL)
        exit(2);
    memcpy(pointer, &found, sizeof found);
}

static DWORD WINAPI call(void *status)
{
    SetEvent(has_begun);
    *(int32_t *)status = associate(client, token, project_id, "00000000000000000000000000000000", ecs_id, NULL);
    if (strstr(last_error(), "404") == NULL)
        *(int32_t *)status = -1;
    /* What the end of the thread frees is the library's too. */
    return 0;
}

int main(int count, char **arguments)
{
    int32_t (*client_new)(const char *, const fpga_assoc_config *, fpga_assoc_client **, fpga_assoc_error **);
    fpga_assoc_config *(*config_new)(void);
    int32_t (*set_ca_file)(fpga_assoc_config *, const char *);
    HMODULE library = LoadLibraryA(DLL);
    HANDLE thread;
    fpga_assoc_config *config;
    int32_t status = -1;
    token = getenv("FPGA_TOKEN");
    if (count != 7 || token == NULL || library == NULL)
        return 2;
    project_id = arguments[4];
    ecs_id = arguments[6];
    find(library, "fpga_assoc_client_new", &client_new);
    find(library, "fpga_assoc_config_new", &config_new);
    find(library, "fpga_assoc_config_set_ca_file", &set_ca_file);
    find(library, "fpga_assoc_client_associate", &associate);
    find(library, "fpga_assoc_last_error", &last_error);
    config = config_new();
    if (set_ca_file(config, arguments[3]) != FPGA_ASSOC_OK
        || client_new(arguments[2], config, &client, NULL) != FPGA_ASSOC_OK)
        return 3;
    has_begun = CreateEventA(NULL, TRUE, FALSE, NULL);
    thread = CreateThread(NULL, 0, call, &status, 0, NULL);
    WaitForSingleObject(has_begun, INFINITE);
    Sleep(100);
    if (!FreeLibrary(library))
        return 4;
    WaitForSingleObject(thread, INFINITE);
    CloseHandle(thread);
    if (status != FPGA_ASSOC_NOT_FOUND)
        return 5;
    return GetModuleHandleA(DLL) == library ? 0 : 6;
}
