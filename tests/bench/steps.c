/*
 * Counts the instructions that a program executes between its two marks (SIGUSR2), one by one, on this very processor: with the
 * instructions that it has and an emulator may not know, such as those for SHA-256.
 *
 *     steps PROGRAM ARGUMENT...
 */
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t program;

static void fail(const char *what)
{
    fprintf(stderr, "steps: %s\n", what);
    exit(1);
}

/* Lets the program go on, and tells by which signal it was stopped; 0 where it has ended. */
static int go_on(int how, int signal)
{
    int status;
    if (ptrace(how, program, NULL, (void *)(long)signal) != 0 || waitpid(program, &status, 0) != program)
        fail("the program can't be followed");
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    if (!WIFSTOPPED(status))
        fail("the program failed");
    return WSTOPSIG(status);
}

static void to_mark(void)
{
    int signal = 0;
    while ((signal = go_on(PTRACE_CONT, signal)) != SIGUSR2)
        if (signal == 0)
            fail("a mark is missing");
}

int main(int argc, char **argv)
{
    long steps = 0, at, before = 0;
    int signal = 0;
    if (argc < 2)
        fail("no program");
    program = fork();
    if (program == 0) {
        ptrace(PTRACE_TRACEME, 0, NULL, NULL);
        execvp(argv[1], argv + 1);
        _exit(127);
    }
    if (waitpid(program, &signal, 0) != program || !WIFSTOPPED(signal))
        fail("the program did not start");
    to_mark();
    signal = 0;
    while ((signal = go_on(PTRACE_SINGLESTEP, signal)) != SIGUSR2) {
        if (signal == 0)
            fail("a mark is missing");
        if (signal != SIGTRAP)
            continue;
        signal = 0;
        /* An instruction that repeats itself is one. */
        at = ptrace(PTRACE_PEEKUSER, program, (void *)offsetof(struct user, regs.rip), NULL);
        steps += at != before;
        before = at;
    }
    while ((signal = go_on(PTRACE_CONT, 0)) != 0)
        continue;
    printf("Steps : %ld\n", steps);
    return 0;
}
