//! The shared library as the linker and the loader see it.

use std::process::Command;

use support::c::{Toolchain, run};
use support::needs;

support::tests! {
    the_soname_carries_the_major_version_and_the_library_is_never_unloaded,
    a_thread_may_end_after_the_library_was_closed,
    each_thread_has_its_own_last_error_until_its_next_call,
    the_accessors_take_null,
}

fn the_soname_carries_the_major_version_and_the_library_is_never_unloaded() {
    needs::tools(&["readelf"]);
    let toolchain = Toolchain::new().unwrap();
    let dynamic = run(Command::new("readelf").arg("-d").arg(toolchain.library())).unwrap();
    let soname = format!("[libfpga_associate.so.{}]", env!("CARGO_PKG_VERSION_MAJOR"));
    let has = |words: &[&str]| {
        dynamic
            .lines()
            .any(|line| words.iter().all(|word| line.contains(word)))
    };
    assert!(has(&["SONAME", &soname]), "{dynamic}");
    assert!(has(&["FLAGS_1", "NODELETE"]), "{dynamic}");
}

fn a_thread_may_end_after_the_library_was_closed() {
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include <dlfcn.h>
        #include <pthread.h>
        #include <stdint.h>
        #include <stdio.h>
        typedef int32_t call(const char *, const char *, const char *, const char *, const char *);
        static const char *path;
        static void *library;
        static pthread_barrier_t failed, closed;
        static void *thread(void *result) {
            call *associate;
            *(void **)&associate = dlsym(library, "fpga_associate");
            *(int32_t *)result = associate("", "token", "p", "f", "e");
            pthread_barrier_wait(&failed);
            pthread_barrier_wait(&closed);
            return NULL;
        }
        int main(int argc, char **argv) {
            int round;
            path = argv[argc - 1];
            for (round = 0; round < 3; round++) {
                pthread_t id;
                int32_t result = -1;
                library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
                if (library == NULL) { puts(dlerror()); return 1; }
                pthread_barrier_init(&failed, NULL, 2);
                pthread_barrier_init(&closed, NULL, 2);
                pthread_create(&id, NULL, thread, &result);
                pthread_barrier_wait(&failed);
                dlclose(library);
                pthread_barrier_wait(&closed);
                pthread_join(id, NULL);
                if (result != 1) { printf("status %d\n", (int)result); return 1; }
            }
            return 0;
        }"#;
    let program = toolchain.compile_text("reload", text, &["-ldl"]).unwrap();
    run(Command::new(program).arg(toolchain.library())).unwrap();
}

fn each_thread_has_its_own_last_error_until_its_next_call() {
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include <pthread.h>
        #include <stdio.h>
        #include <string.h>
        #include "fpga_associate.h"
        static const char *error_of(const char *endpoint, const char *token) {
            if (fpga_associate(endpoint, token, "p", "f", "e") != FPGA_ASSOC_INVALID_ARGUMENT)
                return "another status";
            return fpga_assoc_last_error();
        }
        static void *other(void *unused) {
            if (*fpga_assoc_last_error() != '\0' || fpga_assoc_last_error_detail() != NULL)
                return (void *)"a new thread has an error";
            return strncmp(error_of("host", ""), "token: ", 7) == 0 ? unused : (void *)"no error of its own";
        }
        int main(void) {
            pthread_t id;
            void *trouble = NULL;
            const char *mine = error_of("", "t");
            pthread_create(&id, NULL, other, NULL);
            pthread_join(id, &trouble);
            if (trouble != NULL) { puts(trouble); return 1; }
            if (mine != fpga_assoc_last_error() || strncmp(mine, "endpoint: ", 10) != 0) { puts(mine); return 1; }
            if (fpga_assoc_error_message(fpga_assoc_last_error_detail()) != mine) return 1;
            if (fpga_assoc_error_status(fpga_assoc_last_error_detail()) != FPGA_ASSOC_INVALID_ARGUMENT) return 1;
            return 0;
        }"#;
    let program = toolchain.compile_text("threads", text, &[]).unwrap();
    run(&mut Command::new(program)).unwrap();
}

fn the_accessors_take_null() {
    let toolchain = Toolchain::new().unwrap();
    let text = r#"
        #include "fpga_associate.h"
        int main(void) {
            return fpga_assoc_error_status(NULL) != FPGA_ASSOC_OK
                || fpga_assoc_error_http_status(NULL) != 0
                || *fpga_assoc_error_message(NULL) != '\0'
                || *fpga_assoc_error_code(NULL) != '\0'
                || *fpga_assoc_error_request_id(NULL) != '\0'
                || fpga_assoc_error_retry_after_ms(NULL) != 0
                || fpga_assoc_error_attempts(NULL) != 0
                || fpga_assoc_error_outcome_unknown(NULL);
        }"#;
    let program = toolchain.compile_text("null", text, &[]).unwrap();
    run(&mut Command::new(program)).unwrap();
}
